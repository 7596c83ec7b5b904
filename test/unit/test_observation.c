#include "model/observation.h"

static void
test_an_empty_store_has_no_bots(void)
{
    g_autoptr(Observation) store = observation_new();
    g_assert_null(observation_find(store, "bot"));
    g_assert_cmpint(store->rows, ==, 0);
    observation_free(NULL);
    mark_free(NULL);
}

static void
test_a_bot_is_made_at_the_first_call(void)
{
    g_autoptr(Observation) store = observation_new();
    BotRows *bot = observation_bot(store, "bot");

    g_assert_cmpint(bot->rows, ==, 0);
    g_assert_null(bot->mark);
    g_assert_cmpuint(g_hash_table_size(bot->sources), ==, 0);
    g_assert_true(observation_find(store, "bot") == bot);
    g_assert_null(observation_find(store, "other"));
}

static void
test_the_second_call_finds_the_same(void)
{
    g_autoptr(Observation) store = observation_new();
    g_autofree char *id = g_strdup("bot");
    BotRows *bot = observation_bot(store, id);

    bot->rows = 7;
    id[0] = 'x'; /* the name was copied */
    g_assert_true(observation_bot(store, "bot") == bot);
    g_assert_null(observation_find(store, "xot"));
}

static void
test_it_owns_what_is_put_in(void)
{
    Observation *store = observation_new();
    BotRows *bot = observation_bot(store, "bot");
    SourceRows *rows = g_new0(SourceRows, 1);

    store->identity = g_strdup("7/chat/items");
    store->address = g_strdup("database \"chat\"");
    rows->source = g_strdup("a.pdf");
    g_hash_table_insert(bot->sources, rows->source, rows);
    bot->mark = mark_new();
    bot->mark->run = g_strdup("run");
    g_assert_true(g_hash_table_lookup(bot->sources, "a.pdf") == rows);
    observation_free(store);
}

static void
test_a_mark_knows_its_sources(void)
{
    Mark *mark = mark_new();
    MarkedSource *source = mark_source(mark, "a.pdf");

    g_assert_cmpint(source->bytes, ==, -1); /* nothing is known yet */
    g_assert_cmpint(source->modified_ms, ==, -1);
    g_assert_null(source->failure);
    source->failure = g_strdup("the file is missing");
    g_assert_true(mark_source(mark, "a.pdf") == source);
    g_assert_true(mark_source(mark, "b.pdf") != source);
    mark_free(mark);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/observation/" #name, test_##name)
    TEST(an_empty_store_has_no_bots);
    TEST(a_bot_is_made_at_the_first_call);
    TEST(the_second_call_finds_the_same);
    TEST(it_owns_what_is_put_in);
    TEST(a_mark_knows_its_sources);
    return g_test_run();
}
