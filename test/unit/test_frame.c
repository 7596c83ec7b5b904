#include "base/text.h"
#include "progress/frame.h"
#include "run_making.h"

#include <string.h>

#define NOW_MS 1000000

static GPtrArray *
frame_of(const RunProgress *run, guint columns, guint rows)
{
    const Pace pace = pace_of_run(run, NULL);
    return frame_lines(run, &pace, columns, rows, NOW_MS);
}

static const char *
line_at(const GPtrArray *lines, guint i)
{
    g_assert_cmpuint(i, <, lines->len);
    return ((const FrameLine *) lines->pdata[i])->text;
}

static char *
all_of(const GPtrArray *lines)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < lines->len; i++)
        g_string_append_printf(text, "%s\n", line_at(lines, i));
    return g_string_free(text, FALSE);
}

/* One bot of each state. */
static RunProgress *
varied_run(void)
{
    RunProgress *run = new_run(RUN_RUNNING);

    add_bot(run, "Done", BOT_SUCCEEDED, 120, 100);
    add_bot(run, "Waits", BOT_PENDING, 0, 1000);
    add_bot(run, "Left out", BOT_SKIPPED, 0, -1)->reason =
        g_strdup("gone.pdf: the file is missing");
    add_bot(run, "Broken", BOT_FAILED, 0, 10)->reason = g_strdup("it took too long");
    add_bot(run, "Begins", BOT_LAUNCHED, 0, 10);
    add_bot(run, "Works", BOT_RUNNING, 500, 2000)->started_ms = NOW_MS - 10000;
    run->worked_ms = 10000;
    run->tokens = 1234567;
    run->usd = 0.5;
    run->expected_usd = 2;
    return run;
}

static void
test_tells_all_there_is_to_tell(void)
{
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);

    g_assert_cmpstr(
        line_at(lines, 0), ==, "Run 0123456789 (apply) into database \"chat\" at db: running");
    g_assert_cmpstr(
        line_at(lines, 1), ==,
        "running    Works                       500 of about 2,000 chunks, 50 chunks/s, …");
    g_assert_cmpstr(
        line_at(lines, lines->len - 2), ==,
        "1 of 6 bots done, 1 failed, 1 skipped, 620 of about 3,732 chunks, 62 chunks/s");
    g_assert_cmpstr(
        line_at(lines, lines->len - 1), ==, "1,234,567 tokens, $0.50 of about $2.00, 51 s left");
}

static void
test_shows_bots_at_work_first_then_failures(void)
{
    static const char *const ORDER[] = {"Works", "Begins", "Broken", "Left out", "Waits", "Done"};
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);

    g_assert_cmpuint(lines->len, ==, 1 + G_N_ELEMENTS(ORDER) + 2);
    for (guint i = 0; i < G_N_ELEMENTS(ORDER); i++)
        g_assert_nonnull(strstr(line_at(lines, 1 + i), ORDER[i]));
}

static void
test_a_failed_bot_says_why(void)
{
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);

    g_assert_nonnull(strstr(line_at(lines, 3), "it took too long"));
    g_assert_nonnull(strstr(line_at(lines, 4), "gone.pdf: the file is missing"));
    g_assert_cmpint(((const FrameLine *) lines->pdata[3])->tone, ==, TONE_BAD);
}

static void
test_fits_every_terminal(void)
{
    g_autoptr(RunProgress) run = varied_run();
    add_bot(run, "データベース 港湾案内 データベース 港湾案内", BOT_RUNNING, 10, 20);

    for (guint columns = 0; columns <= 310; columns++)
        for (guint rows = 1; rows <= 14; rows++)
        {
            g_autoptr(GPtrArray) lines = frame_of(run, columns, rows);
            g_assert_cmpuint(lines->len, >=, 1);
            g_assert_cmpuint(lines->len, <=, rows);
            for (guint i = 0; i < lines->len; i++)
                g_assert_cmpuint(text_columns(line_at(lines, i)), <=, columns);
        }
}

static void
test_a_narrow_terminal_shows_states_and_names(void)
{
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 20, 24);

    g_assert_cmpstr(line_at(lines, 1), ==, "running    Works");
    g_assert_cmpstr(line_at(lines, 4), ==, "skipped    Left out");
    g_assert_cmpstr(line_at(lines, 7), ==, "1 of 6 bots done");
}

static void
test_a_wide_terminal_needs_one_line_for_the_whole(void)
{
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 300, 24);

    g_assert_cmpuint(lines->len, ==, 1 + 6 + 1);
    g_assert_true(g_str_has_suffix(line_at(lines, 7), "51 s left"));
}

static void
test_three_rows_are_for_the_whole(void)
{
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 3);

    g_assert_cmpuint(lines->len, ==, 3);
    g_assert_true(g_str_has_prefix(line_at(lines, 0), "Run 0123456789"));
    g_assert_true(g_str_has_prefix(line_at(lines, 1), "1 of 6 bots done"));
}

static void
test_one_row_tells_the_most_important(void)
{
    g_autoptr(RunProgress) run = varied_run();
    g_autoptr(GPtrArray) lines = frame_of(run, 40, 1);

    g_assert_cmpuint(lines->len, ==, 1);
    g_assert_cmpstr(line_at(lines, 0), ==, "1 of 6 bots done, 1 failed, 1 skipped");
}

static void
test_ten_thousand_bots_are_counted_not_shown(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    for (int i = 0; i < 10000; i++)
        add_bot(run, "Waits", BOT_PENDING, 0, 100);
    ((BotProgress *) run->bots->pdata[9999])->state = BOT_RUNNING;
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 23);
    g_autofree char *text = all_of(lines);

    g_assert_cmpuint(lines->len, ==, 23);
    g_assert_true(g_str_has_prefix(line_at(lines, 1), "running"));
    g_assert_nonnull(strstr(text, "\n… and 9,981 more\n"));
    g_assert_nonnull(strstr(text, "0 of 10,000 bots done, 0 of about 1,000,000 chunks"));
}

static void
test_wide_characters_keep_the_columns_straight(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    add_bot(run, "Harbour", BOT_PENDING, 0, 7);
    add_bot(run, "データベース", BOT_PENDING, 0, 7);
    add_bot(run, "データベース データベース データベース", BOT_PENDING, 0, 7);
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);

    const guint columns = text_columns(line_at(lines, 1));
    g_assert_cmpuint(text_columns(line_at(lines, 2)), ==, columns);
    g_assert_cmpuint(text_columns(line_at(lines, 3)), ==, columns);
    g_assert_true(g_str_has_suffix(line_at(lines, 3), "about 7 chunks"));
}

static void
test_a_hostile_title_cannot_command_the_terminal(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    add_bot(
        run,
        "\033]0;owned\007\r\n\xc2\x9b"
        "2J",
        BOT_RUNNING, 0, 7);
    add_bot(run, "Fails", BOT_FAILED, 0, 7)->reason = g_strdup("no\033[2Jwords\xff");
    g_free(run->store);
    run->store = g_strdup("\033[H");
    g_autoptr(GPtrArray) lines = frame_of(run, 120, 24);
    g_autofree char *text = all_of(lines);

    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(guchar) *at])
        g_assert_true(*at == '\n' || !g_unichar_iscntrl(g_utf8_get_char(at)));
    g_assert_true(g_utf8_validate(text, -1, NULL));
    g_assert_cmpuint(lines->len, ==, 1 + 2 + 1);
}

static void
test_a_retry_says_what_went_wrong(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    add_bot(run, "Again", BOT_PENDING, 0, 7)->reason = g_strdup("503");
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);
    g_assert_true(g_str_has_suffix(line_at(lines, 1), "tries again: 503"));
}

static void
test_a_resumed_bot_tells_its_attempts(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    BotProgress *bot = add_bot(run, "Again", BOT_RUNNING, 100, 200);

    bot->attempts = 3;
    bot->reused = 100;
    bot->started_ms = NOW_MS - 1000;
    g_autoptr(GPtrArray) lines = frame_of(run, 100, 24);
    g_assert_nonnull(strstr(line_at(lines, 1), "100 of about 200 chunks, attempt 3, 0.0 chunks/s"));
}

static void
test_a_run_that_has_ended_shows_only_the_whole(void)
{
    g_autoptr(RunProgress) run = varied_run();
    run->state = RUN_INTERRUPTED;
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);
    g_autofree char *text = all_of(lines);

    g_assert_cmpuint(lines->len, ==, 1 + 2);
    g_assert_true(g_str_has_suffix(line_at(lines, 0), ": interrupted"));
    g_assert_null(strstr(text, "left"));
    g_assert_nonnull(strstr(text, "62 chunks/s on average"));
}

static void
test_a_run_without_a_price_says_so(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    g_autoptr(GPtrArray) lines = frame_of(run, 80, 24);

    g_assert_cmpstr(
        line_at(lines, 1), ==, "0 of 0 bots done, 0 chunks, 0 tokens, cost unknown, 0 s left");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/tells-all-there-is-to-tell", test_tells_all_there_is_to_tell);
    g_test_add_func(
        "/frame/shows-bots-at-work-first-then-failures",
        test_shows_bots_at_work_first_then_failures);
    g_test_add_func("/frame/a-failed-bot-says-why", test_a_failed_bot_says_why);
    g_test_add_func("/frame/fits-every-terminal", test_fits_every_terminal);
    g_test_add_func(
        "/frame/a-narrow-terminal-shows-states-and-names",
        test_a_narrow_terminal_shows_states_and_names);
    g_test_add_func(
        "/frame/a-wide-terminal-needs-one-line-for-the-whole",
        test_a_wide_terminal_needs_one_line_for_the_whole);
    g_test_add_func("/frame/three-rows-are-for-the-whole", test_three_rows_are_for_the_whole);
    g_test_add_func(
        "/frame/one-row-tells-the-most-important", test_one_row_tells_the_most_important);
    g_test_add_func(
        "/frame/ten-thousand-bots-are-counted-not-shown",
        test_ten_thousand_bots_are_counted_not_shown);
    g_test_add_func(
        "/frame/wide-characters-keep-the-columns-straight",
        test_wide_characters_keep_the_columns_straight);
    g_test_add_func(
        "/frame/a-hostile-title-cannot-command-the-terminal",
        test_a_hostile_title_cannot_command_the_terminal);
    g_test_add_func("/frame/a-retry-says-what-went-wrong", test_a_retry_says_what_went_wrong);
    g_test_add_func(
        "/frame/a-resumed-bot-tells-its-attempts", test_a_resumed_bot_tells_its_attempts);
    g_test_add_func(
        "/frame/a-run-that-has-ended-shows-only-the-whole",
        test_a_run_that_has_ended_shows_only_the_whole);
    g_test_add_func("/frame/a-run-without-a-price-says-so", test_a_run_without_a_price_says_so);
    return g_test_run();
}
