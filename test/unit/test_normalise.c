#include "extract/normalise.h"

#include <string.h>

static void
assert_becomes(const char *bytes, const char *expected)
{
    g_autofree char *text = normalise_text(bytes, strlen(bytes));
    g_assert_cmpstr(text, ==, expected);
}

static void
test_keeps_plain_text(void)
{
    assert_becomes("a\tb\nc", "a\tb\nc");
}

static void
test_of_nothing_is_nothing(void)
{
    g_autofree char *text = normalise_text(NULL, 0);
    g_assert_cmpstr(text, ==, "");
    assert_becomes(" \r\n\t\f", "");
}

static void
test_composes_characters(void)
{
    assert_becomes("e\xCC\x81", "é");
    assert_becomes("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", "한");
}

static void
test_composes_across_a_dropped_character(void)
{
    assert_becomes("e\u200D\xCC\x81", "é");
}

static void
test_drops_nul_and_controls(void)
{
    g_autofree char *text = normalise_text("a\0b\x01\x1B\x7F", 6);
    g_assert_cmpstr(text, ==, "ab");
    assert_becomes(
        "a\xC2\x9B"
        "b",
        "ab");
}

static void
test_drops_what_has_no_width(void)
{
    assert_becomes("\uFEFFso\u00ADft\u200Ber\u2060", "softer");
}

static void
test_drops_bidi_controls(void)
{
    assert_becomes("\u202Babc\u202C\u200E\u2067def\u2069\u061C", "abcdef");
}

static void
test_has_one_kind_of_line_end(void)
{
    assert_becomes(
        "a\r\nb\rc\fd\u2028e\xC2\x85"
        "f",
        "a\nb\nc\nd\ne\nf");
    assert_becomes("a\r\r\nb", "a\n\nb");
}

static void
test_replaces_what_is_not_utf8(void)
{
    assert_becomes("a\xFFz", "a\uFFFDz");
    assert_becomes("a\xE2\x82", "a\uFFFD\uFFFD");
    assert_becomes("\xED\xA0\x80z", "\uFFFD\uFFFD\uFFFDz");
}

static void
test_keeps_characters_beyond_the_first_plane(void)
{
    assert_becomes("𠮷野家 😀", "𠮷野家 😀");
}

/* Pieces end in the middle of somewhere: nothing may be lost or split there. */
static void
test_is_the_same_for_long_texts(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) expected = g_string_new(NULL);
    for (int i = 0; i < 10000; i++)
    {
        g_string_append(text, "xe\xCC\x81𠮷");
        g_string_append(expected, "xé𠮷");
    }
    assert_becomes(text->str, expected->str);
}

/* Sorting five million marks at once would take hours. */
static void
test_is_quick_for_endless_marks(void)
{
    g_autoptr(GString) text = g_string_new("a");
    for (int i = 0; i < 1000000; i++)
        g_string_append(text, "\xCC\x81\xCC\xA3");
    const gint64 begin = g_get_monotonic_time();
    g_autofree char *normal = normalise_text(text->str, text->len);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 20 * G_USEC_PER_SEC);
    g_assert_true(g_str_has_prefix(normal, "ạ"));

    g_autofree char *again = normalise_text(normal, strlen(normal));
    g_assert_true(strcmp(again, normal) == 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/normalise/keeps plain text", test_keeps_plain_text);
    g_test_add_func("/normalise/of nothing is nothing", test_of_nothing_is_nothing);
    g_test_add_func("/normalise/composes characters", test_composes_characters);
    g_test_add_func(
        "/normalise/composes across a dropped character", test_composes_across_a_dropped_character);
    g_test_add_func("/normalise/drops NUL and controls", test_drops_nul_and_controls);
    g_test_add_func("/normalise/drops what has no width", test_drops_what_has_no_width);
    g_test_add_func("/normalise/drops bidi controls", test_drops_bidi_controls);
    g_test_add_func("/normalise/has one kind of line end", test_has_one_kind_of_line_end);
    g_test_add_func("/normalise/replaces what is not UTF-8", test_replaces_what_is_not_utf8);
    g_test_add_func(
        "/normalise/keeps characters beyond the first plane",
        test_keeps_characters_beyond_the_first_plane);
    g_test_add_func("/normalise/is the same for long texts", test_is_the_same_for_long_texts);
    g_test_add_func("/normalise/is quick for endless marks", test_is_quick_for_endless_marks);
    return g_test_run();
}
