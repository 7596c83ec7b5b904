#include "base/error.h"
#include "chunk/split.h"
#include "golden.h"

#include <string.h>
#include <unicode/ubrk.h>

enum
{
    VARIANT_COUNT = SPLIT_CORRECTED + 1,
};

static GPtrArray *
split_all(const char *text, SplitVariant variant, int size, int overlap)
{
    SplitOptions options = {variant, size, overlap};
    g_autoptr(GError) error = NULL;
    GPtrArray *chunks = g_ptr_array_new_with_free_func(g_free);
    char *chunk;

    g_autoptr(Split) split = split_begin(text, &options, &error);
    g_assert_no_error(error);
    while ((chunk = split_next(split)) != NULL)
        g_ptr_array_add(chunks, chunk);
    g_assert_null(split_next(split));
    return chunks;
}

/* The chunks with a bar between them. */
static void
assert_chunks(const char *text, SplitVariant variant, int size, int overlap, const char *expected)
{
    g_autoptr(GPtrArray) chunks = split_all(text, variant, size, overlap);
    g_ptr_array_add(chunks, NULL);
    g_autofree char *actual = g_strjoinv("|", (char **) chunks->pdata);

    g_assert_cmpstr(actual, ==, expected);
}

static void
test_a_text_that_fits_is_one_chunk(void)
{
    for (int variant = 0; variant < VARIANT_COUNT; variant++)
    {
        assert_chunks("Hello. You!", (SplitVariant) variant, 11, 0, "Hello. You!");
        assert_chunks(" \nHello.\t ", (SplitVariant) variant, 100, 0, "Hello.");
    }
}

static void
test_nothing_gives_no_chunk(void)
{
    for (int variant = 0; variant < VARIANT_COUNT; variant++)
    {
        assert_chunks("", (SplitVariant) variant, 10, 0, "");
        assert_chunks("  \n\xC2\xA0 ", (SplitVariant) variant, 2, 1, "");
    }
}

static void
test_characters_are_counted_not_bytes(void)
{
    assert_chunks("äöü äöü", SPLIT_GUIDE, 7, 0, "äöü äöü");
    assert_chunks("äöü äöü", SPLIT_GUIDE, 6, 0, "äöü|äöü");
}

static void
test_overlap_is_made_of_whole_pieces(void)
{
    assert_chunks("aa bb cc dd", SPLIT_GUIDE, 6, 3, "aa bb|bb cc|cc dd");
    assert_chunks("aa bb cc dd", SPLIT_GUIDE, 6, 2, "aa bb|cc dd");
    assert_chunks("abcdefgh", SPLIT_GUIDE, 4, 2, "abcd|cdef|efgh");
}

static void
test_the_guide_may_exceed_the_size(void)
{
    assert_chunks("aa bb cccccc", SPLIT_GUIDE, 7, 6, "aa bb|aa bb cccccc");
    assert_chunks("aa bb cccccc", SPLIT_LATEST, 7, 6, "aa bb|cccccc");
}

static void
test_the_guide_loses_marks_and_latest_does_not(void)
{
    assert_chunks("a,,b..c", SPLIT_GUIDE, 4, 0, "a,b.|c");
    assert_chunks("a,,b..c", SPLIT_LATEST, 4, 0, "a,,|b..c");
}

static void
test_the_guide_takes_backslashes_for_a_paragraph(void)
{
    assert_chunks("ab cd\\n\\n\\nef", SPLIT_GUIDE, 9, 0, "ab cd|\\n\\n\\nef");
    assert_chunks("ab cd\n\n\nef gh", SPLIT_GUIDE, 11, 0, "ab cd\n\n\nef|gh");
    assert_chunks("ab cd\n\n\nef gh", SPLIT_NEWLINES, 11, 0, "ab cd|ef gh");
}

static void
test_sentences_are_looked_for_in_clauses_too(void)
{
    /* The whole has one sentence only, its first clause "a!!." has two. */
    assert_chunks("a!!.)", SPLIT_LATEST, 3, 0, "a!|!.)");
}

static void
test_corrected_keeps_graphemes_whole(void)
{
    /* a family of three (five code points), a flag (two), an e with an accent (two) */
    assert_chunks(
        "👨‍👩‍👧👨‍👩‍👧", SPLIT_CORRECTED, 8, 0,
        "👨‍👩‍👧|👨‍👩‍👧");
    assert_chunks("🇩🇪🇫🇷", SPLIT_CORRECTED, 3, 0, "🇩🇪|🇫🇷");
    assert_chunks("e\u0301e\u0301", SPLIT_CORRECTED, 3, 0, "e\u0301|e\u0301");
    assert_chunks("ab,\u0301c", SPLIT_CORRECTED, 4, 0, "ab,\u0301|c");
}

static void
test_corrected_cuts_a_grapheme_that_fits_nowhere(void)
{
    assert_chunks(
        "e\u0301\u0301\u0301\u0301", SPLIT_CORRECTED, 2, 0, "e\u0301|\u0301\u0301|\u0301");
}

static void
test_corrected_ends_sentences_of_other_scripts(void)
{
    assert_chunks("これは本。」あれ、か。", SPLIT_LATEST, 8, 0, "これは本。|」あれ、か。");
    assert_chunks("これは本。」あれ、か。", SPLIT_CORRECTED, 8, 0, "これは本。」|あれ、か。");
}

static void
test_senseless_options_are_usage_errors(void)
{
    static const SplitOptions SENSELESS[] = {
        {SPLIT_GUIDE, 0, 0},   {SPLIT_GUIDE, -1, 0},       {SPLIT_GUIDE, 10, -1},
        {SPLIT_GUIDE, 10, 11}, {(SplitVariant) 99, 10, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(SENSELESS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(split_begin("text", &SENSELESS[i], &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    }
}

static void
test_other_encodings_are_bad_input(void)
{
    SplitOptions options = {SPLIT_GUIDE, 10, 0};
    g_autoptr(GError) error = NULL;

    g_assert_null(split_begin("caf\xE9", &options, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpstr(error->message, ==, "the text is not UTF-8 at byte 3");
}

static void
test_variants_have_names(void)
{
    SplitVariant variant;

    for (int i = 0; i < VARIANT_COUNT; i++)
    {
        g_assert_true(split_variant_from_name(split_variant_name((SplitVariant) i), &variant));
        g_assert_cmpint((int) variant, ==, i);
    }
    g_assert_false(split_variant_from_name("Guide", &variant));
    g_assert_false(split_variant_from_name("", &variant));
}

static void
test_the_longest_chunk_is_known(void)
{
    g_assert_cmpint(split_longest(&(SplitOptions){SPLIT_GUIDE, 1000, 200}), ==, 1200);
    g_assert_cmpint(split_longest(&(SplitOptions){SPLIT_NEWLINES, 1000, 200}), ==, 1200);
    g_assert_cmpint(split_longest(&(SplitOptions){SPLIT_LATEST, 1000, 200}), ==, 1000);
    g_assert_cmpint(split_longest(&(SplitOptions){SPLIT_CORRECTED, 1000, 200}), ==, 1000);
    g_assert_cmpint(split_longest(&(SplitOptions){SPLIT_GUIDE, G_MAXINT, G_MAXINT}), ==, G_MAXINT);
}

static SplitVariant
golden_variant(const Json *line)
{
    const char *name = json_text(line, "variant");

    if (strcmp(name, "v0.10.44 as called") == 0)
        return SPLIT_GUIDE;
    if (strcmp(name, "v0.10.44 with real newlines") == 0)
        return SPLIT_NEWLINES;
    g_assert_cmpstr(name, ==, "latest");
    return SPLIT_LATEST;
}

static void
check_chunks(const Json *line)
{
    const char *text = json_text(line, "text");
    const Json *expected = json_object_get(line, "chunks");
    int size = (int) json_integer_value(json_object_get(line, "chunk_size"));
    int overlap = (int) json_integer_value(json_object_get(line, "chunk_overlap"));

    g_test_message(
        "%s, %s, %d/%d", json_text(line, "case"), json_text(line, "variant"), size, overlap);
    g_autoptr(GPtrArray) chunks = split_all(text, golden_variant(line), size, overlap);

    /* The library gives one empty chunk here; we never do, see the contract. */
    if (*text == '\0')
    {
        g_assert_cmpuint(json_array_size(expected), ==, 1);
        g_assert_cmpuint(chunks->len, ==, 0);
        return;
    }
    g_assert_cmpuint(chunks->len, ==, json_array_size(expected));
    for (guint i = 0; i < chunks->len; i++)
        g_assert_cmpstr(chunks->pdata[i], ==, json_string_value(json_array_get(expected, i)));
}

static void
test_gives_the_same_chunks_as_llama_index(void)
{
    g_assert_cmpint(golden_each("sentence_splitter.jsonl.gz", check_chunks), ==, 480);
}

/* Bits of text between which it is fine to cut. */
static const char *const BITS[] = {
    "a",         "B",
    "word",      "1",
    ".",         " ",
    "  ",        "!",
    "?",         ",",
    ";",         "-",
    ")",         "\"",
    "(",         "\n",
    "\n\n\n",    "\r\n",
    "\\n\\n\\n", "…",
    "é",         "e\u0301",
    "。",        "？",
    "！",        "、",
    "」",        "本",
    "\u3000",    "\u00A0",
    "।",         "؟",
    "ไทย",       "👨‍👩‍👧",
    "🇩🇪",        "한국어. ",
    "٣.",        "\u2003",
    "Mr. ",      "...",
};

static char *
random_text(void)
{
    GString *text = g_string_new(NULL);
    int bits = g_test_rand_int_range(1, (int) G_N_ELEMENTS(BITS));

    for (int length = g_test_rand_int_range(1, 120); length > 0; length--)
        g_string_append(text, BITS[g_test_rand_int_range(0, bits)]);
    return g_string_free(text, FALSE);
}

static bool
is_white(const char *p)
{
    return g_unichar_isspace(g_utf8_get_char(p));
}

/* Appends all but the white space. */
static void
append_ink(GString *ink, const char *text)
{
    for (const char *p = text; *p != '\0'; p += g_utf8_skip[(guint8) *p])
        if (!is_white(p))
            g_string_append_unichar(ink, g_utf8_get_char(p));
}

static void
test_every_chunk_keeps_the_contract(void)
{
    for (int round = 0; round < 20000; round++)
    {
        g_autofree char *text = random_text();
        int size = g_test_rand_int_range(1, 60);
        SplitOptions options = {
            (SplitVariant) (round % VARIANT_COUNT), size, g_test_rand_int_range(0, size + 1)};
        g_autoptr(GPtrArray) chunks =
            split_all(text, options.variant, options.size, options.overlap);

        for (guint i = 0; i < chunks->len; i++)
        {
            const char *chunk = chunks->pdata[i];
            g_assert_true(g_utf8_validate(chunk, -1, NULL));
            g_assert_cmpstr(chunk, !=, "");
            g_assert_cmpint(g_utf8_strlen(chunk, -1), <=, split_longest(&options));
            g_assert_false(is_white(chunk));
            g_assert_false(is_white(g_utf8_prev_char(chunk + strlen(chunk))));
        }
    }
}

static void
test_latest_and_corrected_lose_nothing(void)
{
    for (int round = 0; round < 20000; round++)
    {
        g_autofree char *text = random_text();
        SplitVariant variant = round % 2 == 0 ? SPLIT_LATEST : SPLIT_CORRECTED;
        g_autoptr(GPtrArray) chunks = split_all(text, variant, g_test_rand_int_range(1, 60), 0);
        g_autoptr(GString) expected = g_string_new(NULL);
        g_autoptr(GString) actual = g_string_new(NULL);

        append_ink(expected, text);
        for (guint i = 0; i < chunks->len; i++)
            append_ink(actual, chunks->pdata[i]);
        g_assert_cmpstr(actual->str, ==, expected->str);
    }
}

/* Finds the chunk from *at on and tells whether it begins and ends between two graphemes. */
static bool
is_whole(UBreakIterator *graphemes, const char *text, const char **at, const char *chunk)
{
    const char *start = strstr(*at, chunk);
    g_assert_nonnull(start);
    *at = start + strlen(chunk);
    return ubrk_isBoundary(graphemes, (int32_t) (start - text)) &&
           ubrk_isBoundary(graphemes, (int32_t) (*at - text));
}

static void
test_corrected_cuts_between_graphemes_only(void)
{
    UErrorCode status = U_ZERO_ERROR;
    UBreakIterator *graphemes = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &status);

    for (int round = 0; round < 10000; round++)
    {
        g_autofree char *text = random_text();
        g_autoptr(GPtrArray) chunks =
            split_all(text, SPLIT_CORRECTED, g_test_rand_int_range(5, 20), 0);
        const char *at = text;
        UText *utext = utext_openUTF8(NULL, text, -1, &status);

        ubrk_setUText(graphemes, utext, &status);
        g_assert_true(U_SUCCESS(status));
        for (guint i = 0; i < chunks->len; i++)
            g_assert_true(is_whole(graphemes, text, &at, chunks->pdata[i]));
        utext_close(utext);
    }
    ubrk_close(graphemes);
}

/* The bit again and again, until there are so many bytes. */
static char *
repeated(const char *bit, size_t bytes)
{
    GString *text = g_string_new(NULL);
    while (text->len < bytes)
        g_string_append(text, bit);
    return g_string_free(text, FALSE);
}

/* As many as a text of that length gives in the worst case. */
static void
assert_few_chunks(const char *text, SplitVariant variant)
{
    g_autoptr(GPtrArray) chunks = split_all(text, variant, 1000, 200);

    g_assert_cmpuint(chunks->len, >, 0);
    g_assert_cmpuint(chunks->len, <, 2 * strlen(text) / 1000 + 10);
}

/*
 * Each of these took the square of its length in one implementation or another:
 * NLTK's, llama-index's, or ours when it was young.  The square of half a megabyte
 * would not end before the test's timeout.
 */
static void
test_hostile_texts_take_linear_time(void)
{
    static const char *const BITS_OF_EVIL[] = {
        "a",       ".",      "a.",     "!",         "!)",       "!(",   "! ",  "!\u00A0",
        ".\u00A0", ". ",     "...)",   ",",         "a,",       "-",    "--",  "!)--",
        " ",       "\u00A0", "\n\n\n", "\\n\\n\\n", "\u0301",   "。",   "」",  "\u200D",
        "🇩",       "?!",     "1.",     "a.\u00A0",  "a!\u3000", "\"'.", "؟\"", "\u1100",
    };
    const size_t bytes = 1 << 19;

    for (size_t i = 0; i < G_N_ELEMENTS(BITS_OF_EVIL); i++)
        for (int variant = 0; variant < VARIANT_COUNT; variant++)
        {
            g_autofree char *evil = repeated(BITS_OF_EVIL[i], bytes);
            g_autofree char *text = g_strconcat(evil, " word", NULL);
            assert_few_chunks(text, (SplitVariant) variant);
        }
}

static void
test_many_marks_behind_a_long_word_take_linear_time(void)
{
    for (int variant = 0; variant < VARIANT_COUNT; variant++)
    {
        g_autofree char *word = repeated("a", 1 << 18);
        g_autofree char *marks = repeated("!", 1 << 18);
        g_autofree char *text = g_strconcat(word, marks, " word", NULL);
        assert_few_chunks(text, (SplitVariant) variant);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/split/a-text-that-fits-is-one-chunk", test_a_text_that_fits_is_one_chunk);
    g_test_add_func("/split/nothing-gives-no-chunk", test_nothing_gives_no_chunk);
    g_test_add_func(
        "/split/characters-are-counted-not-bytes", test_characters_are_counted_not_bytes);
    g_test_add_func("/split/overlap-is-made-of-whole-pieces", test_overlap_is_made_of_whole_pieces);
    g_test_add_func("/split/the-guide-may-exceed-the-size", test_the_guide_may_exceed_the_size);
    g_test_add_func(
        "/split/the-guide-loses-marks-and-latest-does-not",
        test_the_guide_loses_marks_and_latest_does_not);
    g_test_add_func(
        "/split/the-guide-takes-backslashes-for-a-paragraph",
        test_the_guide_takes_backslashes_for_a_paragraph);
    g_test_add_func(
        "/split/sentences-are-looked-for-in-clauses-too",
        test_sentences_are_looked_for_in_clauses_too);
    g_test_add_func("/split/corrected-keeps-graphemes-whole", test_corrected_keeps_graphemes_whole);
    g_test_add_func(
        "/split/corrected-cuts-a-grapheme-that-fits-nowhere",
        test_corrected_cuts_a_grapheme_that_fits_nowhere);
    g_test_add_func(
        "/split/corrected-ends-sentences-of-other-scripts",
        test_corrected_ends_sentences_of_other_scripts);
    g_test_add_func(
        "/split/senseless-options-are-usage-errors", test_senseless_options_are_usage_errors);
    g_test_add_func("/split/other-encodings-are-bad-input", test_other_encodings_are_bad_input);
    g_test_add_func("/split/variants-have-names", test_variants_have_names);
    g_test_add_func("/split/the-longest-chunk-is-known", test_the_longest_chunk_is_known);
    g_test_add_func(
        "/split/gives-the-same-chunks-as-llama-index", test_gives_the_same_chunks_as_llama_index);
    g_test_add_func("/split/every-chunk-keeps-the-contract", test_every_chunk_keeps_the_contract);
    g_test_add_func(
        "/split/latest-and-corrected-lose-nothing", test_latest_and_corrected_lose_nothing);
    g_test_add_func(
        "/split/corrected-cuts-between-graphemes-only", test_corrected_cuts_between_graphemes_only);
    g_test_add_func("/split/hostile-texts-take-linear-time", test_hostile_texts_take_linear_time);
    g_test_add_func(
        "/split/many-marks-behind-a-long-word-take-linear-time",
        test_many_marks_behind_a_long_word_take_linear_time);
    return g_test_run();
}
