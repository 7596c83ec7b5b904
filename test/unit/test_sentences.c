#include "chunk/chars.h"
#include "chunk/sentences.h"

#include <glib.h>
#include <string.h>

/* The parts with a bar in front of each but the first. */
static char *
barred(const char *text, size_t size, bool corrected)
{
    GString *string = g_string_new(NULL);
    const char *start = text;
    const char *end;
    Sentences sentences;

    if (!sentences_begin(&sentences, text, text + strlen(text), size, corrected))
        g_string_append(string, text);
    else
        while ((end = sentences_next(&sentences)) != NULL)
        {
            g_string_append(string, start == text ? "" : "|");
            g_string_append_len(string, start, end - start);
            start = end;
        }
    return g_string_free(string, FALSE);
}

static void
assert_parts(const char *expected, size_t size, bool corrected)
{
    g_auto(GStrv) parts = g_strsplit(expected, "|", -1);
    g_autofree char *text = g_strjoinv("", parts);
    g_autofree char *actual = barred(text, size, corrected);

    g_assert_cmpstr(actual, ==, expected);
}

/* What sentences.c spares itself: cut every part that is too long as if it stood alone. */
static void
cut_literally(const char *start, const char *end, size_t size, bool is_part, GString *string)
{
    SentenceEnd found;
    Punkt punkt;

    punkt_begin(&punkt, start, end);
    bool is_cut =
        !(is_part && chars_fit(start, end, size)) && punkt_next(&punkt, &found) && found.next < end;
    if (!is_cut)
    {
        g_string_append(string, string->len == 0 ? "" : "|");
        g_string_append_len(string, start, end - start);
        return;
    }

    const char *at = start;
    do
    {
        cut_literally(at, found.next, size, true, string);
        at = found.next;
    } while (punkt_next(&punkt, &found) && found.next < end);
    cut_literally(at, end, size, true, string);
}

static void
test_one_sentence_is_not_cut(void)
{
    assert_parts("Hello.", 1, false);
    assert_parts("Hello.", 1, true);
    assert_parts("", 1, false);
    assert_parts("", 1, true);
}

static void
test_a_sentence_that_fits_is_cut_once(void)
{
    assert_parts("No!!! |I won't.", 100, false);
}

static void
test_a_long_sentence_is_cut_as_if_it_stood_alone(void)
{
    assert_parts("No!|!|! |I won't.", 3, false);
    assert_parts("No!!|! |I won't.", 4, false);
}

static void
test_the_second_look_sees_what_many_looks_see(void)
{
    static const char *const ALPHABETS[] = {
        "! x",           "!?.) x",       "!?.)( \r\nx", "!.-)\"x \n", "!)--x ",
        ".\xC2\xA0!\rx", ".\xC2\xA0 \r", "a1.,- !?",    "A. b!?)",
    };

    for (int round = 0; round < 50000; round++)
    {
        const char *alphabet = ALPHABETS[round % (int) G_N_ELEMENTS(ALPHABETS)];
        glong letters = g_utf8_strlen(alphabet, -1);
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GString) expected = g_string_new(NULL);
        size_t size = (size_t) g_test_rand_int_range(1, 12);

        for (int length = g_test_rand_int_range(1, 40); length > 0; length--)
        {
            glong letter = g_test_rand_int_range(0, (gint32) letters);
            g_string_append_unichar(
                text, g_utf8_get_char(g_utf8_offset_to_pointer(alphabet, letter)));
        }
        cut_literally(text->str, text->str + text->len, size, false, expected);
        g_autofree char *actual = barred(text->str, size, false);
        g_assert_cmpstr(actual, ==, expected->str);
    }
}

static void
test_corrected_ends_at_the_marks_of_other_scripts(void)
{
    assert_parts("これは本。|あれは？|そう！", 100, true);
    assert_parts("राम घर गया। |सीता आई॥ |अंत", 100, true);
    assert_parts("أين؟ |هنا۔ |نعم", 100, true);
    assert_parts("One. |二。|Three! |四", 100, true);
}

static void
test_the_guide_knows_no_such_mark(void)
{
    assert_parts("これは本。あれは？そう！", 100, false);
}

static void
test_corrected_leaves_closing_brackets_with_their_sentence(void)
{
    assert_parts("「これは本。」　|（あれは？！）|そう", 100, true);
    assert_parts("他说。|\"你好。|\"", 100, true);
}

static void
test_corrected_leaves_wide_numbers_whole(void)
{
    assert_parts("３．１４です．|はい", 100, true);
}

static void
test_corrected_leaves_variation_selectors_with_their_mark(void)
{
    assert_parts("本。\xEF\xB8\x80|はい", 100, true);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sentences/one-sentence-is-not-cut", test_one_sentence_is_not_cut);
    g_test_add_func(
        "/sentences/a-sentence-that-fits-is-cut-once", test_a_sentence_that_fits_is_cut_once);
    g_test_add_func(
        "/sentences/a-long-sentence-is-cut-as-if-it-stood-alone",
        test_a_long_sentence_is_cut_as_if_it_stood_alone);
    g_test_add_func(
        "/sentences/the-second-look-sees-what-many-looks-see",
        test_the_second_look_sees_what_many_looks_see);
    g_test_add_func(
        "/sentences/corrected-ends-at-the-marks-of-other-scripts",
        test_corrected_ends_at_the_marks_of_other_scripts);
    g_test_add_func("/sentences/the-guide-knows-no-such-mark", test_the_guide_knows_no_such_mark);
    g_test_add_func(
        "/sentences/corrected-leaves-closing-brackets-with-their-sentence",
        test_corrected_leaves_closing_brackets_with_their_sentence);
    g_test_add_func(
        "/sentences/corrected-leaves-wide-numbers-whole", test_corrected_leaves_wide_numbers_whole);
    g_test_add_func(
        "/sentences/corrected-leaves-variation-selectors-with-their-mark",
        test_corrected_leaves_variation_selectors_with_their_mark);
    return g_test_run();
}
