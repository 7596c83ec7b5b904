#include "model/run.h"

static void
test_states_of_bots_have_names_that_lead_back(void)
{
    static const char *const NAMES[] = {"pending",   "launched", "running",
                                        "succeeded", "failed",   "skipped"};
    for (guint i = 0; i < G_N_ELEMENTS(NAMES); i++)
    {
        g_assert_cmpstr(bot_state_name((BotState) i), ==, NAMES[i]);
        g_assert_cmpint((int) bot_state_from_name(NAMES[i]), ==, (int) i);
    }
    g_assert_cmpint((int) bot_state_from_name("dreaming"), ==, BOT_PENDING);
    g_assert_cmpint((int) bot_state_from_name(NULL), ==, BOT_PENDING);
}

static void
test_three_states_are_final(void)
{
    for (int state = BOT_PENDING; state <= BOT_SKIPPED; state++)
        g_assert_true(bot_state_is_final((BotState) state) == (state >= BOT_SUCCEEDED));
}

static void
test_states_of_runs_have_names(void)
{
    g_assert_cmpstr(run_state_name(RUN_RUNNING), ==, "running");
    g_assert_cmpstr(run_state_name(RUN_INTERRUPTED), ==, "interrupted");
    g_assert_cmpstr(run_state_name(RUN_DONE), ==, "done");
    g_assert_cmpstr(run_state_name(RUN_FAILED), ==, "failed");
}

static void
test_evidence_has_a_name_unless_there_is_none(void)
{
    g_assert_null(evidence_name(EVIDENCE_NONE));
    g_assert_cmpint((int) evidence_from_name("proven"), ==, EVIDENCE_PROVEN);
    g_assert_cmpint((int) evidence_from_name("reported"), ==, EVIDENCE_REPORTED);
    g_assert_cmpint((int) evidence_from_name("rumoured"), ==, EVIDENCE_NONE);
    g_assert_cmpint((int) evidence_from_name(NULL), ==, EVIDENCE_NONE);
    g_assert_cmpstr(evidence_name(EVIDENCE_PROVEN), ==, "proven");
    g_assert_cmpstr(evidence_name(EVIDENCE_REPORTED), ==, "reported");
}

static void
test_a_reason_is_one_line(void)
{
    BotProgress *bot = bot_progress_new("ann", "bot", "title");

    bot_progress_set_reason(bot, "denied", "the server answered 401\nlook at the key");
    g_assert_cmpstr(bot->code, ==, "denied");
    g_assert_cmpstr(bot->reason, ==, "the server answered 401; look at the key");
    bot_progress_set_reason(bot, NULL, NULL);
    g_assert_null(bot->code);
    g_assert_null(bot->reason);
    bot_progress_free(bot);
}

static void
test_what_is_not_known_is_negative(void)
{
    g_autoptr(RunProgress) run = run_progress_new();
    BotProgress *bot = bot_progress_new("ann", "bot", "title");

    g_assert_cmpfloat(run->usd, <, 0);
    g_assert_cmpfloat(run->expected_usd, <, 0);
    g_assert_cmpint(bot->expected_chunks, ==, -1);
    g_assert_cmpint((int) bot->state, ==, BOT_PENDING);
    g_assert_cmpint((int) bot->evidence, ==, EVIDENCE_NONE);
    bot_progress_free(bot);
    bot_progress_free(NULL);
    run_progress_free(NULL);
}

static void
test_counts_the_bots_of_a_state(void)
{
    g_autoptr(RunProgress) run = run_progress_new();
    for (int i = 0; i < 5; i++)
    {
        BotProgress *bot = bot_progress_new("ann", "bot", "title");
        bot->state = i < 2 ? BOT_SUCCEEDED : BOT_FAILED;
        g_ptr_array_add(run->bots, bot);
    }
    g_assert_cmpuint(run_progress_count(run, BOT_SUCCEEDED), ==, 2);
    g_assert_cmpuint(run_progress_count(run, BOT_FAILED), ==, 3);
    g_assert_cmpuint(run_progress_count(run, BOT_PENDING), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/run/" #name, test_##name)
    TEST(states_of_bots_have_names_that_lead_back);
    TEST(three_states_are_final);
    TEST(states_of_runs_have_names);
    TEST(evidence_has_a_name_unless_there_is_none);
    TEST(a_reason_is_one_line);
    TEST(what_is_not_known_is_negative);
    TEST(counts_the_bots_of_a_state);
    return g_test_run();
}
