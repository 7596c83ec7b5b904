#include "base/error.h"
#include "model/bot_json.h"

#include <string.h>

static Bot *
sample_bot(void)
{
    Bot *bot = bot_new("user \"é\"", "id");

    g_free(bot->title);
    bot->title = g_strdup("title");
    g_ptr_array_add(bot->sources, source_new(SOURCE_URL, "https://example.org/"));
    g_ptr_array_add(bot->sources, source_new(SOURCE_FILE, "a.pdf"));
    bot->chunk_size = 512;
    bot->chunk_overlap = 512;
    bot->partition_pdf = true;
    bot->max_results = 3;
    bot->last_used_ms = 1720000000123;
    g_free(bot->sync_status);
    bot->sync_status = g_strdup("FAILED");
    g_free(bot->sync_reason);
    bot->sync_reason = g_strdup("reason");
    g_free(bot->last_exec_id);
    bot->last_exec_id = g_strdup("exec");
    bot_seal(bot);
    return bot;
}

static void
assert_equal(const Bot *a, const Bot *b)
{
    g_assert_cmpint(a->kind, ==, b->kind);
    g_assert_cmpstr(a->problem, ==, b->problem);
    g_assert_cmpstr(a->user, ==, b->user);
    g_assert_cmpstr(a->id, ==, b->id);
    g_assert_cmpstr(a->title, ==, b->title);
    g_assert_cmpint(a->chunk_size, ==, b->chunk_size);
    g_assert_cmpint(a->chunk_overlap, ==, b->chunk_overlap);
    g_assert_cmpint(a->partition_pdf, ==, b->partition_pdf);
    g_assert_cmpint(a->max_results, ==, b->max_results);
    g_assert_cmpint(a->last_used_ms, ==, b->last_used_ms);
    g_assert_cmpstr(a->sync_status, ==, b->sync_status);
    g_assert_cmpstr(a->sync_reason, ==, b->sync_reason);
    g_assert_cmpstr(a->last_exec_id, ==, b->last_exec_id);
    g_assert_cmpstr(a->fingerprint, ==, b->fingerprint);
    g_assert_cmpuint(a->sources->len, ==, b->sources->len);
    for (guint i = 0; i < a->sources->len; i++)
    {
        const Source *one = a->sources->pdata[i];
        const Source *other = b->sources->pdata[i];
        g_assert_cmpint(one->kind, ==, other->kind);
        g_assert_cmpstr(one->name, ==, other->name);
    }
}

/* Through a text, as in a plan file. */
static void
assert_round_trip(const Bot *bot)
{
    g_autoptr(Json) json = bot_to_json(bot);
    char *text = json_dumps(json, JSON_COMPACT);
    g_autoptr(Json) read = json_loads(text, 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Bot) again = bot_from_json(read, &error);

    free(text);
    g_assert_no_error(error);
    assert_equal(bot, again);
}

static void
test_comes_back_the_same(void)
{
    g_autoptr(Bot) bot = sample_bot();
    assert_round_trip(bot);
}

static void
test_an_empty_bot_of_every_kind_comes_back_the_same(void)
{
    for (int kind = BOT_VECTOR; kind <= BOT_MALFORMED; kind++)
    {
        g_autoptr(Bot) bot = bot_new("u", "b");
        bot->kind = (BotKind) kind;
        bot->problem = kind == BOT_MALFORMED ? g_strdup("Title is missing") : NULL;
        bot_seal(bot);
        assert_round_trip(bot);
    }
}

/* Takes the new value over; NULL removes the member. */
static void
assert_refused(const char *key, Json *value, const char *reason)
{
    g_autoptr(Bot) bot = sample_bot();
    g_autoptr(Json) json = bot_to_json(bot);
    g_autoptr(GError) error = NULL;

    if (value != NULL)
        json_object_set_new(json, key, value);
    else
        json_object_del(json, key);
    g_autoptr(Bot) again = bot_from_json(json, &error);
    g_assert_null(again);
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    if (strstr(error->message, reason) == NULL)
        g_error("\"%s\" does not say \"%s\"", error->message, reason);
}

static void
test_every_member_is_required(void)
{
    g_autoptr(Bot) bot = sample_bot();
    g_autoptr(Json) json = bot_to_json(bot);

    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at))
    {
        const char *key = json_object_iter_key(at);
        assert_refused(key, NULL, key);
        assert_refused(key, json_pack("{}"), key);
    }
}

static void
test_refuses_an_unknown_kind(void)
{
    assert_refused("kind", json_string("spirit"), "\"kind\" is not a known kind of bot");
    assert_refused(
        "sources", json_pack("[{s:s, s:s}]", "kind", "tape", "name", "x"),
        "source 1: \"kind\" is not a known kind of source");
    assert_refused("sources", json_pack("[{s:s}]", "kind", "file"), "\"name\" is not a text");
}

static void
test_refuses_numbers_out_of_range(void)
{
    assert_refused("chunk_size", json_integer(0), "\"chunk_size\" is not between 1");
    assert_refused("chunk_size", json_integer(G_GINT64_CONSTANT(1) << 40), "\"chunk_size\"");
    assert_refused("chunk_size", json_real(512), "\"chunk_size\" is not a whole number");
    assert_refused(
        "chunk_overlap", json_integer(513), "\"chunk_overlap\" is not between 0 and 512");
    assert_refused("max_results", json_integer(-1), "\"max_results\"");
}

static void
test_a_problem_belongs_to_a_malformed_bot_alone(void)
{
    assert_refused("problem", json_string("x"), "\"problem\" is not null");
    assert_refused("kind", json_string("malformed"), "\"problem\" is not a text");
}

static void
test_refuses_a_fingerprint_of_another_bot(void)
{
    assert_refused("chunk_size", json_integer(513), "\"fingerprint\" is not that of this bot");
    assert_refused("fingerprint", json_string(""), "\"fingerprint\" is not that of this bot");
}

static void
test_refuses_a_nul_character(void)
{
    assert_refused("title", json_stringn("a\0b", 3), "\"title\" is not a text without NUL");
}

static void
test_refuses_what_is_no_object(void)
{
    g_autoptr(Json) json = json_array();
    g_autoptr(GError) error = NULL;

    g_assert_null(bot_from_json(json, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_null(bot_from_json(NULL, NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/bot_json/" #name, test_##name)
    TEST(comes_back_the_same);
    TEST(an_empty_bot_of_every_kind_comes_back_the_same);
    TEST(every_member_is_required);
    TEST(refuses_an_unknown_kind);
    TEST(refuses_numbers_out_of_range);
    TEST(a_problem_belongs_to_a_malformed_bot_alone);
    TEST(refuses_a_fingerprint_of_another_bot);
    TEST(refuses_a_nul_character);
    TEST(refuses_what_is_no_object);
    return g_test_run();
}
