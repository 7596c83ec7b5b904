#include "progress/pace.h"
#include "run_making.h"

#include <math.h>

#define WINDOW_MS 10000

static void
assert_about(double number, double expected)
{
    if (fabs(number - expected) > 0.01)
        g_error("%g is not %g", number, expected);
}

static void
test_a_rate_needs_a_second(void)
{
    Rate rate = {0};

    g_assert_true(rate_per_second(&rate, WINDOW_MS) < 0);
    rate_look(&rate, 1000, 500);
    g_assert_true(rate_per_second(&rate, WINDOW_MS) < 0);
    rate_look(&rate, 1900, 600);
    g_assert_true(rate_per_second(&rate, WINDOW_MS) < 0);
    rate_look(&rate, 2250, 625);
    assert_about(rate_per_second(&rate, WINDOW_MS), 100);
}

static void
test_a_rate_is_that_of_the_window(void)
{
    Rate rate = {0};

    for (gint64 s = 0; s <= 100; s++)
        rate_look(&rate, 1000 * s, s < 50 ? 0 : (s - 50) * 30);
    assert_about(rate_per_second(&rate, WINDOW_MS), 30);
    assert_about(rate_per_second(&rate, 60000), 25);
}

static void
test_a_standstill_is_a_rate_of_nothing(void)
{
    Rate rate = {0};

    for (gint64 s = 0; s <= 30; s++)
        rate_look(&rate, 1000 * s, MIN(s, 10) * 7);
    assert_about(rate_per_second(&rate, WINDOW_MS), 0);
}

static void
test_a_bot_begun_again_does_not_make_a_rate_negative(void)
{
    Rate rate = {0};

    rate_look(&rate, 0, 0);
    rate_look(&rate, 1000, 100);
    rate_look(&rate, 2000, 20);
    rate_look(&rate, 3000, 120);
    assert_about(rate_per_second(&rate, WINDOW_MS), 200.0 / 3);
}

static void
test_many_looks_keep_the_window(void)
{
    Rate rate = {0};

    for (gint64 ms = 0; ms <= 600000; ms += 10)
        rate_look(&rate, ms, ms / 10);
    assert_about(rate_per_second(&rate, WINDOW_MS), 100);
    assert_about(rate_per_second(&rate, 60000), 100);
}

static void
test_bots_that_are_done_correct_the_plan(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    add_bot(run, "done", BOT_SUCCEEDED, 150, 100);
    add_bot(run, "at work", BOT_RUNNING, 40, 200);
    add_bot(run, "waits", BOT_PENDING, 0, 100);
    assert_about(pace_expected_chunks(run), 150 + 300 + 150);
}

static void
test_kept_and_failed_bots_correct_nothing(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    add_bot(run, "kept", BOT_SUCCEEDED, 5000, -1)->attempts = 0;
    add_bot(run, "failed", BOT_FAILED, 10, 100);
    add_bot(run, "waits", BOT_PENDING, 0, 100);
    assert_about(pace_expected_chunks(run), 5000 + 10 + 100);
}

static void
test_a_bot_of_which_nothing_was_expected_counts_as_a_mean_one(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);

    add_bot(run, "waits", BOT_PENDING, 0, -1);
    g_assert_true(pace_expected_chunks(run) < 0);
    add_bot(run, "done", BOT_SUCCEEDED, 100, -1);
    add_bot(run, "done", BOT_SUCCEEDED, 300, -1);
    assert_about(pace_expected_chunks(run), 600);
}

static void
test_time_left_is_what_is_missing_at_the_rate(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    Rate rate = {0};

    add_bot(run, "done", BOT_SUCCEEDED, 200, 100);
    add_bot(run, "at work", BOT_RUNNING, 100, 100);
    for (gint64 s = 0; s <= 20; s++)
        rate_look(&rate, 1000 * s, 5 * s);
    const Pace pace = pace_of_run(run, &rate);
    assert_about(pace.chunks_per_second, 5);
    assert_about(pace.expected_chunks, 400);
    assert_about(pace.seconds_left, 20);
}

static void
test_time_left_is_unknown_when_nobody_knows(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    Rate still = {0};

    add_bot(run, "at work", BOT_RUNNING, 100, 300);
    g_assert_true(pace_of_run(run, NULL).seconds_left < 0);
    for (gint64 s = 0; s <= 70; s++)
        rate_look(&still, 1000 * s, 100);
    g_assert_true(pace_of_run(run, &still).seconds_left < 0);
    run->worked_ms = 10000;
    assert_about(pace_of_run(run, NULL).seconds_left, 20);

    /* More than expected is there, and it still works. */
    ((BotProgress *) run->bots->pdata[0])->chunks = 301;
    g_assert_true(pace_of_run(run, NULL).seconds_left < 0);
}

static void
test_a_run_that_has_ended_has_no_time_left(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_INTERRUPTED);

    add_bot(run, "waits", BOT_PENDING, 0, 300);
    run->worked_ms = 10000;
    g_assert_true(pace_of_run(run, NULL).seconds_left < 0);
}

static void
test_an_earlier_attempts_chunks_are_no_speed(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    BotProgress *bot = add_bot(run, "resumed", BOT_RUNNING, 1000, 2000);

    add_bot(run, "kept", BOT_SUCCEEDED, 500, -1)->attempts = 0;
    bot->reused = 900;
    bot->started_ms = 50000;
    g_assert_cmpint(pace_embedded_chunks(run), ==, 100);
    assert_about(pace_of_bot(bot, 60000).chunks_per_second, 10);
    assert_about(pace_of_bot(bot, 60000).seconds_left, 100);
}

static void
test_a_bot_that_waits_has_no_pace(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    const BotProgress *bot = add_bot(run, "waits", BOT_PENDING, 0, 10);
    const Pace pace = pace_of_bot(bot, 60000);

    g_assert_true(pace.chunks_per_second < 0);
    g_assert_true(pace.seconds_left < 0);
    assert_about(pace.expected_chunks, 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rate/needs-a-second", test_a_rate_needs_a_second);
    g_test_add_func("/rate/is-that-of-the-window", test_a_rate_is_that_of_the_window);
    g_test_add_func("/rate/a-standstill-is-nothing", test_a_standstill_is_a_rate_of_nothing);
    g_test_add_func(
        "/rate/a-bot-begun-again-does-not-make-it-negative",
        test_a_bot_begun_again_does_not_make_a_rate_negative);
    g_test_add_func("/rate/many-looks-keep-the-window", test_many_looks_keep_the_window);
    g_test_add_func(
        "/pace/bots-that-are-done-correct-the-plan", test_bots_that_are_done_correct_the_plan);
    g_test_add_func(
        "/pace/kept-and-failed-bots-correct-nothing", test_kept_and_failed_bots_correct_nothing);
    g_test_add_func(
        "/pace/a-bot-of-which-nothing-was-expected-counts-as-a-mean-one",
        test_a_bot_of_which_nothing_was_expected_counts_as_a_mean_one);
    g_test_add_func(
        "/pace/time-left-is-what-is-missing-at-the-rate",
        test_time_left_is_what_is_missing_at_the_rate);
    g_test_add_func(
        "/pace/time-left-is-unknown-when-nobody-knows",
        test_time_left_is_unknown_when_nobody_knows);
    g_test_add_func(
        "/pace/a-run-that-has-ended-has-no-time-left", test_a_run_that_has_ended_has_no_time_left);
    g_test_add_func(
        "/pace/an-earlier-attempts-chunks-are-no-speed",
        test_an_earlier_attempts_chunks_are_no_speed);
    g_test_add_func("/pace/a-bot-that-waits-has-no-pace", test_a_bot_that_waits_has_no_pace);
    return g_test_run();
}
