#include "chunk/chars.h"
#include "chunk/punkt.h"
#include "golden.h"

#include <string.h>

/* The text with a bar in front of each sentence but the first. */
static char *
barred(const char *text)
{
    GString *string = g_string_new(NULL);
    const char *start = text;
    SentenceEnd found;
    Punkt punkt;

    punkt_begin(&punkt, text, text + strlen(text));
    while (punkt_next(&punkt, &found) && *found.next != '\0')
    {
        g_string_append_len(string, start, found.next - start);
        g_string_append_c(string, '|');
        start = found.next;
    }
    g_string_append(string, start);
    return g_string_free(string, FALSE);
}

static void
assert_sentences(const char *expected)
{
    g_auto(GStrv) sentences = g_strsplit(expected, "|", -1);
    g_autofree char *text = g_strjoinv("", sentences);
    g_autofree char *actual = barred(text);

    g_assert_cmpstr(actual, ==, expected);
}

static void
test_a_mark_with_a_space_ends_a_sentence(void)
{
    assert_sentences("One. |Two? |Three! |Four");
    assert_sentences("Ende.\xC2\xA0|Neu");
    assert_sentences("Version 3.5 of a.b.c");
    assert_sentences("これは。あれは？それ．でも");
}

static void
test_the_last_mark_ends_nothing(void)
{
    assert_sentences("");
    assert_sentences(" \n ");
    assert_sentences("Hello");
    assert_sentences("Hello.");
    assert_sentences("Hello. ");
    assert_sentences("\"Hello.\" ");
}

static void
test_a_newline_ends_nothing(void)
{
    assert_sentences("Heading\n\n\n- a bullet\n- another. |Text");
}

static void
test_no_abbreviation_is_known(void)
{
    assert_sentences("St. |Louis has No. |5, e.g. |this, says Mr. |Brown.");
}

static void
test_initials_and_ordinals_hold_together(void)
{
    assert_sentences("J. Smith wrote it. |He did.");
    assert_sentences("Am 1. januar 2024. |Am 2. |Januar.");
    assert_sentences("Chapter 5. ; x");
    assert_sentences("\xC3\x84. M\xC3\xBCller"); /* Ä. */
    assert_sentences("\xD9\xA3. januar");        /* an Arabic digit */
}

static void
test_an_ellipsis_ends_nothing(void)
{
    assert_sentences("Wait... Then go");
    assert_sentences("Wait...) Then go");
    assert_sentences("Wait. |...then go");
}

static void
test_closing_quotes_belong_to_the_sentence(void)
{
    assert_sentences("He said \"Hi.\" |Then he left.");
    assert_sentences("(It is so.) |And so on.");
    assert_sentences("a!)|--b");
    assert_sentences("a!|)b c");
    assert_sentences("a!|(b");
}

static void
test_of_the_marks_in_a_word_the_last_counts(void)
{
    assert_sentences("Very bad acting!!! |I promise.");
    assert_sentences("Bad !|!! |I promise.");
}

static void
check_spans(const Json *line)
{
    const char *text = json_text(line, "text");
    const char *end = text + strlen(text);
    const Json *spans = json_object_get(line, "spans");
    const char *start = text;
    size_t count = 0;
    SentenceEnd found;
    Punkt punkt;

    g_test_message("%s", text);
    punkt_begin(&punkt, text, end);
    while (start < end && chars_strip_end(start, end) > start)
    {
        const char *next = punkt_next(&punkt, &found) ? found.next : end;
        const char *stripped = chars_strip_end(start, next);
        const Json *span = json_array_get(spans, count++);

        g_assert_cmpint(
            json_integer_value(json_array_get(span, 0)), ==, (json_int_t) chars_count(text, start));
        g_assert_cmpint(
            json_integer_value(json_array_get(span, 1)), ==,
            (json_int_t) chars_count(text, stripped));
        start = next;
    }
    g_assert_cmpuint(count, ==, json_array_size(spans));
}

static void
test_finds_the_same_sentences_as_nltk(void)
{
    g_assert_cmpint(golden_each("punkt_spans.jsonl.gz", check_spans), ==, 3032);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/punkt/a-mark-with-a-space-ends-a-sentence", test_a_mark_with_a_space_ends_a_sentence);
    g_test_add_func("/punkt/the-last-mark-ends-nothing", test_the_last_mark_ends_nothing);
    g_test_add_func("/punkt/a-newline-ends-nothing", test_a_newline_ends_nothing);
    g_test_add_func("/punkt/no-abbreviation-is-known", test_no_abbreviation_is_known);
    g_test_add_func(
        "/punkt/initials-and-ordinals-hold-together", test_initials_and_ordinals_hold_together);
    g_test_add_func("/punkt/an-ellipsis-ends-nothing", test_an_ellipsis_ends_nothing);
    g_test_add_func(
        "/punkt/closing-quotes-belong-to-the-sentence", test_closing_quotes_belong_to_the_sentence);
    g_test_add_func(
        "/punkt/of-the-marks-in-a-word-the-last-counts",
        test_of_the_marks_in_a_word_the_last_counts);
    g_test_add_func(
        "/punkt/finds-the-same-sentences-as-nltk", test_finds_the_same_sentences_as_nltk);
    return g_test_run();
}
