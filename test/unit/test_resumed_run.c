#include "base/error.h"
#include "run_making.h"
#include "state/ledger.h"

#include <glib/gstdio.h>

#define RUN "0123456789"

typedef struct
{
    char *folder;
} Place;

static void
place_set_up(Place *place, const void *data)
{
    g_autoptr(GError) error = NULL;
    (void) data;
    place->folder = g_dir_make_tmp("vecferry-ledger-XXXXXX", &error);
    g_assert_no_error(error);
}

static void
place_tear_down(Place *place, const void *data)
{
    (void) data;
    g_autoptr(GDir) files = g_dir_open(place->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(files)) != NULL;)
    {
        g_autofree char *path = g_build_filename(place->folder, name, NULL);
        g_remove(path);
    }
    g_rmdir(place->folder);
    g_free(place->folder);
}

static Ledger *
begin(const Place *place, RunProgress *run)
{
    g_autoptr(GError) error = NULL;
    Ledger *ledger = ledger_open(place->folder, RUN, &error);
    g_assert_no_error(error);
    ledger_begin(ledger, run, &error);
    g_assert_no_error(error);
    return ledger;
}

static RunProgress *
look(const Place *place)
{
    g_autoptr(GError) error = NULL;
    RunProgress *run = ledger_read(place->folder, RUN, &error);
    g_assert_no_error(error);
    return run;
}

/* A first shift in which one bot was at work, and that ended without a word. */
static void
work_and_die(const Place *place)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    BotProgress *bot = add_bot(run, "Harbour", BOT_PENDING, 0, 100);
    Intent intent = {0};

    add_bot(run, "Lighthouse", BOT_PENDING, 0, 50);
    run->expected_usd = 3;
    g_autoptr(Ledger) ledger = begin(place, run);
    ledger_intend(ledger, bot->user, bot->bot, &intent, &error);
    g_assert_no_error(error);
    bot->state = BOT_RUNNING;
    bot->chunks = 40;
    bot->tokens = 4000;
    ledger_update(ledger, bot, &error);
    g_assert_no_error(error);
}

static void
test_a_running_run_is_seen_from_outside(Place *place, const void *data)
{
    (void) data;
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    add_bot(run, "Harbour", BOT_PENDING, 0, 100)->expected_usd = 0.5;
    run->usd_per_token = 0.001;
    g_autoptr(Ledger) ledger = begin(place, run);
    g_autoptr(RunProgress) seen = look(place);

    g_assert_cmpint(seen->state, ==, RUN_RUNNING);
    g_assert_cmpfloat(seen->usd_per_token, ==, 0.001);
    g_assert_cmpfloat(((BotProgress *) seen->bots->pdata[0])->expected_usd, ==, 0.5);
}

static void
test_nobody_works_at_an_interrupted_run(Place *place, const void *data)
{
    (void) data;
    work_and_die(place);
    g_autoptr(RunProgress) seen = look(place);

    g_assert_cmpint(seen->state, ==, RUN_INTERRUPTED);
    g_assert_cmpuint(run_progress_count(seen, BOT_RUNNING), ==, 0);
    g_assert_cmpuint(run_progress_count(seen, BOT_PENDING), ==, 2);
}

static void
test_a_resume_knows_what_was_spent(Place *place, const void *data)
{
    (void) data;
    work_and_die(place);
    g_autoptr(RunProgress) again = new_run(RUN_RUNNING);
    BotProgress *bot = add_bot(again, "Harbour", BOT_PENDING, 0, 60);
    bot->attempts = 0;
    g_autoptr(Ledger) ledger = begin(place, again);

    g_assert_cmpint(bot->attempts, ==, 1);
    g_assert_cmpint(bot->tokens, ==, 4000);
    g_assert_cmpint(bot->expected_chunks, ==, 100);
    g_assert_cmpfloat(again->expected_usd, ==, 3);
}

static void
test_a_bot_that_left_is_no_longer_in_the_run(Place *place, const void *data)
{
    (void) data;
    work_and_die(place);
    g_autoptr(RunProgress) again = new_run(RUN_RUNNING);
    add_bot(again, "Harbour", BOT_PENDING, 0, 60);
    g_autoptr(Ledger) ledger = begin(place, again);
    g_autoptr(RunProgress) seen = look(place);

    g_assert_cmpuint(seen->bots->len, ==, 1);
}

static void
test_looking_at_an_old_run_does_not_make_it_the_latest(Place *place, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    work_and_die(place);
    g_usleep(20000);
    g_autoptr(Ledger) newer = ledger_open(place->folder, "newer", &error);
    g_assert_no_error(error);
    g_free(run->id);
    run->id = g_strdup("newer");
    ledger_begin(newer, run, &error);
    g_assert_no_error(error);
    g_clear_pointer(&newer, ledger_close);

    g_usleep(20000);
    g_autoptr(RunProgress) seen = look(place);
    g_auto(GStrv) runs = ledger_runs(place->folder);
    g_assert_cmpstr(runs[0], ==, "newer");
}

static void
test_a_run_nobody_agreed_to_was_never_begun(Place *place, const void *data)
{
    (void) data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Ledger) ledger = ledger_open(place->folder, RUN, &error);
    g_assert_no_error(error);
    g_autoptr(RunProgress) seen = ledger_read(place->folder, RUN, &error);

    g_assert_null(seen);
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
add(const char *path, void (*test)(Place *, const void *))
{
    g_test_add(path, Place, NULL, place_set_up, test, place_tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/resumed-run/a-running-run-is-seen-from-outside", test_a_running_run_is_seen_from_outside);
    add("/resumed-run/nobody-works-at-an-interrupted-run", test_nobody_works_at_an_interrupted_run);
    add("/resumed-run/a-resume-knows-what-was-spent", test_a_resume_knows_what_was_spent);
    add("/resumed-run/a-bot-that-left-is-no-longer-in-the-run",
        test_a_bot_that_left_is_no_longer_in_the_run);
    add("/resumed-run/looking-at-an-old-run-does-not-make-it-the-latest",
        test_looking_at_an_old_run_does_not_make_it_the_latest);
    add("/resumed-run/a-run-nobody-agreed-to-was-never-begun",
        test_a_run_nobody_agreed_to_was_never_begun);
    return g_test_run();
}
