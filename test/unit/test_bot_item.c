#include "base/error.h"
#include "catalogue/bot_item.h"
#include "catalogue/item_json.h"

#include <string.h>

#define KEYS "\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT#b\"}"

static Bot *
bot_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    const char *problem = NULL;
    g_autoptr(Json) item = item_parse(text, strlen(text), &problem, &error);

    g_assert_no_error(error);
    g_assert_cmpint(item_kind(item), ==, ITEM_BOT);
    return bot_from_item(item, problem);
}

/* A bot with a title and these further members. */
static Bot *
bot_with(const char *members)
{
    g_autofree char *text =
        g_strconcat("{" KEYS ",\"Title\":{\"S\":\"t\"}", *members ? "," : "", members, "}", NULL);
    return bot_of(text);
}

static void
assert_malformed_bot(const Bot *bot, const char *problem)
{
    g_assert_cmpint(bot->kind, ==, BOT_MALFORMED);
    if (strstr(bot->problem, problem) == NULL)
        g_error("\"%s\" does not say \"%s\"", bot->problem, problem);
    g_assert_cmpuint(bot->sources->len, ==, 0);
    g_assert_cmpint(bot->chunk_size, ==, 1000);
    g_assert_nonnull(bot->fingerprint);
}

static void
assert_malformed(const char *members, const char *problem)
{
    g_autoptr(Bot) bot = bot_with(members);
    assert_malformed_bot(bot, problem);
    g_assert_cmpstr(bot->user, ==, "u");
    g_assert_cmpstr(bot->id, ==, "b");
}

static void
assert_kind(const char *text, ItemKind kind)
{
    g_autoptr(GError) error = NULL;
    const char *problem = NULL;
    g_autoptr(Json) item = item_parse(text, strlen(text), &problem, &error);

    g_assert_no_error(error);
    g_assert_cmpint(item_kind(item), ==, kind);
}

static void
assert_source(const Bot *bot, guint number, SourceKind kind, const char *name)
{
    g_assert_cmpuint(number, <, bot->sources->len);
    const Source *source = bot->sources->pdata[number];
    g_assert_cmpint(source->kind, ==, kind);
    g_assert_cmpstr(source->name, ==, name);
}

static void
test_reads_every_attribute(void)
{
    g_autoptr(Bot) bot =
        bot_with("\"LastBotUsed\":{\"N\":\"1720000000123\"},\"IsPinned\":{\"BOOL\":false},"
                 "\"SyncStatus\":{\"S\":\"FAILED\"},\"SyncStatusReason\":{\"S\":\"why\"},"
                 "\"LastExecId\":{\"S\":\"abc\"},"
                 "\"EmbeddingParams\":{\"M\":{\"chunk_size\":{\"N\":\"512\"},"
                 "\"chunk_overlap\":{\"N\":\"128\"},\"enable_partition_pdf\":{\"BOOL\":true}}},"
                 "\"SearchParams\":{\"M\":{\"max_results\":{\"N\":\"7\"}}},"
                 "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a.pdf\"}]}}}");

    g_assert_cmpint(bot->kind, ==, BOT_VECTOR);
    g_assert_null(bot->problem);
    g_assert_cmpstr(bot->user, ==, "u");
    g_assert_cmpstr(bot->id, ==, "b");
    g_assert_cmpstr(bot->title, ==, "t");
    g_assert_cmpint(bot->last_used_ms, ==, 1720000000123);
    g_assert_cmpstr(bot->sync_status, ==, "FAILED");
    g_assert_cmpstr(bot->sync_reason, ==, "why");
    g_assert_cmpstr(bot->last_exec_id, ==, "abc");
    g_assert_cmpint(bot->chunk_size, ==, 512);
    g_assert_cmpint(bot->chunk_overlap, ==, 128);
    g_assert_true(bot->partition_pdf);
    g_assert_cmpint(bot->max_results, ==, 7);
    g_assert_cmpuint(bot->sources->len, ==, 1);
    assert_source(bot, 0, SOURCE_FILE, "a.pdf");
    g_assert_cmpuint(strlen(bot->fingerprint), ==, 64);
}

static void
test_a_bot_of_version_0_3_has_no_knowledge_and_the_defaults(void)
{
    g_autoptr(Bot) bot = bot_with("");

    g_assert_cmpint(bot->kind, ==, BOT_VECTOR);
    g_assert_false(bot_has_knowledge(bot));
    g_assert_cmpint(bot->chunk_size, ==, 1000);
    g_assert_cmpint(bot->chunk_overlap, ==, 200);
    g_assert_false(bot->partition_pdf);
    g_assert_cmpint(bot->max_results, ==, 20);
    g_assert_cmpstr(bot->sync_status, ==, "");
}

static void
test_single_parameters_have_their_defaults(void)
{
    g_autoptr(Bot) bot = bot_with("\"EmbeddingParams\":{\"M\":{\"chunk_size\":{\"N\":\"300\"}}}");

    g_assert_cmpint(bot->chunk_size, ==, 300);
    g_assert_cmpint(bot->chunk_overlap, ==, 200);
    g_assert_false(bot->partition_pdf);
}

static void
test_sources_come_in_the_order_of_loading(void)
{
    g_autoptr(Bot) bot = bot_with(
        "\"Knowledge\":{\"M\":{\"s3_urls\":{\"L\":[{\"S\":\"s3://x/\"}]},"
        "\"filenames\":{\"L\":[{\"S\":\"b\"},{\"S\":\"a\"}]},"
        "\"sitemap_urls\":{\"L\":[{\"S\":\"m\"}]},\"source_urls\":{\"L\":[{\"S\":\"w\"}]}}}");

    g_assert_cmpuint(bot->sources->len, ==, 5);
    assert_source(bot, 0, SOURCE_URL, "w");
    assert_source(bot, 1, SOURCE_SITEMAP, "m");
    assert_source(bot, 2, SOURCE_FILE, "b");
    assert_source(bot, 3, SOURCE_FILE, "a");
    assert_source(bot, 4, SOURCE_S3_PREFIX, "s3://x/");
}

static void
test_a_source_named_twice_is_one_source(void)
{
    g_autoptr(Bot) bot = bot_with(
        "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a\"},{\"S\":\"b\"},{\"S\":\"a\"}]},"
        "\"source_urls\":{\"L\":[{\"S\":\"a\"}]}}}");

    g_assert_cmpuint(bot->sources->len, ==, 3);
    assert_source(bot, 0, SOURCE_URL, "a");
    assert_source(bot, 1, SOURCE_FILE, "a");
    assert_source(bot, 2, SOURCE_FILE, "b");
}

static void
test_a_set_of_texts_will_do_for_a_list(void)
{
    g_autoptr(Bot) bot = bot_with("\"Knowledge\":{\"M\":{\"filenames\":{\"SS\":[\"a\"]}}}");

    g_assert_cmpuint(bot->sources->len, ==, 1);
    assert_source(bot, 0, SOURCE_FILE, "a");
}

static void
test_null_is_as_good_as_absent(void)
{
    g_autoptr(Bot) bot =
        bot_with("\"BedrockKnowledgeBase\":{\"NULL\":true},\"Knowledge\":{\"NULL\":true},"
                 "\"EmbeddingParams\":{\"NULL\":true}");

    g_assert_cmpint(bot->kind, ==, BOT_VECTOR);
    g_assert_cmpint(bot->chunk_size, ==, 1000);
}

static void
test_knows_bots_of_a_knowledge_base(void)
{
    g_autoptr(Bot) bot = bot_with(
        "\"BedrockKnowledgeBase\":{\"M\":{}},\"EmbeddingParams\":{\"S\":\"of another time\"},"
        "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a\"}]}}}");

    g_assert_cmpint(bot->kind, ==, BOT_KNOWLEDGE_BASE);
    g_assert_cmpuint(bot->sources->len, ==, 1);
    assert_malformed("\"BedrockKnowledgeBase\":{\"S\":\"x\"}", "BedrockKnowledgeBase is a text");
}

static void
test_knows_ghosts(void)
{
    g_autoptr(Bot) bot = bot_of("{" KEYS ",\"SyncStatus\":{\"S\":\"RUNNING\"},"
                                "\"SyncStatusReason\":{\"S\":\"\"},\"LastExecId\":{\"S\":\"x\"}}");

    g_assert_cmpint(bot->kind, ==, BOT_GHOST);
    g_assert_cmpstr(bot->title, ==, "");
    g_assert_cmpstr(bot->sync_status, ==, "RUNNING");
}

static void
test_a_bot_without_a_title_is_no_ghost_when_there_is_more(void)
{
    g_autoptr(Bot) more = bot_of("{" KEYS ",\"SyncStatus\":{\"S\":\"\"},\"Knowledge\":{\"M\":{}}}");
    g_autoptr(Bot) keys_only = bot_of("{" KEYS "}");

    assert_malformed_bot(more, "Title is missing");
    assert_malformed_bot(keys_only, "Title is missing");
}

static void
test_names_an_attribute_of_the_wrong_type(void)
{
    assert_malformed("\"LastBotUsed\":{\"S\":\"1\"}", "LastBotUsed is a text, not a number");
    assert_malformed("\"SyncStatus\":{\"N\":\"1\"}", "SyncStatus is a number, not a text");
    assert_malformed("\"Knowledge\":{\"L\":[]}", "Knowledge is a list, not a map");
    assert_malformed("\"Knowledge\":{\"M\":[]}", "Knowledge is not a value of DynamoDB");
    assert_malformed("\"Knowledge\":{}", "Knowledge is not a value of DynamoDB, not a map");
    assert_malformed("\"Knowledge\":\"x\"", "Knowledge is not a value of DynamoDB");
    assert_malformed(
        "\"Knowledge\":{\"M\":{\"filenames\":{\"S\":\"a\"}}}",
        "Knowledge.filenames is a text, not a list");
    assert_malformed(
        "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a\"},{\"N\":\"1\"}]}}}",
        "Knowledge.filenames[1] is a number, not a text");
    assert_malformed(
        "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[\"a\"]}}}",
        "Knowledge.filenames[0] is not a value of DynamoDB");
    assert_malformed(
        "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":{}}}}",
        "Knowledge.filenames is not a value of DynamoDB");
    assert_malformed(
        "\"Knowledge\":{\"M\":{\"source_urls\":{\"L\":[{\"S\":\"\"}]}}}",
        "Knowledge.source_urls[0] is empty");
    assert_malformed(
        "\"EmbeddingParams\":{\"M\":{\"enable_partition_pdf\":{\"S\":\"true\"}}}",
        "EmbeddingParams.enable_partition_pdf is a text, not true or false");
    assert_malformed(
        "\"EmbeddingParams\":{\"M\":{\"enable_partition_pdf\":{\"BOOL\":1}}}",
        "EmbeddingParams.enable_partition_pdf is not a value");
    assert_malformed("\"SyncStatus\":{\"S\":3}", "SyncStatus is not a value of DynamoDB");
}

static void
assert_wrong_size(const char *number, const char *problem)
{
    g_autofree char *members =
        g_strdup_printf("\"EmbeddingParams\":{\"M\":{\"chunk_size\":{\"N\":\"%s\"}}}", number);
    assert_malformed(members, problem);
}

static void
test_a_chunk_size_is_a_positive_whole_number(void)
{
    assert_wrong_size("0", "EmbeddingParams.chunk_size is 0, not a whole number from 1");
    assert_wrong_size("-5", "EmbeddingParams.chunk_size is -5");
    assert_wrong_size("1000.5", "EmbeddingParams.chunk_size is 1000.5");
    assert_wrong_size("1E+125", "EmbeddingParams.chunk_size is 1e+125");
    assert_wrong_size("99999999999999999999999999999999999999", "EmbeddingParams.chunk_size is");
    assert_wrong_size("1E999", "EmbeddingParams.chunk_size is \"1E999\", not a number");
    assert_wrong_size("", "not a number");
    assert_wrong_size("ten", "is \"ten\", not a number");
    assert_wrong_size("0x10", "not a number");
    assert_wrong_size("nan", "not a number");
    assert_wrong_size("1 ", "not a number");
    assert_wrong_size("1e", "not a number");
    assert_wrong_size("--1", "not a number");
    assert_wrong_size("\\u001b[31m", "is \"\xef\xbf\xbd[31m\", not a number");
    assert_malformed(
        "\"SearchParams\":{\"M\":{\"max_results\":{\"N\":\"0\"}}}", "SearchParams.max_results");
}

static void
test_a_number_may_have_any_decimal_form(void)
{
    g_autoptr(Bot) bot =
        bot_with("\"EmbeddingParams\":{\"M\":{\"chunk_size\":{\"N\":\"1.2E+3\"}}}");
    g_assert_cmpint(bot->chunk_size, ==, 1200);
}

static void
test_an_overlap_may_be_as_large_as_the_size_not_larger(void)
{
    g_autoptr(Bot) bot = bot_with("\"EmbeddingParams\":{\"M\":{\"chunk_size\":{\"N\":\"200\"}}}");

    g_assert_cmpint(bot->kind, ==, BOT_VECTOR);
    assert_malformed(
        "\"EmbeddingParams\":{\"M\":{\"chunk_size\":{\"N\":\"199\"}}}",
        "EmbeddingParams.chunk_overlap is 200, more than the chunk_size of 199");
    assert_malformed(
        "\"EmbeddingParams\":{\"M\":{\"chunk_overlap\":{\"N\":\"-1\"}}}",
        "EmbeddingParams.chunk_overlap is -1");
}

static void
test_a_time_of_use_is_only_sorted_by(void)
{
    g_autoptr(Bot) enormous = bot_with("\"LastBotUsed\":{\"N\":\"1E+100\"}");
    g_autoptr(Bot) negative = bot_with("\"LastBotUsed\":{\"N\":\"-3\"}");

    g_assert_cmpint(enormous->kind, ==, BOT_VECTOR);
    g_assert_cmpint(enormous->last_used_ms, >, G_GINT64_CONSTANT(1) << 52);
    g_assert_cmpint(negative->last_used_ms, ==, 0);
}

static void
test_leaves_out_what_is_no_bot(void)
{
    assert_kind("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#CONV#c\"}}", ITEM_OTHER);
    assert_kind("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT_ALIAS#b\"}}", ITEM_OTHER);
    assert_kind("{" KEYS ",\"OriginalBotId\":{\"S\":\"x\"}}", ITEM_OTHER);
    assert_kind("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#RELATED_DOCUMENT#c#s\"}}", ITEM_OTHER);
    assert_kind(
        "{\"PK\":{\"S\":\"PUBLISHED_API#b\"},\"SK\":{\"S\":\"PUBLISHED_API#b#CONV#c\"}}",
        ITEM_OTHER);
    assert_kind("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"BOT#b\"}}", ITEM_VERSION_3);
    assert_kind("{\"id\":{\"S\":\"u\"}}", ITEM_FOREIGN);
    assert_kind("{\"PK\":{\"S\":\"u\"}}", ITEM_FOREIGN);
    assert_kind("{\"PK\":\"u\",\"SK\":\"u#BOT#b\"}", ITEM_PLAIN);
}

static void
test_a_conversation_of_a_user_with_a_strange_name_is_no_bot(void)
{
    assert_kind("{\"PK\":{\"S\":\"x#BOT#y\"},\"SK\":{\"S\":\"x#BOT#y#CONV#c\"}}", ITEM_OTHER);
    assert_kind("{\"PK\":{\"S\":\"x#BOT#y\"},\"SK\":{\"S\":\"x#BOT#y#BOT#b\"}}", ITEM_BOT);
}

static void
test_names_keys_that_the_container_would_not_find(void)
{
    g_autoptr(Bot) other_user = bot_of("{\"PK\":{\"S\":\"v\"},\"SK\":{\"S\":\"u#BOT#b\"}}");
    g_autoptr(Bot) no_user = bot_of("{\"SK\":{\"S\":\"u#BOT#b\"}}");
    g_autoptr(Bot) number = bot_of("{\"PK\":{\"N\":\"1\"},\"SK\":{\"S\":\"u#BOT#b\"}}");
    g_autoptr(Bot) no_id = bot_of("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT#\"}}");
    g_autoptr(Bot) longer = bot_of("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT#b#c\"}}");

    assert_malformed_bot(other_user, "SK is not made of PK");
    assert_malformed_bot(no_user, "PK is missing");
    g_assert_cmpstr(no_user->user, ==, "u");
    assert_malformed_bot(number, "PK is a number, not a text");
    assert_malformed_bot(no_id, "SK ends without the bot's id");
    assert_malformed_bot(longer, "SK is not made of PK");
    g_assert_cmpstr(longer->id, ==, "c");
}

static void
test_a_nul_character_is_named_where_it_matters(void)
{
    g_autoptr(Bot) key =
        bot_of("{\"PK\":{\"S\":\"u\"},\"SK\":{\"S\":\"u#BOT#b\\u0000c\"},\"Title\":{\"S\":\"\"}}");
    g_autoptr(Bot) elsewhere = bot_with("\"Instruction\":{\"S\":\"\\u0000\"}");

    assert_malformed(
        "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a\\u0000b\"}]}}}",
        "Knowledge.filenames[0] holds a NUL character");
    assert_malformed_bot(key, "SK holds a NUL character");
    g_assert_cmpstr(
        key->id, ==,
        "b\xef\xbf\xbd"
        "c");
    g_assert_cmpint(elsewhere->kind, ==, BOT_VECTOR);
}

static void
test_text_that_cannot_be_kept_makes_a_bot_malformed(void)
{
    assert_malformed("\"x\":{\"S\":\"\\ud800\"}", "half of a surrogate pair");
    assert_malformed("\"x\":{\"S\":\"\\udc00\"}", "half of a surrogate pair");
    assert_malformed("\"x\":{\"S\":\"\\ud800\\ud800\"}", "half of a surrogate pair");
    assert_malformed("\"x\":{\"S\":\"\xff\"}", "not UTF-8");
    assert_malformed("\"x\":{\"S\":\"\xe3\x81\"}", "not UTF-8");
    assert_malformed("\"x\":{\"S\":\"\xed\xa0\x80\"}", "not UTF-8");
    assert_malformed("\"x\":1,\"x\":2", "twice");
    assert_malformed("\"Title\":{\"S\":\"other\"}", "twice");
    assert_malformed("\"a\\u0000b\":1", "NUL");
    assert_malformed("\"x\":99999999999999999999999999", "too large");
    assert_malformed("\"x\":-1e99999", "too large");
}

static void
test_sound_characters_stay_beside_those_that_are_not(void)
{
    g_autoptr(Bot) bot = bot_of(
        "{" KEYS ",\"Title\":{\"S\":\"\xc3\xa9\\ud83d\\ude00\\ud83d\xf0\x9f\x98\x80\\\\\\n\"}}");

    assert_malformed_bot(bot, "surrogate");
    g_assert_cmpstr(bot->title, ==, "\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\xf0\x9f\x98\x80\\\n");
}

static void
test_only_knowledge_changes_the_fingerprint(void)
{
    g_autoptr(Bot) bot = bot_with("\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a\"}]}}}");
    g_autoptr(Bot) used = bot_with("\"LastBotUsed\":{\"N\":\"5\"},\"SyncStatus\":{\"S\":\"x\"},"
                                   "\"Knowledge\":{\"M\":{\"filenames\":{\"L\":[{\"S\":\"a\"}]}}}");
    g_autoptr(Bot) edited =
        bot_with("\"Knowledge\":{\"M\":{\"source_urls\":{\"L\":[{\"S\":\"a\"}]}}}");

    g_assert_cmpstr(bot->fingerprint, ==, used->fingerprint);
    g_assert_cmpstr(bot->fingerprint, !=, edited->fingerprint);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/bot_item/" #name, test_##name)
    TEST(reads_every_attribute);
    TEST(a_bot_of_version_0_3_has_no_knowledge_and_the_defaults);
    TEST(single_parameters_have_their_defaults);
    TEST(sources_come_in_the_order_of_loading);
    TEST(a_source_named_twice_is_one_source);
    TEST(a_set_of_texts_will_do_for_a_list);
    TEST(null_is_as_good_as_absent);
    TEST(knows_bots_of_a_knowledge_base);
    TEST(knows_ghosts);
    TEST(a_bot_without_a_title_is_no_ghost_when_there_is_more);
    TEST(names_an_attribute_of_the_wrong_type);
    TEST(a_chunk_size_is_a_positive_whole_number);
    TEST(a_number_may_have_any_decimal_form);
    TEST(an_overlap_may_be_as_large_as_the_size_not_larger);
    TEST(a_time_of_use_is_only_sorted_by);
    TEST(leaves_out_what_is_no_bot);
    TEST(a_conversation_of_a_user_with_a_strange_name_is_no_bot);
    TEST(names_keys_that_the_container_would_not_find);
    TEST(a_nul_character_is_named_where_it_matters);
    TEST(text_that_cannot_be_kept_makes_a_bot_malformed);
    TEST(sound_characters_stay_beside_those_that_are_not);
    TEST(only_knowledge_changes_the_fingerprint);
    return g_test_run();
}
