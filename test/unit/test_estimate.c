#include "plan/estimate.h"
#include "plan/prices.h"

static const EstimateRules RULES = {
    .usd_per_token = 2e-8,
    .call_seconds = 0.5,
    .max_texts = 10,
    .calls_in_flight = 4,
    .workers = 2,
};

#define ASSERT_NEAR(value, expected) g_assert_cmpfloat_with_epsilon(value, expected, 1e-9)

static void
assert_grows(Estimate estimate)
{
    g_assert_cmpfloat(estimate.low, >=, 0);
    g_assert_cmpfloat(estimate.low, <=, estimate.expected);
    g_assert_cmpfloat(estimate.expected, <=, estimate.high);
}

static void
assert_equal(Estimate estimate, double low, double expected, double high)
{
    ASSERT_NEAR(estimate.low, low);
    ASSERT_NEAR(estimate.expected, expected);
    ASSERT_NEAR(estimate.high, high);
}

/* --- characters ---------------------------------------------------------------------------- */

static void
test_low_is_never_above_expected_nor_expected_above_high(void)
{
    static const char *const NAMES[] = {"a.txt", "a.text", "a.md",    "a.csv", "a.html", "a.htm",
                                        "a.pdf", "a.docx", "a.xhtml", "a.bin", "a",      ""};
    static const gint64 SIZES[] = {-1, 0, 1, 999, 1000000, 52428800, G_MAXINT64};
    static const int CUTS[][2] = {{1000, 200}, {1, 0}, {10, 10}, {100000, 0}, {500, 499}};
    static const double TOLD[] = {0, 1.4, 4.3};

    for (guint n = 0; n < G_N_ELEMENTS(NAMES); n++)
        for (guint s = 0; s < G_N_ELEMENTS(SIZES); s++)
            for (guint c = 0; c < G_N_ELEMENTS(CUTS); c++)
                for (guint t = 0; t < G_N_ELEMENTS(TOLD); t++)
                {
                    EstimateRules rules = RULES;
                    PlannedBot *bot = planned_bot_new("ann", "bot", "");
                    rules.characters_per_token = rules.characters_per_byte[FORM_TEXT] = TOLD[t];
                    const Estimate characters = estimate_characters(
                        NAMES[n], n % 2 == 0 ? SOURCE_FILE : SOURCE_URL, SIZES[s], &rules);

                    estimate_bot(bot, characters, CUTS[c][0], CUTS[c][1], &rules);
                    assert_grows(characters);
                    assert_grows(bot->chunks);
                    assert_grows(bot->tokens);
                    assert_grows(bot->usd);
                    assert_grows(bot->seconds);
                    planned_bot_free(bot);
                }
}

static void
test_text_has_at_most_a_character_a_byte(void)
{
    assert_equal(estimate_characters("a.txt", SOURCE_FILE, 1000, &RULES), 330, 950, 1000);
    assert_equal(estimate_characters("A.TXT", SOURCE_FILE, 1000, &RULES), 330, 950, 1000);
    assert_equal(estimate_characters("dir.pdf/a.md", SOURCE_FILE, 1000, &RULES), 330, 950, 1000);
}

static void
test_the_kind_is_told_by_the_ending(void)
{
    assert_equal(estimate_characters("a.pdf", SOURCE_FILE, 1000, &RULES), 5, 200, 1500);
    assert_equal(estimate_characters("a.docx", SOURCE_FILE, 1000, &RULES), 20, 1000, 8000);
    assert_equal(estimate_characters("pdf", SOURCE_FILE, 1000, &RULES), 10, 500, 2000);
    assert_equal(estimate_characters("https://x/page", SOURCE_URL, 1000, &RULES), 100, 600, 950);
    assert_equal(estimate_characters("https://x/a.pdf", SOURCE_URL, 1000, &RULES), 5, 200, 1500);
}

static void
test_a_page_of_unknown_size_is_a_page(void)
{
    assert_equal(estimate_characters("https://x/", SOURCE_URL, -1, &RULES), 500, 5000, 100000);
}

static void
test_told_characters_per_byte_narrow_the_range(void)
{
    EstimateRules told = RULES;
    told.characters_per_byte[FORM_PDF] = 0.05;
    assert_equal(estimate_characters("a.pdf", SOURCE_FILE, 1000, &told), 45, 50, 55);
    assert_equal(estimate_characters("a.txt", SOURCE_FILE, 1000, &told), 330, 950, 1000);
    told.characters_per_byte[FORM_HTML] = 0.2;
    assert_equal(estimate_characters("https://x/page", SOURCE_URL, 1000, &told), 180, 200, 220);
}

static void
test_nothing_has_no_characters(void)
{
    assert_equal(estimate_characters("a.txt", SOURCE_FILE, 0, &RULES), 0, 0, 0);
}

/* --- a bot --------------------------------------------------------------------------------- */

static PlannedBot *
estimated(double characters, const EstimateRules *rules)
{
    PlannedBot *bot = planned_bot_new("ann", "bot", "");
    bot->action = ACTION_EMBED;
    estimate_bot(bot, (Estimate){characters, characters, characters}, 1000, 200, rules);
    return bot;
}

/* Each chunk brings 800 new characters; 5 % more of them are lost where it is cut. */
static void
test_chunks_follow_from_size_and_overlap(void)
{
    PlannedBot *bot = estimated(80000, &RULES);
    assert_equal(bot->chunks, 80, 105, 120);
    planned_bot_free(bot);
}

static void
test_told_characters_per_token_narrow_the_range(void)
{
    EstimateRules told = RULES;
    told.characters_per_token = 4;
    PlannedBot *guess = estimated(80000, &RULES);
    PlannedBot *bot = estimated(80000, &told);

    assert_equal(guess->tokens, 16000, 80000 * 1.15 / 3.5, 80000 * 1.15 * 1.1 / 1.4);
    assert_equal(bot->tokens, 80000 / 4.4, 23000, 80000 * 1.15 * 1.1 / 3.6);
    g_assert_cmpfloat(
        bot->tokens.high - bot->tokens.low, <, guess->tokens.high - guess->tokens.low);
    planned_bot_free(guess);
    planned_bot_free(bot);
}

static void
test_told_growth_lengthens_the_chunks(void)
{
    EstimateRules rules = RULES;
    rules.characters_per_token = 4;
    rules.overlap_growth = 1.5;
    PlannedBot *bot = estimated(80000, &rules);
    assert_equal(bot->tokens, 80000 / 4.4, 30000, 80000 * 1.5 * 1.1 / 3.6);
    planned_bot_free(bot);

    rules.overlap_growth = 0.5; /* no overlap makes a text shorter */
    bot = estimated(80000, &rules);
    assert_equal(bot->tokens, 80000 / 4.4, 20000, 80000 * 1.25 / 3.6);
    planned_bot_free(bot);
}

/* 80, 105 or 120 chunks, each with its prefix. */
static void
test_a_prefix_is_billed_with_each_chunk(void)
{
    EstimateRules rules = RULES;
    rules.characters_per_token = 4;
    rules.prefix_characters = 40;
    PlannedBot *bot = estimated(80000, &rules);
    assert_equal(
        bot->tokens, (80000 + 80 * 40) / 4.4, 23000 + 105 * 10,
        (80000 * 1.15 * 1.1 + 120 * 40) / 3.6);
    planned_bot_free(bot);
}

/* Ten million characters without spaces, each chunk one character farther than the last. */
static void
test_the_high_figure_knows_of_texts_without_spaces(void)
{
    PlannedBot *bot = planned_bot_new("ann", "bot", "");
    const Estimate characters = {10e6, 10e6, 10e6};
    estimate_bot(bot, characters, 1000, 1000, &RULES);
    g_assert_cmpfloat(bot->chunks.high, >=, 10e6);
    g_assert_cmpfloat(bot->tokens.high, >=, 1000 * 10e6 / 1.4);
    g_assert_cmpfloat(bot->chunks.expected, <, 100000);
    estimate_bot(bot, characters, 1000, 990, &RULES);
    g_assert_cmpfloat(bot->chunks.high, >=, 1e6);
    g_assert_cmpfloat(bot->chunks.high, <, 2e6);
    planned_bot_free(bot);
}

static void
test_money_is_tokens_times_price(void)
{
    PlannedBot *bot = estimated(80000, &RULES);
    ASSERT_NEAR(bot->usd.low, bot->tokens.low * 2e-8);
    ASSERT_NEAR(bot->usd.expected, bot->tokens.expected * 2e-8);
    ASSERT_NEAR(bot->usd.high, bot->tokens.high * 2e-8);
    planned_bot_free(bot);
}

static void
test_what_costs_nothing_is_not_what_nobody_knows(void)
{
    EstimateRules rules = RULES;
    rules.usd_per_token = 0;
    PlannedBot *bot = estimated(80000, &rules);
    assert_equal(bot->usd, 0, 0, 0);
    planned_bot_free(bot);

    rules.usd_per_token = -1;
    bot = estimated(80000, &rules);
    assert_equal(bot->usd, -1, -1, -1);
    planned_bot_free(bot);
}

/* 105 chunks are 11 calls of half a second, four at a time; one worker starts in 0.1 s. */
static void
test_time_is_calls_in_flight(void)
{
    PlannedBot *bot = estimated(80000, &RULES);
    ASSERT_NEAR(bot->seconds.expected, 0.1 + 11 * 0.5 / 4);
    planned_bot_free(bot);
}

static void
test_extraction_takes_time_where_calls_do_not(void)
{
    EstimateRules rules = RULES;
    rules.call_seconds = 0;
    PlannedBot *bot = estimated(10e6, &rules);
    ASSERT_NEAR(bot->seconds.expected, 0.1 + 7);
    planned_bot_free(bot);
}

/* One that is blocked is not read. */
static void
test_many_small_documents_take_their_time(void)
{
    EstimateRules rules = RULES;
    rules.document_seconds = (Estimate){0.01, 0.03, 0.1};
    PlannedBot *bot = planned_bot_new("ann", "bot", "");
    for (int i = 0; i < 101; i++)
        g_ptr_array_add(
            bot->sources, planned_source_new("a", i == 0 ? ACTION_BLOCKED : ACTION_EMBED, NULL));
    estimate_bot(bot, (Estimate){0, 0, 0}, 1000, 200, &rules);
    assert_equal(bot->seconds, 0.1 + 1, 0.1 + 3, 0.1 + 10);
    planned_bot_free(bot);
}

static void
test_nothing_to_embed_is_nothing(void)
{
    PlannedBot *bot = estimated(0, &RULES);
    assert_equal(bot->chunks, 0, 0, 0);
    assert_equal(bot->tokens, 0, 0, 0);
    assert_equal(bot->usd, 0, 0, 0);
    planned_bot_free(bot);
}

/* --- a plan -------------------------------------------------------------------------------- */

static Plan *
plan_of_three(const EstimateRules *rules)
{
    Plan *plan = plan_new();
    g_ptr_array_add(plan->bots, estimated(80000, rules));
    g_ptr_array_add(plan->bots, estimated(80000, rules));
    g_ptr_array_add(plan->bots, estimated(80000, rules));
    ((PlannedBot *) plan->bots->pdata[1])->action = ACTION_KEEP;
    estimate_plan(plan, rules);
    return plan;
}

static void
test_only_what_is_embedded_is_summed(void)
{
    g_autoptr(Plan) plan = plan_of_three(&RULES);
    const PlannedBot *bot = plan->bots->pdata[0];

    assert_equal(plan->chunks, 160, 210, 240);
    ASSERT_NEAR(plan->tokens.high, 2 * bot->tokens.high);
    ASSERT_NEAR(plan->usd.expected, 2 * bot->usd.expected);
}

static void
test_workers_share_the_time(void)
{
    EstimateRules one = RULES;
    one.workers = 1;
    g_autoptr(Plan) shared = plan_of_three(&RULES);
    g_autoptr(Plan) alone = plan_of_three(&one);

    ASSERT_NEAR(alone->seconds.expected, 2 * shared->seconds.expected);
}

static void
test_no_run_is_shorter_than_its_longest_bot(void)
{
    EstimateRules many = RULES;
    many.workers = 100;
    g_autoptr(Plan) plan = plan_of_three(&many);
    const PlannedBot *bot = plan->bots->pdata[0];
    ASSERT_NEAR(plan->seconds.expected, bot->seconds.expected);
}

/* 210 chunks are 21 calls: at six a minute they take three minutes and a half. */
static void
test_the_limit_of_requests_bounds_the_run(void)
{
    EstimateRules slow = RULES;
    slow.requests_per_minute = 6;
    g_autoptr(Plan) plan = plan_of_three(&slow);
    ASSERT_NEAR(plan->seconds.expected, 210);
}

static void
test_the_limit_of_tokens_bounds_the_run(void)
{
    EstimateRules slow = RULES;
    slow.tokens_per_minute = 1000;
    g_autoptr(Plan) plan = plan_of_three(&slow);
    ASSERT_NEAR(plan->seconds.expected, plan->tokens.expected * 60 / 1000);
}

static void
test_rules_without_numbers_are_survived(void)
{
    const EstimateRules none = {0};
    g_autoptr(Plan) plan = plan_of_three(&none);
    assert_grows(plan->seconds);
    assert_grows(plan->usd);
}

/* --- prices -------------------------------------------------------------------------------- */

static void
test_list_prices_are_dated(void)
{
    const Price small = price_of_model("openai", "text-embedding-3-small");
    const Price large = price_of_model("openai", "text-embedding-3-large");

    g_assert_cmpfloat(small.usd_per_million, ==, 0.02);
    g_assert_cmpfloat(large.usd_per_million, ==, 0.13);
    g_assert_cmpstr(small.origin, ==, "OpenAI's list price of 2024-01-25");
    const Price cohere = price_of_model("bedrock", "cohere.embed-multilingual-v3");
    g_assert_cmpfloat(cohere.usd_per_million, ==, 0.10);
    g_assert_cmpstr(cohere.origin, ==, "Bedrock's price as others list it, 2026-11-23");
}

static void
test_this_machine_costs_nothing(void)
{
    g_assert_cmpfloat(price_of_model("hashing", "words").usd_per_million, ==, 0);
    g_assert_cmpfloat(price_of_model("hashing", NULL).usd_per_million, ==, 0);
}

static void
test_an_unknown_price_is_negative(void)
{
    g_assert_cmpfloat(price_of_model("openai", "my-model").usd_per_million, <, 0);
    g_assert_cmpfloat(price_of_model(NULL, NULL).usd_per_million, <, 0);
    g_assert_nonnull(price_of_model("openai", "my-model").origin);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/estimate/" #name, test_##name)
    TEST(low_is_never_above_expected_nor_expected_above_high);
    TEST(text_has_at_most_a_character_a_byte);
    TEST(the_kind_is_told_by_the_ending);
    TEST(a_page_of_unknown_size_is_a_page);
    TEST(told_characters_per_byte_narrow_the_range);
    TEST(nothing_has_no_characters);
    TEST(chunks_follow_from_size_and_overlap);
    TEST(told_characters_per_token_narrow_the_range);
    TEST(told_growth_lengthens_the_chunks);
    TEST(a_prefix_is_billed_with_each_chunk);
    TEST(the_high_figure_knows_of_texts_without_spaces);
    TEST(money_is_tokens_times_price);
    TEST(what_costs_nothing_is_not_what_nobody_knows);
    TEST(time_is_calls_in_flight);
    TEST(extraction_takes_time_where_calls_do_not);
    TEST(many_small_documents_take_their_time);
    TEST(nothing_to_embed_is_nothing);
    TEST(only_what_is_embedded_is_summed);
    TEST(workers_share_the_time);
    TEST(no_run_is_shorter_than_its_longest_bot);
    TEST(the_limit_of_requests_bounds_the_run);
    TEST(the_limit_of_tokens_bounds_the_run);
    TEST(rules_without_numbers_are_survived);
    TEST(list_prices_are_dated);
    TEST(this_machine_costs_nothing);
    TEST(an_unknown_price_is_negative);
    return g_test_run();
}
