#include "base/error.h"
#include "other_process.h"
#include "state/ledger.h"
#include "state/meter.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <utime.h>

#define RUN "r1"

typedef struct
{
    char *folder;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    fixture->folder = g_dir_make_tmp("ledger-XXXXXX", &error);
    g_assert_no_error(error);
}

static void
remove_folder(const char *folder)
{
    g_autoptr(GDir) listing = g_dir_open(folder, 0, NULL);
    for (const char *name; listing != NULL && (name = g_dir_read_name(listing)) != NULL;)
    {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_folder(path);
        else
            g_unlink(path);
    }
    g_rmdir(folder);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    (void) data;
    remove_folder(fixture->folder);
    g_free(fixture->folder);
}

static RunProgress *
new_run(void)
{
    RunProgress *run = run_progress_new();
    run->id = g_strdup(RUN);
    run->kind = g_strdup("apply");
    run->store = g_strdup("database \"chat\" at host");
    run->embedder = g_strdup("hashing/words/1024");
    run->expected_usd = 1.5;
    g_ptr_array_add(run->bots, bot_progress_new("ben", "two", "Second"));
    g_ptr_array_add(run->bots, bot_progress_new("ann", "one", "First \"é\""));
    ((BotProgress *) run->bots->pdata[0])->expected_chunks = 40;
    return run;
}

static Ledger *
opened(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    Ledger *ledger = ledger_open(fixture->folder, RUN, &error);
    g_assert_no_error(error);
    return ledger;
}

static void
begin(Ledger *ledger, RunProgress *run)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(ledger_begin(ledger, run, &error));
    g_assert_no_error(error);
}

static Ledger *
begun(const Fixture *fixture)
{
    g_autoptr(RunProgress) run = new_run();
    Ledger *ledger = opened(fixture);
    begin(ledger, run);
    return ledger;
}

static RunProgress *
read_run(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    RunProgress *run = ledger_read(fixture->folder, RUN, &error);
    g_assert_no_error(error);
    return run;
}

static const BotProgress *
bot_of(const RunProgress *run, guint index)
{
    return run->bots->pdata[index];
}

static Intent
intend(Ledger *ledger, const char *user, const char *bot)
{
    g_autoptr(GError) error = NULL;
    Intent intent = {0};
    g_assert_true(ledger_intend(ledger, user, bot, &intent, &error));
    g_assert_no_error(error);
    return intent;
}

static void
update(Ledger *ledger, const BotProgress *bot)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(ledger_update(ledger, bot, &error));
    g_assert_no_error(error);
}

/* --- where --------------------------------------------------------------------------------- */

static void
test_the_setting_names_the_folder(void)
{
    g_autofree char *told = ledger_folder("/some/where");
    g_autofree char *path = ledger_path("/some/where", "r");
    g_autofree char *meter = ledger_meter_path("/some/where", "r");
    g_assert_cmpstr(told, ==, "/some/where");
    g_assert_cmpstr(path, ==, "/some/where/r.db");
    g_assert_cmpstr(meter, ==, "/some/where/r.meter");
}

static void
test_the_folder_is_that_of_states(void)
{
    g_autofree char *expected = g_build_filename(g_get_user_state_dir(), "vecferry", NULL);
    g_autofree char *folder = ledger_folder(NULL);
    g_assert_cmpstr(folder, ==, expected);
}

static void
test_a_new_folder_is_private(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *folder = g_build_filename(fixture->folder, "a", "b", NULL);
    g_autofree char *path = ledger_path(folder, RUN);
    g_autoptr(Ledger) ledger = ledger_open(folder, RUN, NULL);
    struct stat facts;

    g_assert_nonnull(ledger);
    g_assert_cmpint(stat(folder, &facts), ==, 0);
    g_assert_cmpuint(facts.st_mode & 0777, ==, 0700);
    g_assert_cmpint(stat(path, &facts), ==, 0);
    g_assert_cmpuint(facts.st_mode & 0777, ==, 0600);
}

/* --- what it remembers --------------------------------------------------------------------- */

static void
test_a_run_is_read_as_it_began(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) run = read_run(fixture);

    g_assert_cmpstr(run->id, ==, RUN);
    g_assert_cmpstr(run->kind, ==, "apply");
    g_assert_cmpstr(run->store, ==, "database \"chat\" at host");
    g_assert_cmpstr(run->embedder, ==, "hashing/words/1024");
    g_assert_cmpfloat(run->expected_usd, ==, 1.5);
    g_assert_cmpint(run->created_ms, >, 0);
    g_assert_cmpint(run->ended_ms, ==, 0);
    g_assert_cmpuint(run->bots->len, ==, 2);
    g_assert_cmpstr(bot_of(run, 0)->bot, ==, "two"); /* in the plan's order */
    g_assert_cmpint(bot_of(run, 0)->expected_chunks, ==, 40);
    g_assert_cmpstr(bot_of(run, 1)->title, ==, "First \"é\"");
    g_assert_cmpint((int) bot_of(run, 1)->state, ==, BOT_PENDING);
    g_assert_cmpint(bot_of(run, 1)->expected_chunks, ==, -1);
    g_assert_null(bot_of(run, 1)->task);
    g_assert_null(bot_of(run, 1)->reason);
}

static void
test_an_intent_counts_the_attempt_and_names_it(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    const Intent first = intend(ledger, "ann", "one");
    const Intent second = intend(ledger, "ann", "one");
    g_autoptr(RunProgress) run = read_run(fixture);

    g_assert_cmpstr(first.name, ==, "vecferry-" RUN "-1");
    g_assert_cmpstr(second.name, ==, "vecferry-" RUN "-2");
    g_assert_cmpint(bot_of(run, 1)->attempts, ==, 2);
    g_assert_cmpint((int) bot_of(run, 1)->state, ==, BOT_LAUNCHED);
    g_assert_cmpint(bot_of(run, 1)->started_ms, >, 0);
    g_assert_cmpint(bot_of(run, 0)->attempts, ==, 0);
    g_assert_cmpint((int) bot_of(run, 0)->state, ==, BOT_PENDING);
}

static void
test_the_task_is_the_intents(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    const Intent one = intend(ledger, "ann", "one");
    const Intent two = intend(ledger, "ben", "two");

    g_assert_true(ledger_launched(ledger, &two, "process 2", NULL));
    g_assert_true(ledger_launched(ledger, &one, "process 1", NULL));
    g_autoptr(RunProgress) run = read_run(fixture);
    g_assert_cmpstr(bot_of(run, 0)->task, ==, "process 2");
    g_assert_cmpstr(bot_of(run, 1)->task, ==, "process 1");
}

static void
test_everything_of_an_update_is_kept(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) run = new_run();
    BotProgress *bot = run->bots->pdata[1];

    bot->state = BOT_FAILED;
    bot->evidence = EVIDENCE_PROVEN;
    bot->chunks = 10;
    bot->reused = 4;
    bot->tokens = G_MAXINT64;
    bot->code = g_strdup("busy");
    bot->reason = g_strdup("it's 'late'; DROP TABLE bot");
    bot->started_ms = 1;
    bot->ended_ms = 2;
    update(ledger, bot);
    g_autoptr(RunProgress) again = read_run(fixture);
    const BotProgress *read = bot_of(again, 1);
    g_assert_cmpint((int) read->state, ==, BOT_FAILED);
    g_assert_cmpint((int) read->evidence, ==, EVIDENCE_PROVEN);
    g_assert_cmpint(read->chunks, ==, 10);
    g_assert_cmpint(read->reused, ==, 4);
    g_assert_cmpint(read->tokens, ==, G_MAXINT64);
    g_assert_cmpstr(read->code, ==, "busy");
    g_assert_cmpstr(read->reason, ==, bot->reason);
    g_assert_cmpint(read->started_ms, ==, 1);
    g_assert_cmpint(read->ended_ms, ==, 2);
    g_assert_cmpint((int) bot_of(again, 0)->state, ==, BOT_PENDING);
}

static void
test_an_update_leaves_task_attempts_and_title(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) run = new_run();
    BotProgress *bot = run->bots->pdata[1];
    const Intent intent = intend(ledger, "ann", "one");

    ledger_launched(ledger, &intent, "process 1", NULL);
    bot->attempts = 99;
    update(ledger, bot);
    g_autoptr(RunProgress) again = read_run(fixture);
    g_assert_cmpint(bot_of(again, 1)->attempts, ==, 1);
    g_assert_cmpstr(bot_of(again, 1)->task, ==, "process 1");
    g_assert_cmpstr(bot_of(again, 1)->title, ==, "First \"é\"");
}

static void
test_a_new_attempt_forgets_the_old_ones_failure(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) run = new_run();
    BotProgress *bot = run->bots->pdata[1];

    bot->state = BOT_FAILED;
    bot->reason = g_strdup("late");
    bot->ended_ms = 2;
    update(ledger, bot);
    intend(ledger, "ann", "one");
    g_autoptr(RunProgress) again = read_run(fixture);
    g_assert_null(bot_of(again, 1)->reason);
    g_assert_cmpint(bot_of(again, 1)->ended_ms, ==, 0);
}

static void
test_what_was_agreed_is_remembered(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = opened(fixture);
    g_autoptr(GError) error = NULL;
    g_autoptr(RunProgress) run = new_run();

    g_assert_null(ledger_agreed(ledger, &error)); /* there is no run yet */
    g_assert_no_error(error);
    begin(ledger, run);
    g_assert_null(ledger_agreed(ledger, &error));
    g_assert_no_error(error);
    g_assert_true(ledger_agree(ledger, "f00d", &error));
    begin(ledger, run);
    g_autofree char *agreed = ledger_agreed(ledger, &error);
    g_assert_cmpstr(agreed, ==, "f00d");
}

/* --- resuming ------------------------------------------------------------------------------ */

static void
test_a_resume_keeps_attempts_and_spending(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(RunProgress) run = new_run();
    BotProgress *bot = run->bots->pdata[1];
    Ledger *ledger = begun(fixture);

    intend(ledger, "ann", "one");
    intend(ledger, "ann", "one");
    bot->state = BOT_RUNNING;
    bot->chunks = 7;
    bot->tokens = 700;
    update(ledger, bot);
    ledger_close(ledger);

    g_autoptr(Ledger) second = begun(fixture);
    g_autoptr(RunProgress) again = read_run(fixture);
    g_assert_cmpint((int) bot_of(again, 1)->state, ==, BOT_PENDING);
    g_assert_cmpint(bot_of(again, 1)->attempts, ==, 2);
    g_assert_cmpint(bot_of(again, 1)->tokens, ==, 700);
    g_assert_cmpuint(again->bots->len, ==, 2);

    const Intent third = intend(second, "ann", "one");
    g_assert_cmpstr(third.name, ==, "vecferry-" RUN "-3"); /* no name is given twice */
}

static void
test_a_resume_is_the_run_that_began_once(Fixture *fixture, const void *data)
{
    (void) data;
    Ledger *ledger = begun(fixture);
    g_autoptr(RunProgress) before = read_run(fixture);

    ledger_end(ledger, RUN_FAILED, NULL, NULL);
    ledger_close(ledger);
    g_usleep(3000);
    g_autoptr(Ledger) second = begun(fixture);
    g_autoptr(RunProgress) after = read_run(fixture);
    g_assert_cmpint(after->created_ms, ==, before->created_ms);
    g_assert_cmpint((int) after->state, ==, RUN_RUNNING);
    g_assert_cmpint(after->ended_ms, ==, 0);
}

static void
test_what_was_expected_at_first_stays_expected(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) less = new_run();

    less->expected_usd = 0;
    ((BotProgress *) less->bots->pdata[0])->expected_chunks = -1;
    begin(ledger, less);
    g_autoptr(RunProgress) run = read_run(fixture);
    g_assert_cmpfloat(run->expected_usd, ==, 1.5);
    g_assert_cmpint(bot_of(run, 0)->expected_chunks, ==, 40);
}

static void
test_time_is_counted_while_somebody_works(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(RunProgress) run = new_run();
    for (int shift = 0; shift < 2; shift++)
    {
        g_autoptr(Ledger) ledger = begun(fixture);
        g_usleep(30000);
        update(ledger, run->bots->pdata[0]);
        g_usleep(shift == 0 ? 300000 : 0); /* nobody hears of this */
    }
    g_autoptr(RunProgress) again = read_run(fixture);
    g_assert_cmpint(again->worked_ms, >=, 55);
    g_assert_cmpint(again->worked_ms, <, 300);
}

/* --- the states of a run ------------------------------------------------------------------- */

static void
test_who_holds_the_lock_runs(Fixture *fixture, const void *data)
{
    (void) data;
    Ledger *ledger = begun(fixture);
    g_autoptr(RunProgress) running = read_run(fixture);
    ledger_close(ledger);
    g_autoptr(RunProgress) interrupted = read_run(fixture);

    g_assert_cmpint((int) running->state, ==, RUN_RUNNING);
    g_assert_cmpint((int) interrupted->state, ==, RUN_INTERRUPTED);
}

static void
assert_ends_as(const Fixture *fixture, RunState state, bool ended)
{
    g_autoptr(Ledger) ledger = begun(fixture);
    g_assert_true(ledger_end(ledger, state, NULL, NULL));
    g_clear_pointer(&ledger, ledger_close);
    g_autoptr(RunProgress) run = read_run(fixture);
    g_assert_cmpint((int) run->state, ==, (int) state);
    g_assert_true((run->ended_ms > 0) == ended);
}

static void
test_a_run_ends_done_failed_or_interrupted(Fixture *fixture, const void *data)
{
    (void) data;
    assert_ends_as(fixture, RUN_DONE, true);
    assert_ends_as(fixture, RUN_FAILED, true);
    assert_ends_as(fixture, RUN_INTERRUPTED, false);
}

static void
test_what_stopped_a_run_is_known_until_it_begins_again(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_assert_true(ledger_end(ledger, RUN_FAILED, "denied", NULL));
    g_autoptr(RunProgress) stopped = read_run(fixture);
    g_assert_cmpstr(stopped->stop, ==, "denied");

    g_autoptr(RunProgress) again = new_run();
    begin(ledger, again);
    g_autoptr(RunProgress) resumed = read_run(fixture);
    g_assert_null(resumed->stop);
    g_assert_true(ledger_end(ledger, RUN_FAILED, NULL, NULL));
    g_autoptr(RunProgress) ended = read_run(fixture);
    g_assert_null(ended->stop);
}

static void
test_a_done_run_stays_done_while_somebody_looks(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    ledger_end(ledger, RUN_DONE, NULL, NULL);
    g_autoptr(RunProgress) run = read_run(fixture);
    g_assert_cmpint((int) run->state, ==, RUN_DONE);
}

static void
test_spending_is_the_meters(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autofree char *path = ledger_meter_path(fixture->folder, RUN);
    const MeterLimits limits = {.usd_per_token = 0.5, .max_usd = -1};
    g_autoptr(RunProgress) before = read_run(fixture);
    g_autoptr(Meter) meter = meter_open(path, &limits, NULL);
    gint64 ticket = 0;

    g_assert_cmpfloat(before->usd, <, 0);
    g_assert_true(meter_reserve(meter, 4, 4, NULL, &ticket, NULL));
    g_assert_true(meter_settle(meter, ticket, 3, NULL));
    g_autoptr(RunProgress) after = read_run(fixture);
    g_assert_cmpfloat(after->usd, ==, 1.5);
    g_assert_cmpint(after->tokens, ==, 3);
}

/* --- other processes ----------------------------------------------------------------------- */

static int
hold_ledger(const OtherSide *side, void *data)
{
    g_autoptr(Ledger) ledger = begun(data);
    other_ready(side);
    other_wait(side);
    return 0;
}

static void
test_only_one_process_works_at_a_run(Fixture *fixture, const void *data)
{
    (void) data;
    const OtherProcess other = other_start(hold_ledger, fixture);
    g_autoptr(GError) error = NULL;

    other_await(&other);
    g_assert_null(ledger_open(fixture->folder, RUN, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    g_assert_cmpstr(
        error->message, ==,
        "another vecferry works at run " RUN "\nlook at it with `vecferry status " RUN " --watch`");
    g_autoptr(Ledger) another = ledger_open(fixture->folder, "r2", NULL);
    g_assert_nonnull(another);

    g_autoptr(RunProgress) running = read_run(fixture);
    g_assert_cmpint((int) running->state, ==, RUN_RUNNING);
    g_assert_cmpint(other_end(&other), ==, 0);
    g_autoptr(Ledger) ledger = opened(fixture);
}

static void
test_a_killed_holder_leaves_an_interrupted_run(Fixture *fixture, const void *data)
{
    (void) data;
    const OtherProcess other = other_start(hold_ledger, fixture);
    other_await(&other);
    other_kill(&other);

    g_autoptr(RunProgress) run = read_run(fixture);
    g_assert_cmpint((int) run->state, ==, RUN_INTERRUPTED);
    g_assert_cmpuint(run->bots->len, ==, 2);
    g_autoptr(Ledger) ledger = opened(fixture);
}

static int
look_often(const OtherSide *side, void *data)
{
    other_ready(side);
    for (int i = 0; i < 200; i++)
    {
        g_autoptr(RunProgress) run = read_run(data);
        if (run->bots->len != 2)
            return 1;
    }
    return 0;
}

/* `status --watch` must never be the reason that a run cannot go on. */
static void
test_lookers_do_not_disturb(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(RunProgress) run = new_run();
    ledger_close(begun(fixture));
    const OtherProcess other = other_start(look_often, fixture);

    other_await(&other);
    for (int i = 0; i < 20; i++)
    {
        g_autoptr(Ledger) ledger = begun(fixture);
        update(ledger, run->bots->pdata[0]);
    }
    g_assert_cmpint(other_end(&other), ==, 0);
}

/* --- several runs -------------------------------------------------------------------------- */

static void
set_time(const char *folder, const char *run, const char *ending, time_t when)
{
    g_autofree char *path = g_strconcat(folder, "/", run, ending, NULL);
    const struct utimbuf times = {when, when};
    g_assert_cmpint(utime(path, &times), ==, 0);
}

static void
test_the_latest_run_comes_first(Fixture *fixture, const void *data)
{
    (void) data;
    static const char *const RUNS[] = {"a", "b", "c"};
    static const time_t TIMES[] = {1000, 3000, 2000};

    for (int i = 0; i < 3; i++)
    {
        ledger_close(ledger_open(fixture->folder, RUNS[i], NULL));
        set_time(fixture->folder, RUNS[i], ".lock", TIMES[i]);
    }
    g_autofree char *other = g_build_filename(fixture->folder, "notes.txt", NULL);
    g_file_set_contents(other, "x", -1, NULL);
    g_auto(GStrv) runs = ledger_runs(fixture->folder);
    g_autofree char *joined = g_strjoinv(" ", runs);
    g_assert_cmpstr(joined, ==, "b c a");
}

static void
test_where_no_run_was_there_is_none(Fixture *fixture, const void *data)
{
    (void) data;
    g_auto(GStrv) empty = ledger_runs(fixture->folder);
    g_auto(GStrv) nowhere = ledger_runs("/nowhere/at/all");
    g_assert_null(empty[0]);
    g_assert_null(nowhere[0]);
}

/* --- what goes wrong ----------------------------------------------------------------------- */

static void
test_a_run_nobody_knows_is_wrong_usage(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_assert_null(ledger_read(fixture->folder, "nope", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "there is no run \"nope\" in "));
}

static void
test_a_run_that_did_not_begin_is_an_error(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    ledger_close(opened(fixture));
    g_assert_null(ledger_read(fixture->folder, RUN, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "the run was planned, but never begun");
}

static void
test_a_folder_that_is_not_utf8_is_wrong_usage(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_strconcat(fixture->folder, "/\xff", NULL);
    g_assert_null(ledger_open(folder, RUN, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
}

/* Its maker was killed before the first table. */
static void
test_an_empty_ledger_is_a_run_that_did_not_begin(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = ledger_path(fixture->folder, RUN);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
    g_assert_null(ledger_read(fixture->folder, RUN, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "the run was planned, but never begun");
}

static void
test_a_folder_that_cannot_be_made_is_named(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *file = g_build_filename(fixture->folder, "file", NULL);
    g_autofree char *folder = g_build_filename(file, "state", NULL);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(file, "x", -1, NULL);
    g_assert_null(ledger_open(folder, RUN, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, folder));
    g_assert_true(g_str_has_suffix(error->message, "\nchoose another folder with --state"));
}

/* Neither opening nor reading may end the program, and each must say what is wrong where. */
static void
assert_reports(const Fixture *fixture, const char *why)
{
    g_autoptr(GError) open_error = NULL;
    g_autoptr(GError) read_error = NULL;
    g_autofree char *path = ledger_path(fixture->folder, RUN);

    g_autoptr(RunProgress) run = ledger_read(fixture->folder, RUN, &read_error);
    g_assert_null(run);
    g_assert_nonnull(read_error);
    g_assert_nonnull(strstr(read_error->message, path));
    g_autoptr(Ledger) ledger = ledger_open(fixture->folder, RUN, &open_error);
    if (ledger != NULL || strstr(open_error->message, path) == NULL)
        g_error("a ledger that is %s was opened", why);
}

static void
test_a_ledger_of_garbage_is_an_error(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *path = ledger_path(fixture->folder, RUN);
    g_autofree char *garbage = g_strnfill(20000, 'g');
    g_file_set_contents(path, garbage, -1, NULL);
    assert_reports(fixture, "garbage");
}

static void
test_a_ledger_that_is_a_folder_is_an_error(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *path = ledger_path(fixture->folder, RUN);
    g_mkdir(path, 0700);
    assert_reports(fixture, "a folder");
}

static void
test_a_corrupt_ledger_is_an_error(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *path = ledger_path(fixture->folder, RUN);
    g_autofree char *bytes = NULL;
    gsize length = 0;

    ledger_close(begun(fixture));
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    memset(bytes + 100, 0xa5, length - 100); /* all but the header */
    g_assert_true(g_file_set_contents(path, bytes, (gssize) length, NULL));
    assert_reports(fixture, "corrupt");
}

/* Whatever is cut off, there is an answer: the run, or an error. */
static void
test_a_truncated_ledger_does_no_harm(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *path = ledger_path(fixture->folder, RUN);
    g_autofree char *bytes = NULL;
    gsize length = 0;
    guint errors = 0;

    ledger_close(begun(fixture));
    g_assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    for (gsize cut = 0; cut < length; cut += 509)
    {
        g_autoptr(GError) error = NULL;
        g_assert_true(g_file_set_contents(path, bytes, (gssize) cut, NULL));
        g_autoptr(RunProgress) run = ledger_read(fixture->folder, RUN, &error);
        g_assert_true((run == NULL) == (error != NULL));
        errors += run == NULL ? 1 : 0;

        g_clear_error(&error);
        g_autoptr(Ledger) ledger = ledger_open(fixture->folder, RUN, &error);
        g_assert_true((ledger == NULL) == (error != NULL));
        g_clear_error(&error);
        g_autoptr(RunProgress) new = new_run();
        if (ledger != NULL && !ledger_begin(ledger, new, &error))
            g_assert_nonnull(error);
        g_clear_pointer(&ledger, ledger_close);
        for (int i = 0; i < 2; i++)
        {
            g_autofree char *log = g_strconcat(path, i == 0 ? "-wal" : "-shm", NULL);
            g_unlink(log);
        }
    }
    g_assert_cmpuint(errors, >, length / 509 / 2);
}

static int
fill_disk(const OtherSide *side, void *data)
{
    g_autoptr(Ledger) ledger = begun(data);
    g_autoptr(GError) error = NULL;
    /* No file grows beyond this, as on a full disk. */
    const struct rlimit limit = {512 * 1024, 512 * 1024};
    (void) side;

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 1000 && error == NULL; i++)
    {
        Intent intent = {0};
        ledger_intend(ledger, "ann", "one", &intent, &error);
    }
    return error != NULL && strstr(error->message, "\nmake room on the disk") != NULL ? 0 : 1;
}

static void
test_a_full_disk_is_an_error_with_a_remedy(Fixture *fixture, const void *data)
{
    (void) data;
    const OtherProcess other = other_start(fill_disk, fixture);
    g_assert_cmpint(other_end(&other), ==, 0);

    /* Nothing is lost, and there is room again. */
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) run = read_run(fixture);
    g_assert_cmpint(bot_of(run, 1)->attempts, >, 0);
    const Intent next = intend(ledger, "ann", "one");
    g_autofree char *expected =
        g_strdup_printf("vecferry-" RUN "-%d", bot_of(run, 1)->attempts + 1);
    g_assert_cmpstr(next.name, ==, expected);
}

/* --- what it costs --------------------------------------------------------------------------- */

static guint32
big_endian(const char *bytes)
{
    guint32 number = 0;
    memcpy(&number, bytes, sizeof number);
    return GUINT32_FROM_BE(number);
}

/* Transactions in the write-ahead log: a frame that ends one tells the file's size (sqlite.org,
 * fileformat2.html, "WAL Frame Header"). */
static guint
transactions(const Fixture *fixture)
{
    g_autofree char *path = ledger_path(fixture->folder, RUN);
    g_autofree char *log = g_strconcat(path, "-wal", NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    gsize length = 0;
    guint count = 0;

    g_file_get_contents(log, &bytes, &length, &error);
    g_assert_no_error(error);
    const gsize page = big_endian(bytes + 8);
    for (gsize at = 32; at + 24 + page <= length; at += 24 + page)
        count += big_endian(bytes + at + 4) == 0 ? 0 : 1;
    return count;
}

static void
test_every_change_waits_for_the_disk_once(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Ledger) ledger = begun(fixture);
    g_autoptr(RunProgress) run = new_run();

    const guint before = transactions(fixture);
    const Intent intent = intend(ledger, "ann", "one");
    g_assert_cmpuint(transactions(fixture), ==, before + 1);
    g_assert_true(ledger_launched(ledger, &intent, "process 1", NULL));
    g_assert_cmpuint(transactions(fixture), ==, before + 2);
    BotProgress *bot = run->bots->pdata[0];
    bot->chunks++; /* what changes nothing is not written */
    update(ledger, bot);
    g_assert_cmpuint(transactions(fixture), ==, before + 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define PLAIN(name) g_test_add_func("/ledger/" #name, test_##name)
#define TEST(name) g_test_add("/ledger/" #name, Fixture, NULL, set_up, test_##name, tear_down)
    PLAIN(the_setting_names_the_folder);
    PLAIN(the_folder_is_that_of_states);
    TEST(a_new_folder_is_private);
    TEST(a_run_is_read_as_it_began);
    TEST(an_intent_counts_the_attempt_and_names_it);
    TEST(the_task_is_the_intents);
    TEST(everything_of_an_update_is_kept);
    TEST(an_update_leaves_task_attempts_and_title);
    TEST(a_new_attempt_forgets_the_old_ones_failure);
    TEST(what_was_agreed_is_remembered);
    TEST(a_resume_keeps_attempts_and_spending);
    TEST(a_resume_is_the_run_that_began_once);
    TEST(what_was_expected_at_first_stays_expected);
    TEST(time_is_counted_while_somebody_works);
    TEST(who_holds_the_lock_runs);
    TEST(a_run_ends_done_failed_or_interrupted);
    TEST(what_stopped_a_run_is_known_until_it_begins_again);
    TEST(a_done_run_stays_done_while_somebody_looks);
    TEST(spending_is_the_meters);
    TEST(only_one_process_works_at_a_run);
    TEST(a_killed_holder_leaves_an_interrupted_run);
    TEST(lookers_do_not_disturb);
    TEST(the_latest_run_comes_first);
    TEST(where_no_run_was_there_is_none);
    TEST(a_run_nobody_knows_is_wrong_usage);
    TEST(a_run_that_did_not_begin_is_an_error);
    TEST(a_folder_that_is_not_utf8_is_wrong_usage);
    TEST(an_empty_ledger_is_a_run_that_did_not_begin);
    TEST(a_folder_that_cannot_be_made_is_named);
    TEST(a_ledger_of_garbage_is_an_error);
    TEST(a_ledger_that_is_a_folder_is_an_error);
    TEST(a_corrupt_ledger_is_an_error);
    TEST(a_truncated_ledger_does_no_harm);
    TEST(a_full_disk_is_an_error_with_a_remedy);
    TEST(every_change_waits_for_the_disk_once);
    return g_test_run();
}
