#include "base/text.h"

#include <string.h>

static void
test_control_characters_never_reach_a_terminal(void)
{
    g_autofree char *safe = text_safe("a\033[31mb\x07"
                                      "c\nd\xc2\x9b"
                                      "e\x7f");
    g_assert_cmpstr(safe, ==, "a [31mb c d e ");
}

static void
test_bytes_that_are_no_text_are_replaced(void)
{
    g_autofree char *safe = text_safe("a\xff\xfe");
    g_assert_true(g_utf8_validate(safe, -1, NULL));
    g_assert_true(g_str_has_prefix(safe, "a"));
}

static void
test_a_line_cannot_be_turned_or_broken(void)
{
    g_autofree char *safe = text_safe("a\xe2\x80\xae"
                                      "b\xe2\x81\xa7"
                                      "c\xe2\x80\xa8"
                                      "d");
    g_assert_cmpstr(safe, ==, "a b c d");
}

static void
test_columns_are_those_of_a_terminal(void)
{
    g_assert_cmpuint(text_columns("abc"), ==, 3);
    g_assert_cmpuint(text_columns("データ"), ==, 6);
    g_assert_cmpuint(text_columns("e\xcc\x81"), ==, 1);
}

static void
assert_cut(const char *text, guint columns, const char *expected)
{
    g_autofree char *cut = text_cut(text, columns);
    g_assert_cmpstr(cut, ==, expected);
}

static void
test_a_cut_text_fits(void)
{
    assert_cut("harbour", 7, "harbour");
    assert_cut("harbour", 6, "harbo…");
    assert_cut("harbour", 1, "…");
    assert_cut("harbour", 0, "");
    assert_cut("データ", 6, "データ");
    assert_cut("データ", 5, "デー…");
    assert_cut("データ", 4, "デ…"); /* the second one would need both columns */
    assert_cut("", 3, "");
}

static void
test_numbers_read_well(void)
{
    g_autofree char *count = text_count(1234567);
    g_autofree char *small = text_count(999);
    g_autofree char *minutes = text_duration(130);
    g_autofree char *hours = text_duration(3900);
    g_autofree char *unknown = text_duration(-1);
    g_autofree char *usd = text_usd(0.00123);

    g_assert_cmpstr(count, ==, "1,234,567");
    g_assert_cmpstr(small, ==, "999");
    g_assert_cmpstr(minutes, ==, "2 min 10 s");
    g_assert_cmpstr(hours, ==, "1 h 5 min");
    g_assert_cmpstr(unknown, ==, "unknown");
    g_assert_cmpstr(usd, ==, "$0.0012");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/text/control-characters-never-reach-a-terminal",
        test_control_characters_never_reach_a_terminal);
    g_test_add_func(
        "/text/bytes-that-are-no-text-are-replaced", test_bytes_that_are_no_text_are_replaced);
    g_test_add_func(
        "/text/a-line-cannot-be-turned-or-broken", test_a_line_cannot_be_turned_or_broken);
    g_test_add_func("/text/columns-are-those-of-a-terminal", test_columns_are_those_of_a_terminal);
    g_test_add_func("/text/a-cut-text-fits", test_a_cut_text_fits);
    g_test_add_func("/text/numbers-read-well", test_numbers_read_well);
    return g_test_run();
}
