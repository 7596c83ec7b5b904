/*
 * The renderers write into a socket that keeps each write() apart, so that a test sees how
 * many there were.
 */
#include "progress/renderer.h"
#include "run_making.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
    Renderer *renderer;
    int ours;
    int theirs;
} Ends;

static Ends
ends_of(Renderer *(*new_renderer)(int fd))
{
    int fds[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), ==, 0);
    return (Ends){new_renderer(fds[1]), fds[0], fds[1]};
}

static void
end(Ends *ends)
{
    renderer_end(ends->renderer);
    close(ends->ours);
    close(ends->theirs);
}

/* What one write() gave; NULL when there was none. */
static char *
next_write(const Ends *ends)
{
    static const size_t SIZE = 65536;
    g_autofree char *bytes = g_malloc(SIZE);
    const ssize_t got = recv(ends->ours, bytes, SIZE - 1, MSG_DONTWAIT);
    if (got <= 0)
        return NULL;
    bytes[got] = '\0';
    return g_steal_pointer(&bytes);
}

static void
wait_for_a_picture(void)
{
    g_usleep(110000);
}

static void
test_one_picture_is_one_write(void)
{
    Ends ends = ends_of(terminal_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    for (int i = 0; i < 1000; i++)
        add_bot(run, "Harbour", BOT_PENDING, 0, 10);

    ends.renderer->show(ends.renderer, run);
    g_autofree char *first = next_write(&ends);
    g_autofree char *none = next_write(&ends);
    g_assert_true(g_str_has_prefix(first, "\033[?2026h\033[?25l\033[?7l\r"));
    g_assert_true(g_str_has_suffix(first, "\033[J\033[?7h\033[?25h\033[?2026l"));
    g_assert_null(none);

    wait_for_a_picture();
    ends.renderer->show(ends.renderer, run);
    g_autofree char *second = next_write(&ends);
    g_autofree char *none_either = next_write(&ends);
    g_assert_true(g_str_has_prefix(second, "\033[?2026h\033[?25l\033[?7l\r\033[23A"));
    g_assert_null(none_either);
    end(&ends);
}

static void
test_pictures_are_not_drawn_faster_than_eyes_see(void)
{
    Ends ends = ends_of(terminal_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    for (int i = 0; i < 100; i++)
        ends.renderer->show(ends.renderer, run);
    g_autofree char *first = next_write(&ends);
    g_autofree char *second = next_write(&ends);
    g_assert_nonnull(first);
    g_assert_null(second);
    end(&ends);
}

static void
test_the_end_of_a_run_is_always_drawn(void)
{
    Ends ends = ends_of(terminal_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    ends.renderer->show(ends.renderer, run);
    run->state = RUN_DONE;
    ends.renderer->show(ends.renderer, run);
    g_autofree char *first = next_write(&ends);
    g_autofree char *last = next_write(&ends);
    g_assert_nonnull(first);
    g_assert_nonnull(strstr(last, ": done"));
    end(&ends);
}

static void
test_a_note_stands_above_the_picture(void)
{
    Ends ends = ends_of(terminal_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    ends.renderer->show(ends.renderer, run);
    ends.renderer->note(ends.renderer, "Harbour\033[2J: 503");
    g_autofree char *first = next_write(&ends);
    g_autofree char *second = next_write(&ends);
    g_autofree char *none = next_write(&ends);
    const char *note = strstr(second, "note: Harbour [2J: 503\r\n");
    const char *picture = strstr(second, "Run 0123456789");

    g_assert_nonnull(first);
    g_assert_nonnull(note);
    g_assert_nonnull(picture);
    g_assert_true(note < picture);
    g_assert_null(none);
    end(&ends);
}

static void
test_a_halted_terminal_does_not_halt_the_run(void)
{
    Ends ends = ends_of(terminal_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    while (send(ends.theirs, "x", 1, MSG_DONTWAIT) == 1)
        continue;
    ends.renderer->show(ends.renderer, run);
    ends.renderer->note(ends.renderer, "patience");
    for (;;)
    {
        g_autofree char *old = next_write(&ends);
        if (old == NULL)
            break;
    }

    /* What was said meanwhile is not lost. */
    wait_for_a_picture();
    ends.renderer->show(ends.renderer, run);
    g_autofree char *picture = next_write(&ends);
    g_assert_nonnull(strstr(picture, "note: patience\r\n"));
    end(&ends);
}

static void
test_no_color_means_no_colour(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    add_bot(run, "Harbour", BOT_FAILED, 0, 1)->reason = g_strdup("why");

    Ends usual = ends_of(terminal_renderer_new);
    usual.renderer->show(usual.renderer, run);
    g_autofree char *coloured = next_write(&usual);
    g_assert_nonnull(strstr(coloured, "\033[31mfailed"));
    end(&usual);

    g_setenv("NO_COLOR", "1", TRUE);
    Ends plain = ends_of(terminal_renderer_new);
    plain.renderer->show(plain.renderer, run);
    g_autofree char *without = next_write(&plain);
    g_assert_null(strstr(
        without, "m"
                 "failed"));
    g_assert_nonnull(strstr(without, "\r\nfailed"));
    end(&plain);
    g_unsetenv("NO_COLOR");
}

static void
test_lines_are_a_log(void)
{
    Ends ends = ends_of(lines_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    BotProgress *bot = add_bot(run, "Harbour\033[2J", BOT_RUNNING, 5, 10);
    add_bot(run, "Done before", BOT_SUCCEEDED, 10, 10);

    ends.renderer->show(ends.renderer, run);
    ends.renderer->show(ends.renderer, run);
    bot->state = BOT_FAILED;
    bot->reason = g_strdup("no\nwords");
    ends.renderer->show(ends.renderer, run);
    ends.renderer->note(ends.renderer, "patience");

    g_autofree char *summary = next_write(&ends);
    g_autofree char *ended = next_write(&ends);
    g_autofree char *note = next_write(&ends);
    g_autofree char *none = next_write(&ends);
    g_assert_true(g_str_has_prefix(summary, "1 of 2 bots done, 15 of about 20 chunks, "));
    g_assert_cmpstr(ended, ==, "failed: Harbour [2J (bot-0): no words\n");
    g_assert_cmpstr(note, ==, "note: patience\n");
    g_assert_null(none);
    end(&ends);
}

static void
test_lines_tell_the_end_at_once_and_once(void)
{
    Ends ends = ends_of(lines_renderer_new);
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    BotProgress *bot = add_bot(run, "Harbour", BOT_RUNNING, 5, 10);

    ends.renderer->show(ends.renderer, run);
    bot->state = BOT_SUCCEEDED;
    bot->chunks = 11;
    run->state = RUN_DONE;
    ends.renderer->show(ends.renderer, run);
    ends.renderer->show(ends.renderer, run);

    g_autofree char *begin = next_write(&ends);
    g_autofree char *last = next_write(&ends);
    g_autofree char *none = next_write(&ends);
    g_assert_nonnull(begin);
    g_assert_cmpstr(
        last, ==,
        "succeeded: Harbour (bot-0): 11 chunks, 0 tokens, cost unknown\n"
        "1 of 1 bots done, 11 chunks, 0 tokens, cost unknown\n");
    g_assert_null(none);
    end(&ends);
}

static void
test_what_is_no_terminal_gets_lines(void)
{
    int fds[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), ==, 0);
    g_setenv("TERM", "xterm", TRUE);
    Ends ends = {renderer_new(fds[1]), fds[0], fds[1]};
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    ends.renderer->show(ends.renderer, run);
    g_autofree char *text = next_write(&ends);
    g_assert_null(strchr(text, '\033'));
    end(&ends);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv("NO_COLOR");
    g_test_add_func("/renderer/one-picture-is-one-write", test_one_picture_is_one_write);
    g_test_add_func(
        "/renderer/pictures-are-not-drawn-faster-than-eyes-see",
        test_pictures_are_not_drawn_faster_than_eyes_see);
    g_test_add_func(
        "/renderer/the-end-of-a-run-is-always-drawn", test_the_end_of_a_run_is_always_drawn);
    g_test_add_func(
        "/renderer/a-note-stands-above-the-picture", test_a_note_stands_above_the_picture);
    g_test_add_func(
        "/renderer/a-halted-terminal-does-not-halt-the-run",
        test_a_halted_terminal_does_not_halt_the_run);
    g_test_add_func("/renderer/no-color-means-no-colour", test_no_color_means_no_colour);
    g_test_add_func("/renderer/lines-are-a-log", test_lines_are_a_log);
    g_test_add_func(
        "/renderer/lines-tell-the-end-at-once-and-once", test_lines_tell_the_end_at_once_and_once);
    g_test_add_func(
        "/renderer/what-is-no-terminal-gets-lines", test_what_is_no_terminal_gets_lines);
    return g_test_run();
}
