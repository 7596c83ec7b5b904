#include "progress/run_json.h"
#include "run_making.h"

#define NOW_MS 1800000000000

static void
assert_keys(const Json *object, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (json_object_get(object, *keys) == NULL)
            g_error("there is no \"%s\"", *keys);
}

static void
test_has_the_keys_that_machines_rely_on(void)
{
    static const char *const OF_RUN[] = {"run", "kind", "state", "bots", "total", NULL};
    static const char *const OF_BOT[] = {"user", "bot",    "state",  "evidence", "attempts",
                                         "task", "chunks", "reason", NULL};
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    add_bot(run, "Harbour", BOT_PENDING, 0, 10);
    g_autoptr(Json) json = run_to_json(run, NOW_MS);

    assert_keys(json, OF_RUN);
    assert_keys(json_array_get(json_object_get(json, "bots"), 0), OF_BOT);
    g_assert_cmpstr(json_text(json, "run"), ==, "0123456789");
    g_assert_cmpstr(json_text(json, "state"), ==, "running");
}

static void
test_tells_everything_about_a_bot(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_FAILED);
    BotProgress *bot = add_bot(run, "Harbour", BOT_FAILED, 7, 10);
    bot->evidence = EVIDENCE_PROVEN;
    bot->attempts = 3;
    bot->task = g_strdup("process 4711");
    bot->reason = g_strdup("why");
    bot->code = g_strdup("busy");
    bot->tokens = 1000;
    run->usd_per_token = 0.001;
    g_autoptr(Json) json = run_to_json(run, NOW_MS);
    const Json *told = json_array_get(json_object_get(json, "bots"), 0);

    g_assert_cmpstr(json_text(told, "user"), ==, "ana");
    g_assert_cmpstr(json_text(told, "bot"), ==, "bot-0");
    g_assert_cmpstr(json_text(told, "title"), ==, "Harbour");
    g_assert_cmpstr(json_text(told, "state"), ==, "failed");
    g_assert_cmpstr(json_text(told, "evidence"), ==, "proven");
    g_assert_cmpstr(json_text(told, "task"), ==, "process 4711");
    g_assert_cmpstr(json_text(told, "reason"), ==, "why");
    g_assert_cmpint(json_integer_value(json_object_get(told, "attempts")), ==, 3);
    g_assert_cmpint(json_integer_value(json_object_get(told, "chunks")), ==, 7);
    g_assert_cmpfloat(json_real_value(json_object_get(told, "usd")), ==, 1.0);
}

static void
test_what_is_not_known_is_null(void)
{
    static const char *const OF_BOT[] = {
        "evidence", "task",         "reason", "code",         "expected_chunks",   "usd",
        "started",  "expected_usd", "ended",  "seconds_left", "chunks_per_second", NULL};
    static const char *const OF_TOTAL[] = {"usd",          "expected_usd",    "chunks_per_second",
                                           "seconds_left", "expected_chunks", NULL};
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    add_bot(run, "Harbour", BOT_PENDING, 0, -1);
    g_autoptr(Json) json = run_to_json(run, NOW_MS);
    const Json *bot = json_array_get(json_object_get(json, "bots"), 0);

    for (size_t i = 0; OF_BOT[i] != NULL; i++)
        g_assert_true(json_is_null(json_object_get(bot, OF_BOT[i])));
    for (size_t i = 0; OF_TOTAL[i] != NULL; i++)
        g_assert_true(json_is_null(json_object_get(json_object_get(json, "total"), OF_TOTAL[i])));
}

static void
test_totals_are_sums(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_RUNNING);
    add_bot(run, "Done", BOT_SUCCEEDED, 100, 100);
    add_bot(run, "Works", BOT_RUNNING, 20, 100);
    run->worked_ms = 10000;
    run->tokens = 55;
    run->usd = 0.25;
    g_autoptr(Json) json = run_to_json(run, NOW_MS);
    const Json *total = json_object_get(json, "total");
    const Json *states = json_object_get(total, "states");

    g_assert_cmpint(json_integer_value(json_object_get(total, "bots")), ==, 2);
    g_assert_cmpint(json_integer_value(json_object_get(total, "chunks")), ==, 120);
    g_assert_cmpint(json_integer_value(json_object_get(total, "tokens")), ==, 55);
    g_assert_cmpfloat(json_real_value(json_object_get(total, "usd")), ==, 0.25);
    g_assert_cmpfloat(json_real_value(json_object_get(total, "expected_chunks")), ==, 200);
    g_assert_cmpfloat(json_real_value(json_object_get(total, "chunks_per_second")), ==, 12);
    g_assert_cmpint(json_integer_value(json_object_get(states, "succeeded")), ==, 1);
    g_assert_cmpint(json_integer_value(json_object_get(states, "failed")), ==, 0);
}

static void
test_last_words_that_are_no_text_do_not_break_it(void)
{
    g_autoptr(RunProgress) run = new_run(RUN_FAILED);
    add_bot(run, "\xff", BOT_FAILED, 0, 1)->reason = g_strdup("exit status 1: \xfe\xff");
    g_autoptr(Json) json = run_to_json(run, NOW_MS);

    g_assert_nonnull(json_text(json_array_get(json_object_get(json, "bots"), 0), "reason"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/run-json/has-the-keys-that-machines-rely-on", test_has_the_keys_that_machines_rely_on);
    g_test_add_func("/run-json/tells-everything-about-a-bot", test_tells_everything_about_a_bot);
    g_test_add_func("/run-json/what-is-not-known-is-null", test_what_is_not_known_is_null);
    g_test_add_func("/run-json/totals-are-sums", test_totals_are_sums);
    g_test_add_func(
        "/run-json/last-words-that-are-no-text-do-not-break-it",
        test_last_words_that_are_no_text_do_not_break_it);
    return g_test_run();
}
