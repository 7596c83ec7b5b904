#include "compare/judge_counts.h"

#include <string.h>

/* A small world: what was counted, and what the catalogue says. */
typedef struct
{
    Counts *counts;
    GPtrArray *bots;     /* of Bot */
    GPtrArray *expected; /* of ExpectedBot */
    GHashTable *known;
} World;

static World
world_new(void)
{
    return (World){
        counts_new(), g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref),
        g_ptr_array_new_with_free_func(g_free),
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

static void
world_clear(World *world)
{
    counts_free(world->counts);
    for (guint i = 0; i < world->expected->len; i++)
        g_strfreev((char **) (gsize) ((ExpectedBot *) world->expected->pdata[i])->labels);
    g_ptr_array_unref(world->expected);
    g_ptr_array_unref(world->bots);
    g_hash_table_unref(world->known);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

/* Adds a bot whose sources are pages: their labels are their names. */
static Bot *
expect_bot(World *world, const char *id, SourceKind kind, const char *names)
{
    g_auto(GStrv) labels = g_strsplit(names, " ", -1);
    Bot *bot = bot_new("ann", id);
    ExpectedBot *expected = g_new0(ExpectedBot, 1);
    const guint count = GPOINTER_TO_UINT(g_hash_table_lookup(world->known, id));

    for (size_t i = 0; labels[i] != NULL; i++)
        if (*labels[i] != '\0')
            g_ptr_array_add(bot->sources, source_new(kind, labels[i]));
    bot_seal(bot);
    *expected = (ExpectedBot){bot, g_steal_pointer(&labels)};
    g_ptr_array_add(world->bots, bot);
    g_ptr_array_add(world->expected, expected);
    g_hash_table_replace(world->known, g_strdup(id), GUINT_TO_POINTER(count + 1));
    return bot;
}

/* Adds good rows: every text once, every vector of length 1. */
static SourceCount *
count_source(World *world, const char *id, const char *label, gint64 rows)
{
    BotCount *bot = counts_bot(world->counts, id);
    SourceCount *source = bot_count_source(bot, label);

    source->rows = source->texts = source->unit_vectors = rows;
    source->fewest = 1;
    bot->rows += rows;
    world->counts->rows += rows;
    world->counts->vectors += rows;
    world->counts->unit_vectors += rows;
    return source;
}

static Mark *
mark_bot(World *world, const char *id, gint64 rows, const char *fingerprint)
{
    Mark *mark = mark_new();
    mark->run = g_strdup("r1");
    mark->space = g_strdup("openai/small/4");
    mark->splitter = g_strdup("guide");
    mark->fingerprint = g_strdup(fingerprint);
    mark->rows = rows;
    mark->complete = true;
    counts_bot(world->counts, id)->mark = mark;
    return mark;
}

/* Each finding as "kind bot source rows", remarks in brackets, joined by "; ". */
static char *
spelt(const Verification *verification)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < verification->findings->len; i++)
    {
        const Finding *finding = verification->findings->pdata[i];
        const bool remark = !finding_is_difference(finding->kind);
        g_string_append_printf(
            text, "%s%s%s %s %s %" G_GINT64_FORMAT "%s", i == 0 ? "" : "; ", remark ? "(" : "",
            finding_kind_name(finding->kind), finding->bot == NULL ? "-" : finding->bot,
            finding->source == NULL ? "-" : finding->source, finding->rows, remark ? ")" : "");
    }
    return g_string_free(text, FALSE);
}

static Verification *
judge(const World *world, bool with_catalogue)
{
    const JudgeInput input = {
        .counts = world->counts,
        .expected = with_catalogue ? world->expected : NULL,
        .known = with_catalogue ? world->known : NULL,
    };
    return judge_counts(&input);
}

static void
assert_found(const World *world, const char *expected)
{
    g_autoptr(Verification) verification = judge(world, true);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, expected);
}

static void
assert_found_without_catalogue(const World *world, const char *expected)
{
    g_autoptr(Verification) verification = judge(world, false);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, expected);
}

static void
test_a_store_that_holds_what_it_should_has_no_findings(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a b");
    expect_bot(&world, "b2", SOURCE_URL, "");
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b1", "b", 2);

    g_autoptr(Verification) verification = judge(&world, true);
    g_assert_cmpuint(verification->findings->len, ==, 0);
    g_assert_cmpuint(verification->differences, ==, 0);
    g_assert_cmpint(verification->rows, ==, 5);
    g_assert_cmpuint(verification->sources, ==, 2);
    g_assert_cmpuint(verification->bots->len, ==, 2);
    const BotVerdict *first = verification->bots->pdata[0];
    g_assert_cmpstr(first->bot, ==, "b1");
    g_assert_cmpint(first->rows, ==, 5);
    g_assert_cmpuint(first->differences, ==, 0);
}

static void
test_an_empty_store_without_catalogue_has_no_findings(void)
{
    g_auto(World) world = world_new();
    assert_found_without_catalogue(&world, "");
}

static void
test_knowledge_without_rows_is_missing(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a b");
    expect_bot(&world, "b2", SOURCE_URL, "c");
    count_source(&world, "b1", "a", 3);
    assert_found(&world, "missing b1 b 0; missing b2 c 0");
}

static void
test_a_source_that_gave_no_chunks_is_not_missing(void)
{
    g_auto(World) world = world_new();
    const Bot *bot = expect_bot(&world, "b1", SOURCE_URL, "a empty failed");
    count_source(&world, "b1", "a", 3);
    mark_bot(&world, "b1", 3, bot->fingerprint);
    BotCount *count = counts_bot(world.counts, "b1");
    bot_count_outcome(count, "a", 3, NULL);
    bot_count_outcome(count, "empty", 0, NULL);
    bot_count_outcome(count, "failed", 0, "the file is encrypted");

    g_autoptr(Verification) verification = judge(&world, true);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, "missing b1 failed 0");
    const Finding *finding = verification->findings->pdata[0];
    g_assert_cmpstr(finding->message, ==, "no rows: the file is encrypted");
}

static void
test_rows_of_another_source_are_unnamed(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a");
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b1", "old", 2);
    assert_found(&world, "unnamed b1 old 2");
}

static void
test_rows_without_a_bot_are_orphans(void)
{
    g_auto(World) world = world_new();
    Bot *ghost = expect_bot(&world, "ghost", SOURCE_URL, "");
    ghost->kind = BOT_GHOST;
    count_source(&world, "ghost", "a", 1);
    count_source(&world, "nobody's", "a", 2);
    count_source(&world, NULL, "a", 4);
    mark_bot(&world, "gone", 7, "x");

    assert_found(&world, "orphan ghost - 1; orphan nobody's - 2; null-bot - - 4");
    g_autoptr(Verification) verification = judge(&world, true);
    g_assert_cmpint(verification->rows, ==, 7);
    g_assert_cmpuint(verification->differences, ==, 3);
    /* Who has neither rows nor a place in the catalogue is not looked at. */
    g_assert_cmpuint(verification->bots->len, ==, 2);
}

static void
test_nothing_is_expected_of_other_kinds_of_bots(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "ghost", SOURCE_URL, "")->kind = BOT_GHOST;
    expect_bot(&world, "kb", SOURCE_URL, "a")->kind = BOT_KNOWLEDGE_BASE;
    assert_found(&world, "");

    count_source(&world, "kb", "a", 2);
    assert_found(&world, "(unused kb - 2)");
}

static void
test_a_malformed_bot_is_a_difference(void)
{
    g_auto(World) world = world_new();
    Bot *bot = expect_bot(&world, "b1", SOURCE_URL, "a");
    bot->kind = BOT_MALFORMED;
    bot->problem = g_strdup("Title is a number");

    g_autoptr(Verification) verification = judge(&world, true);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, "malformed b1 - 0");
    const Finding *finding = verification->findings->pdata[0];
    g_assert_cmpstr(
        finding->message, ==, "its item in the catalogue is malformed: Title is a number");
}

static void
test_bots_of_one_id_cannot_be_told_apart(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a");
    expect_bot(&world, "b1", SOURCE_URL, "b");
    count_source(&world, "b1", "a", 3);
    assert_found(&world, "twin b1 - 3; twin b1 - 3");

    g_autoptr(Verification) verification = judge(&world, true);
    g_assert_cmpint(verification->rows, ==, 3);
}

static void
test_a_text_that_a_source_repeats_is_a_remark(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a");
    count_source(&world, "b1", "a", 5)->texts = 3;
    assert_found(&world, "(repeated b1 a 2)");
}

static void
test_a_source_is_loaded_twice_when_every_text_is_there_twice(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a b");
    SourceCount *doubled = count_source(&world, "b1", "a", 6);
    doubled->texts = 3;
    doubled->fewest = 2;
    count_source(&world, "b1", "b", 2);
    assert_found(&world, "duplicate b1 a 6");
}

static void
test_a_bot_is_loaded_twice_when_all_its_sources_are(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a b");
    SourceCount *first = count_source(&world, "b1", "a", 6);
    SourceCount *second = count_source(&world, "b1", "b", 3);
    first->texts = 3;
    first->fewest = 2;
    second->texts = 1;
    second->fewest = 3;

    g_autoptr(Verification) verification = judge(&world, true);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, "duplicate b1 - 9");
    const Finding *finding = verification->findings->pdata[0];
    g_assert_cmpstr(finding->message, ==, "every chunk of its 2 sources is there at least 2 times");
}

static void
test_a_mark_vouches_for_a_page_of_one_text(void)
{
    g_auto(World) world = world_new();
    const Bot *bot = expect_bot(&world, "b1", SOURCE_URL, "a");
    SourceCount *same = count_source(&world, "b1", "a", 4);
    same->texts = 1;
    same->fewest = 4;
    assert_found(&world, "duplicate b1 a 4");

    mark_bot(&world, "b1", 4, bot->fingerprint);
    bot_count_outcome(counts_bot(world.counts, "b1"), "a", 4, NULL);
    assert_found(&world, "(repeated b1 a 3)");
}

static void
test_rows_that_were_not_marked_differ(void)
{
    g_auto(World) world = world_new();
    const Bot *bot = expect_bot(&world, "b1", SOURCE_URL, "a b c");
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b1", "b", 1);
    mark_bot(&world, "b1", 7, bot->fingerprint);
    BotCount *count = counts_bot(world.counts, "b1");
    bot_count_outcome(count, "a", 3, NULL);
    bot_count_outcome(count, "b", 2, NULL);
    bot_count_outcome(count, "c", 2, NULL);

    g_autoptr(Verification) verification = judge(&world, true);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, "count b1 b 1; missing b1 c 0");
    const Finding *finding = verification->findings->pdata[0];
    g_assert_cmpstr(finding->message, ==, "1 row, run r1 loaded 2");
    finding = verification->findings->pdata[1];
    g_assert_cmpstr(finding->message, ==, "no rows, run r1 loaded 2");
    assert_found_without_catalogue(&world, "count b1 b 1; count b1 c 0");
}

static void
test_the_sum_differs_where_no_source_does(void)
{
    g_auto(World) world = world_new();
    const Bot *bot = expect_bot(&world, "b1", SOURCE_URL, "a");
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b1", "old", 2);
    mark_bot(&world, "b1", 3, bot->fingerprint);
    bot_count_outcome(counts_bot(world.counts, "b1"), "a", 3, NULL);
    assert_found(&world, "count b1 - 5; unnamed b1 old 2");
}

static void
test_a_mark_tells_what_happened_to_its_bot(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_URL, "a");
    count_source(&world, "b1", "a", 3);
    mark_bot(&world, "b1", 3, "of yesterday")->complete = false;
    assert_found(&world, "incomplete b1 - 3; edited b1 - 3");
    assert_found_without_catalogue(&world, "incomplete b1 - 3");
}

static void
test_rows_that_a_failed_source_keeps_are_partial(void)
{
    g_auto(World) world = world_new();
    const Bot *bot = expect_bot(&world, "b1", SOURCE_URL, "a b");
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b1", "b", 2);
    Mark *mark = mark_bot(&world, "b1", 5, bot->fingerprint);
    mark->complete = false;
    BotCount *count = counts_bot(world.counts, "b1");
    bot_count_outcome(count, "a", 3, NULL);
    bot_count_outcome(count, "b", 0, "the file is missing");

    g_autoptr(Verification) verification = judge(&world, true);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, "incomplete b1 - 5; incomplete b1 b 2");
    const Finding *finding = verification->findings->pdata[1];
    g_assert_cmpstr(finding->message, ==, "2 rows of an earlier load: the file is missing");

    /* One of them was lost since. */
    mark->rows = 6;
    assert_found(&world, "incomplete b1 - 5; incomplete b1 b 2; count b1 - 5");
}

static void
test_most_rows_say_which_space_is_right(void)
{
    g_auto(World) world = world_new();
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b2", "a", 5);
    mark_bot(&world, "b1", 3, "");
    Mark *mark = mark_bot(&world, "b2", 5, "");
    assert_found_without_catalogue(&world, "");

    g_free(mark->space);
    mark->space = g_strdup("openai/large/4");
    assert_found_without_catalogue(&world, "space b1 - 3");
}

static void
test_bad_rows_are_found_source_by_source(void)
{
    g_auto(World) world = world_new();
    SourceCount *source = count_source(&world, "b1", "a", 100);
    source->null_texts = 1;
    source->texts = 99;
    source->null_vectors = 2;
    source->zero_vectors = 3;
    source->odd_vectors = 4;
    source->unit_vectors = 90;
    world.counts->vectors = 95;
    world.counts->unit_vectors = 90;
    world.counts->dimensions = 4;
    count_source(&world, "b1", NULL, 6);

    assert_found_without_catalogue(
        &world, "null-source b1 - 6; null-text b1 a 1; null-vector b1 a 2; zero-vector b1 a 3; "
                "dimensions b1 a 4; length b1 a 5");
}

static void
test_any_length_is_right_where_the_model_makes_any(void)
{
    g_auto(World) world = world_new();
    count_source(&world, "b1", "a", 10)->unit_vectors = 8;
    world.counts->unit_vectors = 8;
    assert_found_without_catalogue(&world, "");

    bot_count_source(counts_bot(world.counts, "b1"), "a")->unit_vectors = 9;
    world.counts->unit_vectors = 9;
    assert_found_without_catalogue(&world, "length b1 a 1");
}

static void
test_a_sitemap_stands_for_its_pages(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_SITEMAP, "https://a.example/sitemap.xml");
    assert_found(&world, "missing b1 https://a.example/sitemap.xml 0");

    count_source(&world, "b1", "https://a.example/1", 3);
    count_source(&world, "b1", "old.txt", 1);
    assert_found(&world, "unnamed b1 old.txt 1");
}

static void
test_a_prefix_stands_for_its_objects(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_S3_PREFIX, "s3://bucket/shared/");
    count_source(&world, "b1", "s3://bucket/other/a.txt", 3);
    assert_found(&world, "missing b1 s3://bucket/shared/ 0; unnamed b1 s3://bucket/other/a.txt 3");

    count_source(&world, "b1", "s3://bucket/shared/a.txt", 3);
    assert_found(&world, "unnamed b1 s3://bucket/other/a.txt 3");
}

static void
test_a_file_in_another_bucket_is_neither_missing_nor_unnamed(void)
{
    g_auto(World) world = world_new();
    expect_bot(&world, "b1", SOURCE_FILE, "ann/b1/documents/a.txt");
    count_source(&world, "b1", "s3://old/ann/b1/documents/a.txt", 3);
    assert_found(&world, "bucket b1 ann/b1/documents/a.txt 3");
}

static void
test_named_bots_should_have_rows_and_excluded_ones_are_passed_over(void)
{
    g_auto(World) world = world_new();
    static char one[] = "b1";
    static char two[] = "b2";
    static char three[] = "b3";
    char *const named[] = {one, two, three, NULL};
    char *const excluded[] = {three, NULL};
    count_source(&world, "b1", "a", 3);
    count_source(&world, "b3", "a", 2)->null_texts = 1;

    const JudgeInput input = {.counts = world.counts, .named = named, .excluded = excluded};
    g_autoptr(Verification) verification = judge_counts(&input);
    g_autofree char *found = spelt(verification);
    g_assert_cmpstr(found, ==, "missing b2 - 0");
    g_assert_cmpint(verification->rows, ==, 3);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/judge-counts/a store that holds what it should has no findings",
        test_a_store_that_holds_what_it_should_has_no_findings);
    g_test_add_func(
        "/judge-counts/an empty store without catalogue has no findings",
        test_an_empty_store_without_catalogue_has_no_findings);
    g_test_add_func(
        "/judge-counts/knowledge without rows is missing", test_knowledge_without_rows_is_missing);
    g_test_add_func(
        "/judge-counts/a source that gave no chunks is not missing",
        test_a_source_that_gave_no_chunks_is_not_missing);
    g_test_add_func(
        "/judge-counts/rows of another source are unnamed",
        test_rows_of_another_source_are_unnamed);
    g_test_add_func(
        "/judge-counts/rows without a bot are orphans", test_rows_without_a_bot_are_orphans);
    g_test_add_func(
        "/judge-counts/nothing is expected of other kinds of bots",
        test_nothing_is_expected_of_other_kinds_of_bots);
    g_test_add_func(
        "/judge-counts/a malformed bot is a difference", test_a_malformed_bot_is_a_difference);
    g_test_add_func(
        "/judge-counts/bots of one id cannot be told apart",
        test_bots_of_one_id_cannot_be_told_apart);
    g_test_add_func(
        "/judge-counts/a text that a source repeats is a remark",
        test_a_text_that_a_source_repeats_is_a_remark);
    g_test_add_func(
        "/judge-counts/a source is loaded twice when every text is there twice",
        test_a_source_is_loaded_twice_when_every_text_is_there_twice);
    g_test_add_func(
        "/judge-counts/a bot is loaded twice when all its sources are",
        test_a_bot_is_loaded_twice_when_all_its_sources_are);
    g_test_add_func(
        "/judge-counts/a mark vouches for a page of one text",
        test_a_mark_vouches_for_a_page_of_one_text);
    g_test_add_func(
        "/judge-counts/rows that were not marked differ", test_rows_that_were_not_marked_differ);
    g_test_add_func(
        "/judge-counts/the sum differs where no source does",
        test_the_sum_differs_where_no_source_does);
    g_test_add_func(
        "/judge-counts/a mark tells what happened to its bot",
        test_a_mark_tells_what_happened_to_its_bot);
    g_test_add_func(
        "/judge-counts/rows that a failed source keeps are partial",
        test_rows_that_a_failed_source_keeps_are_partial);
    g_test_add_func(
        "/judge-counts/most rows say which space is right",
        test_most_rows_say_which_space_is_right);
    g_test_add_func(
        "/judge-counts/bad rows are found source by source",
        test_bad_rows_are_found_source_by_source);
    g_test_add_func(
        "/judge-counts/any length is right where the model makes any",
        test_any_length_is_right_where_the_model_makes_any);
    g_test_add_func(
        "/judge-counts/a sitemap stands for its pages", test_a_sitemap_stands_for_its_pages);
    g_test_add_func(
        "/judge-counts/a prefix stands for its objects", test_a_prefix_stands_for_its_objects);
    g_test_add_func(
        "/judge-counts/a file in another bucket is neither missing nor unnamed",
        test_a_file_in_another_bucket_is_neither_missing_nor_unnamed);
    g_test_add_func(
        "/judge-counts/named bots should have rows, and excluded ones are passed over",
        test_named_bots_should_have_rows_and_excluded_ones_are_passed_over);
    return g_test_run();
}
