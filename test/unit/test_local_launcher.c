#include "base/error.h"
#include "launch/launcher.h"
#include "other_process.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/*
 * Workers are shell scripts that the test writes.  They are called as the program would be:
 * `SCRIPT embed --order-fd 3`.
 */
typedef struct
{
    char *folder;
    char *program;
    Launcher *launcher;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    (void) data;
    fixture->folder = g_dir_make_tmp("launcher-XXXXXX", NULL);
    fixture->program = g_build_filename(fixture->folder, "worker", NULL);
    fixture->launcher = local_launcher_new(fixture->program);
}

static char *
file_of(const Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->folder, name, NULL);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    (void) data;
    launcher_free(fixture->launcher);
    g_autoptr(GDir) listing = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(listing)) != NULL;)
    {
        g_autofree char *path = file_of(fixture, name);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->program);
}

/* What workers do from now on; $here is the fixture's folder. */
static void
write_worker(const Fixture *fixture, const char *script)
{
    g_autofree char *text = g_strdup_printf("#!/bin/sh\nhere='%s'\n%s\n", fixture->folder, script);
    g_autofree char *new = file_of(fixture, "worker.new");
    g_autoptr(GError) error = NULL;

    /* A file that was just open for writing cannot be executed by a child forked meanwhile. */
    g_assert_true(g_file_set_contents(new, text, -1, &error));
    g_assert_cmpint(g_chmod(new, 0700), ==, 0);
    g_assert_cmpint(g_rename(new, fixture->program), ==, 0);
}

static char *
launch(const Fixture *fixture, gint64 id)
{
    const Intent intent = {.id = id, .name = "vecferry-run-1"};
    g_autoptr(GError) error = NULL;
    char *task = NULL;
    Bot *bot = bot_new("ann", "bot");
    bot_seal(bot);
    g_auto(WorkOrder) order = {
        .run = g_strdup("run"),
        .worker = g_strdup(intent.name),
        .store_identity = g_strdup("7/chat/items"),
        .settings = g_strdup("[new-store]\nurl=postgresql://me:hush@host/db\n"),
        .bot = bot,
    };

    g_assert_true(fixture->launcher->launch(fixture->launcher, &intent, &order, &task, &error));
    g_assert_no_error(error);
    return task;
}

static void
start(const Fixture *fixture, gint64 id)
{
    g_free(launch(fixture, id));
}

/* The next news that is some; fails when there is none for long. */
static void
next(const Fixture *fixture, LauncherReport *report)
{
    const gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    do
    {
        g_autoptr(GError) error = NULL;
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        launcher_report_clear(report);
        g_assert_true(fixture->launcher->next(fixture->launcher, NULL, 250, report, &error));
        g_assert_no_error(error);
    } while (report->news == LAUNCHER_QUIET);
}

static void
assert_says(const Fixture *fixture, gint64 intent, EventKind kind, gint64 chunks)
{
    g_auto(LauncherReport) report = {0};
    next(fixture, &report);
    g_assert_cmpint((int) report.news, ==, LAUNCHER_SAID);
    g_assert_cmpint(report.intent, ==, intent);
    g_assert_cmpint((int) report.event.kind, ==, (int) kind);
    g_assert_cmpint(report.event.chunks, ==, chunks);
}

static void
assert_ends(const Fixture *fixture, gint64 intent, const char *how)
{
    g_auto(LauncherReport) report = {0};
    next(fixture, &report);
    g_assert_cmpint((int) report.news, ==, LAUNCHER_ENDED);
    g_assert_cmpint(report.intent, ==, intent);
    g_assert_cmpstr(report.how, ==, how);
}

static void
assert_quiet(const Fixture *fixture)
{
    g_auto(LauncherReport) report = {0};
    g_assert_true(fixture->launcher->next(fixture->launcher, NULL, 0, &report, NULL));
    g_assert_cmpint((int) report.news, ==, LAUNCHER_QUIET);
}

/* Waits until the worker wrote this file; its content. */
static char *
await_file(const Fixture *fixture, const char *name)
{
    g_autofree char *path = file_of(fixture, name);
    char *content = NULL;

    for (int i = 0; i < 3000; i++)
    {
        g_clear_pointer(&content, g_free);
        if (g_file_get_contents(path, &content, NULL, NULL) && strchr(content, '\n') != NULL)
            return g_strchomp(content);
        g_usleep(10000);
    }
    g_error("%s was never written", path);
}

static pid_t
await_pid(const Fixture *fixture, const char *name)
{
    g_autofree char *text = await_file(fixture, name);
    return (pid_t) g_ascii_strtoll(text, NULL, 10);
}

/* A dead process whose parent has not asked for it yet counts as gone. */
static bool
is_gone(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int) pid);
    g_autofree char *stat = NULL;
    if (!g_file_get_contents(path, &stat, NULL, NULL))
        return true;
    const char *state = strrchr(stat, ')');
    return state == NULL || strchr("ZX", state[2]) != NULL;
}

static void
assert_goes(pid_t pid)
{
    for (int i = 0; i < 3000 && !is_gone(pid); i++)
        g_usleep(10000);
    g_assert_true(is_gone(pid));
}

/* --- what a worker gets -------------------------------------------------------------------- */

static void
test_a_worker_gets_its_order_and_nothing_on_its_arguments(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture, "echo \"$*\" >\"$here/arguments\"; cat <&3 >\"$here/order\"; "
                 "echo >>\"$here/order\"");
    g_autofree char *task = launch(fixture, 1);
    assert_ends(fixture, 1, NULL);

    g_autofree char *arguments = await_file(fixture, "arguments");
    g_autofree char *text = await_file(fixture, "order");
    g_auto(WorkOrder) order = {0};
    g_autoptr(GError) error = NULL;
    g_assert_cmpstr(arguments, ==, "embed --order-fd 3");
    g_assert_true(work_order_from_text(text, &order, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(order.worker, ==, "vecferry-run-1");
    g_assert_nonnull(strstr(order.settings, "hush"));
    g_assert_true(g_str_has_prefix(task, "process "));
}

static void
test_the_task_is_the_process(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "echo $$ >\"$here/pid\"");
    g_autofree char *task = launch(fixture, 1);
    g_autofree char *pid = await_file(fixture, "pid");
    g_autofree char *expected = g_strdup_printf("process %s", pid);
    g_assert_cmpstr(task, ==, expected);
    assert_ends(fixture, 1, NULL);
}

static void
test_a_worker_inherits_nothing_of_ours(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *path = file_of(fixture, "ours");
    FILE *ours = fopen(path, "we");

    g_assert_nonnull(ours);
    write_worker(
        fixture, "ls -l /proc/$$/fd | grep -c -e /ours -e /memfd >\"$here/count\"\n"
                 "readlink /proc/$$/fd/0 >\"$here/stdin\"");
    start(fixture, 1);
    assert_ends(fixture, 1, NULL);
    g_autofree char *count = await_file(fixture, "count");
    g_autofree char *input = await_file(fixture, "stdin");
    g_assert_cmpstr(count, ==, "1"); /* its order */
    g_assert_cmpstr(input, ==, "/dev/null");
    fclose(ours);
}

/* A shell would unblock them itself, so this program is its own worker: see main(). */
static void
test_signals_are_not_blocked_in_a_worker(Fixture *fixture, const void *data)
{
    (void) data;
    g_auto(LauncherReport) report = {0};
    sigset_t all;
    sigset_t before;

    launcher_free(fixture->launcher);
    fixture->launcher = local_launcher_new("/proc/self/exe");
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    start(fixture, 1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    next(fixture, &report);
    g_assert_cmpint((int) report.news, ==, LAUNCHER_SAID);
    g_assert_cmpint(report.event.chunks, ==, 0);
    assert_ends(fixture, 1, NULL);
}

/* Says as chunks how many signals are blocked. */
static int
be_a_worker(void)
{
    sigset_t blocked;
    gint64 count = 0;

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++)
        count += sigismember(&blocked, number) == 1 ? 1 : 0;
    g_autofree char *line =
        work_event_to_line(&(WorkEvent){.kind = EVENT_PROGRESS, .chunks = count});
    puts(line);
    return 0;
}

/* --- what it says -------------------------------------------------------------------------- */

static void
test_every_line_is_heard_in_order(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture,
        "echo '{\"event\":\"started\",\"worker\":\"w\"}'\n"
        "for i in 1 2 3; do echo \"{\\\"event\\\":\\\"progress\\\",\\\"chunks\\\":$i}\"; done\n"
        "echo '{\"event\":\"final\",\"state\":\"succeeded\",\"chunks\":3}'");
    start(fixture, 7);
    assert_says(fixture, 7, EVENT_STARTED, 0);
    for (int i = 1; i <= 3; i++)
        assert_says(fixture, 7, EVENT_PROGRESS, i);
    assert_says(fixture, 7, EVENT_FINAL, 3);
    assert_ends(fixture, 7, NULL);
    assert_quiet(fixture);
}

static void
test_a_line_may_come_in_pieces(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture, "printf '{\"event\":\"prog'; sleep 0.1; printf 'ress\",\"chunks\":5}'; "
                 "sleep 0.1; echo");
    start(fixture, 1);
    assert_says(fixture, 1, EVENT_PROGRESS, 5);
    assert_ends(fixture, 1, NULL);
}

static void
test_garbage_is_passed_over(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture, "echo warning: something; echo; echo '{}'; echo '[1]'; printf '\\377\\000\\n'\n"
                 "printf '\\000{\"event\":\"progress\",\"chunks\":8}\\n'\n"
                 "echo '{\"event\":\"progress\",\"chunks\":9}'");
    start(fixture, 1);
    assert_says(fixture, 1, EVENT_PROGRESS, 9);
    assert_ends(fixture, 1, NULL);
}

static void
test_a_line_that_is_too_long_is_passed_over(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture, "printf '{\"event\":\"progress\",\"chunks\":1,\"reason\":\"'\n"
                 "head -c 3000000 /dev/zero | tr '\\0' x; echo '\"}'\n"
                 "echo '{\"event\":\"progress\",\"chunks\":2}'");
    start(fixture, 1);
    assert_says(fixture, 1, EVENT_PROGRESS, 2);
    assert_ends(fixture, 1, NULL);
}

/* Whatever is lost at its end, what a too long line begins with is not taken for a line. */
static void
test_the_beginning_of_a_long_line_is_no_event(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture, "printf '{\"event\":\"final\",\"state\":\"succeeded\"}'\n"
                 "head -c 70000 /dev/zero | tr '\\0' ' '; echo 'and more'");
    start(fixture, 1);
    assert_ends(fixture, 1, NULL);
}

static void
test_a_line_without_an_end_is_not_heard(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "printf '{\"event\":\"final\",\"state\":\"succeeded\"}'");
    start(fixture, 1);
    assert_ends(fixture, 1, NULL);
}

static void
test_who_never_stops_talking_does_not_hold_us(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "exec yes");
    start(fixture, 1);
    for (int i = 0; i < 20; i++)
    {
        g_auto(LauncherReport) report = {0};
        const gint64 begin = g_get_monotonic_time();
        g_assert_true(fixture->launcher->next(fixture->launcher, NULL, 100, &report, NULL));
        g_assert_cmpint((int) report.news, ==, LAUNCHER_QUIET);
        g_assert_cmpint(g_get_monotonic_time() - begin, <, 1 * G_USEC_PER_SEC);
    }
    fixture->launcher->stop(fixture->launcher, 1);
    assert_ends(fixture, 1, "killed by signal 9 (Killed)");
}

static void
test_much_on_stderr_does_not_hold_the_worker(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture,
        "head -c 1000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo last words >&2; exit 3");
    start(fixture, 1);
    assert_ends(fixture, 1, "exit status 3: last words");
}

/* --- how it ends --------------------------------------------------------------------------- */

static void
test_an_exit_status_is_told_with_the_last_words(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "echo first >&2; echo 'vecferry: no key  ' >&2; echo >&2; exit 2");
    start(fixture, 1);
    assert_ends(fixture, 1, "exit status 2: vecferry: no key");
}

static void
test_the_error_is_told_and_not_its_hint(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "echo 'vecferry: no key' >&2; echo 'hint: --api-key-file' >&2; exit 2");
    start(fixture, 1);
    assert_ends(fixture, 1, "exit status 2: vecferry: no key");
}

static void
test_who_ends_without_a_word_has_ended(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "exit 0");
    start(fixture, 1);
    assert_ends(fixture, 1, NULL);
    write_worker(fixture, "exit 1");
    start(fixture, 2);
    assert_ends(fixture, 2, "exit status 1");
}

static void
test_a_signal_is_named(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "kill -SEGV $$");
    start(fixture, 1);
    assert_ends(fixture, 1, "killed by signal 11 (Segmentation fault)");
    write_worker(fixture, "echo '{\"event\":\"started\"}'; kill -KILL $$");
    start(fixture, 2);
    assert_says(fixture, 2, EVENT_STARTED, 0);
    assert_ends(fixture, 2, "killed by signal 9 (Killed)");
}

static void
test_a_program_that_is_not_there_ends_at_once(Fixture *fixture, const void *data)
{
    (void) data;
    start(fixture, 1);
    assert_ends(fixture, 1, "exit status 127");
}

static void
test_who_closes_its_pipes_and_works_on_has_not_ended(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "echo $$ >\"$here/self\"; exec >&- 2>&-; exec sleep 600");
    start(fixture, 1);
    await_pid(fixture, "self");
    for (int i = 0; i < 5; i++)
    {
        g_auto(LauncherReport) report = {0};
        g_assert_true(fixture->launcher->next(fixture->launcher, NULL, 20, &report, NULL));
        g_assert_cmpint((int) report.news, ==, LAUNCHER_QUIET);
    }
    fixture->launcher->stop(fixture->launcher, 1);
    assert_ends(fixture, 1, "killed by signal 9 (Killed)");
}

/* What holds the pipes is another process; the worker is gone all the same. */
static void
test_who_leaves_children_behind_has_ended(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(
        fixture, "sleep 600 & echo $! >\"$here/child\"; echo '{\"event\":\"started\"}'; exit 5");
    start(fixture, 1);
    const pid_t child = await_pid(fixture, "child");
    assert_says(fixture, 1, EVENT_STARTED, 0);
    assert_ends(fixture, 1, "exit status 5");
    assert_goes(child);
}

/* --- many, and stopping -------------------------------------------------------------------- */

static void
test_many_work_at_once(Fixture *fixture, const void *data)
{
    (void) data;
    enum
    {
        WORKERS = 40,
    };
    guint said[WORKERS] = {0};
    bool ended[WORKERS] = {false};

    write_worker(
        fixture, "for i in 1 2 3 4 5; do echo '{\"event\":\"progress\",\"chunks\":1}'; done\n"
                 "exit 4");
    for (gint64 i = 0; i < WORKERS; i++)
        start(fixture, i);
    for (int i = 0; i < WORKERS * 6; i++)
    {
        g_auto(LauncherReport) report = {0};
        next(fixture, &report);
        g_assert_false(ended[report.intent]);
        if (report.news == LAUNCHER_SAID)
            said[report.intent]++;
        else
        {
            g_assert_cmpstr(report.how, ==, "exit status 4");
            g_assert_cmpuint(said[report.intent], ==, 5);
            ended[report.intent] = true;
        }
    }
    for (int i = 0; i < WORKERS; i++)
        g_assert_true(ended[i]);
    assert_quiet(fixture);
}

#define WORKER_WITH_A_CHILD "sleep 600 & echo $! >\"$here/child\"; echo $$ >\"$here/self\"; wait"

static void
test_stopping_kills_the_worker_and_its_children(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, WORKER_WITH_A_CHILD);
    start(fixture, 1);
    const pid_t child = await_pid(fixture, "child");
    const pid_t worker = await_pid(fixture, "self");

    fixture->launcher->stop(fixture->launcher, 2); /* somebody else */
    g_assert_false(is_gone(worker));
    fixture->launcher->stop(fixture->launcher, 1);
    assert_ends(fixture, 1, "killed by signal 9 (Killed)");
    assert_goes(worker);
    assert_goes(child);
    fixture->launcher->stop(fixture->launcher, 1); /* it is gone: nothing happens */
}

#define WORKER_WITH_A_LAST_WISH                                                                    \
    "trap 'echo kept >\"$here/last\"; exit 0' TERM; sleep 600 & echo $$ >\"$here/self\"; wait"

static void
test_who_is_asked_to_stop_may_finish(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, WORKER_WITH_A_LAST_WISH);
    start(fixture, 1);
    const pid_t worker = await_pid(fixture, "self");

    fixture->launcher->ask_to_stop(fixture->launcher, 2); /* somebody else */
    g_assert_false(is_gone(worker));
    fixture->launcher->ask_to_stop(fixture->launcher, 1);
    assert_ends(fixture, 1, NULL);
    g_autofree char *last = await_file(fixture, "last");
    g_assert_cmpstr(last, ==, "kept");
    fixture->launcher->ask_to_stop(fixture->launcher, 1); /* it is gone: nothing happens */
}

static void
test_only_the_named_worker_is_stopped(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "echo $$ >\"$here/one\"; exec sleep 600");
    start(fixture, 1);
    const pid_t one = await_pid(fixture, "one");
    write_worker(fixture, "echo $$ >\"$here/two\"; exec sleep 600");
    start(fixture, 2);
    const pid_t two = await_pid(fixture, "two");

    fixture->launcher->stop(fixture->launcher, 2);
    assert_ends(fixture, 2, "killed by signal 9 (Killed)");
    assert_goes(two);
    g_assert_false(is_gone(one));
}

static void
test_the_end_of_the_launcher_ends_its_workers(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, WORKER_WITH_A_CHILD);
    start(fixture, 1);
    const pid_t child = await_pid(fixture, "child");
    const pid_t worker = await_pid(fixture, "self");
    g_clear_pointer(&fixture->launcher, launcher_free);
    g_assert_cmpint(kill(worker, 0), ==, -1); /* not even a zombie */
    assert_goes(child);
}

static void
test_a_stop_is_heard_at_once(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Cancel) cancel = cancel_new();
    g_auto(LauncherReport) report = {0};
    const gint64 begin = g_get_monotonic_time();

    write_worker(fixture, "exec sleep 600");
    start(fixture, 1);
    cancel_request(cancel);
    g_assert_true(fixture->launcher->next(fixture->launcher, cancel, 60000, &report, NULL));
    g_assert_cmpint((int) report.news, ==, LAUNCHER_QUIET);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 30 * G_USEC_PER_SEC);
}

static void
test_without_workers_it_is_quiet(Fixture *fixture, const void *data)
{
    (void) data;
    assert_quiet(fixture);
    fixture->launcher->stop(fixture->launcher, 1);
    launcher_free(NULL);
}

static int
launch_and_wait(const OtherSide *side, void *data)
{
    const Fixture *fixture = data;
    start(fixture, 1);
    g_free(await_file(fixture, "self"));
    other_ready(side);
    other_wait(side);
    return 0;
}

static void
test_workers_die_with_their_parent(Fixture *fixture, const void *data)
{
    (void) data;
    write_worker(fixture, "echo $$ >\"$here/self\"; exec sleep 600");
    const OtherProcess other = other_start(launch_and_wait, fixture);
    other_await(&other);
    const pid_t worker = await_pid(fixture, "self");
    g_assert_false(is_gone(worker));
    other_kill(&other);
    assert_goes(worker);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "embed") == 0)
        return be_a_worker();
    g_test_init(&argc, &argv, NULL);
#define TEST(name)                                                                                 \
    g_test_add("/local-launcher/" #name, Fixture, NULL, set_up, test_##name, tear_down)
    TEST(a_worker_gets_its_order_and_nothing_on_its_arguments);
    TEST(the_task_is_the_process);
    TEST(a_worker_inherits_nothing_of_ours);
    TEST(signals_are_not_blocked_in_a_worker);
    TEST(every_line_is_heard_in_order);
    TEST(a_line_may_come_in_pieces);
    TEST(garbage_is_passed_over);
    TEST(a_line_that_is_too_long_is_passed_over);
    TEST(the_beginning_of_a_long_line_is_no_event);
    TEST(a_line_without_an_end_is_not_heard);
    TEST(who_never_stops_talking_does_not_hold_us);
    TEST(much_on_stderr_does_not_hold_the_worker);
    TEST(an_exit_status_is_told_with_the_last_words);
    TEST(the_error_is_told_and_not_its_hint);
    TEST(who_ends_without_a_word_has_ended);
    TEST(a_signal_is_named);
    TEST(a_program_that_is_not_there_ends_at_once);
    TEST(who_closes_its_pipes_and_works_on_has_not_ended);
    TEST(who_leaves_children_behind_has_ended);
    TEST(many_work_at_once);
    TEST(stopping_kills_the_worker_and_its_children);
    TEST(who_is_asked_to_stop_may_finish);
    TEST(only_the_named_worker_is_stopped);
    TEST(the_end_of_the_launcher_ends_its_workers);
    TEST(a_stop_is_heard_at_once);
    TEST(without_workers_it_is_quiet);
    TEST(workers_die_with_their_parent);
    return g_test_run();
}
