#include "embed/number_lists.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void
assert_rest(const char *text, const char *rest)
{
    g_auto(NumberLists) lists = {0};
    number_lists_take(text, strlen(text), &lists);
    g_assert_cmpstr(lists.text->str, ==, rest);
}

/* The only list's numbers in the list of the root. */
static void
assert_numbers(const char *text, gsize expected_count, const float *expected)
{
    g_auto(NumberLists) lists = {0};
    gsize count = 0;

    number_lists_take(text, strlen(text), &lists);
    g_autoptr(Json) root = json_loadb(lists.text->str, lists.text->len, 0, NULL);
    const float *numbers = number_lists_get(&lists, root, &count);
    g_assert_nonnull(numbers);
    g_assert_cmpuint(count, ==, expected_count);
    g_assert_true(memcmp(numbers, expected, count * sizeof *numbers) == 0);
}
#define ASSERT_NUMBERS(text, ...)                                                                  \
    assert_numbers(text, sizeof((float[]){__VA_ARGS__}) / sizeof(float), (float[]){__VA_ARGS__})

static void
test_a_list_becomes_its_place(void)
{
    assert_rest("[1, 2.5, -3e2]", "[0]");
    assert_rest("{\"a\": [1], \"b\": [ 2 ,\n3 ]}", "{\"a\": [0], \"b\": [1]}");
    assert_rest("[[1,2],[3],[]]", "[[0],[1],[]]");
    assert_rest("", "");
}

static void
test_what_is_not_only_numbers_stays(void)
{
    static const char *const TEXTS[] = {
        "[]",        "[ ]",   "[1,\"2\"]", "[null]",  "[1,null]", "[true,1]", "[{}]",
        "{\"a\":1}", "[1",    "[1,",       "[1,]",    "[,1]",     "[1 2]",    "[1;2]",
        "[",         "]",     "[NaN]",     "[inf]",   "[-]",      "[+1]",     "[.5]",
        "[1.]",      "[01]",  "[-01]",     "[1e]",    "[1e+]",    "[0x10]",   "[1.2.3]",
        "[--1]",     "[1\v]", "[1,\v2]",   "[1_000]", "[1.5f]",   "[1]]1",
    };
    for (guint i = 0; i + 1 < G_N_ELEMENTS(TEXTS); i++)
        assert_rest(TEXTS[i], TEXTS[i]);
    assert_rest("[1]]1", "[0]]1");
}

static void
test_lists_in_texts_are_none(void)
{
    assert_rest("\"[1,2]\"", "\"[1,2]\"");
    assert_rest("{\"a\\\"[1]\":[7]}", "{\"a\\\"[1]\":[0]}");
    assert_rest("[\"\\\\\",[7]]", "[\"\\\\\",[0]]");
    assert_rest("\"never closed [1]", "\"never closed [1]");
    assert_rest("\"\\", "\"\\");
}

static void
test_numbers_are_the_nearest_floats(void)
{
    ASSERT_NUMBERS("[0, -0, 1, -1.5, 100, 0.1]", 0.0F, -0.0F, 1.0F, -1.5F, 100.0F, 0.1F);
    ASSERT_NUMBERS("[1e2, 1E+2, 1.5e-3, 12e0]", 100.0F, 100.0F, 1.5e-3F, 12.0F);
    ASSERT_NUMBERS("[0.0123456793, -0.012345679104328156]", 0.0123456793F, -0.0123456791043F);
    ASSERT_NUMBERS("[3.4028234663852886e38, 1e-45]", FLT_MAX, 1e-45F);
    ASSERT_NUMBERS("[9007199254740993, 18446744073709551616]", 9007199254740993.0F, 0x1p64F);
    ASSERT_NUMBERS("[0.00000000000000000000000000000000001]", 1e-35F);
}

static void
test_what_no_float_holds_is_infinite(void)
{
    ASSERT_NUMBERS("[1e39, -1e39]", INFINITY, -INFINITY);
    ASSERT_NUMBERS("[1e999999999999, -1e99999]", INFINITY, -INFINITY);
    ASSERT_NUMBERS("[1e-99999, -1e-400]", 0.0F, -0.0F);
}

static void
test_absurdly_long_numbers_stay(void)
{
    g_autofree char *digits = g_strnfill(5000, '1');
    g_autofree char *list = g_strdup_printf("[%s]", digits);
    g_autofree char *fraction = g_strdup_printf("[0.%s]", digits);
    assert_rest(list, list);
    assert_rest(fraction, fraction);
}

static void
test_bytes_may_be_any(void)
{
    static const char BYTES[] = "\0[1]\377\"\0[2]\"[3";
    g_auto(NumberLists) lists = {0};

    number_lists_take(BYTES, sizeof BYTES - 1, &lists);
    g_assert_cmpuint(lists.text->len, ==, sizeof BYTES - 1);
    g_assert_true(memcmp(lists.text->str, "\0[0]\377\"\0[2]\"[3", lists.text->len) == 0);
}

static void
test_only_a_place_has_numbers(void)
{
    static const char *const OTHERS[] = {"[]", "[\"x\"]", "[7]", "[-1]", "[0,0]", "{}", "0"};
    g_auto(NumberLists) lists = {0};
    gsize count = 0;

    number_lists_take("[1]", 3, &lists);
    for (guint i = 0; i < G_N_ELEMENTS(OTHERS); i++)
    {
        g_autoptr(Json) value = json_loads(OTHERS[i], JSON_DECODE_ANY, NULL);
        g_assert_null(number_lists_get(&lists, value, &count));
    }
    g_assert_null(number_lists_get(&lists, NULL, &count));
}

/* Numbers as servers write them: with nine digits, seventeen, or as few as are needed. */
static void
print_number(GString *text, double number)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];
    static const char *const FORMATS[] = {"%.9g", "%.17g", "%.3f", "%.12e", "%.25f"};
    const char *format = FORMATS[g_test_rand_int_range(0, G_N_ELEMENTS(FORMATS))];
    g_string_append(text, g_ascii_formatd(buffer, sizeof buffer, format, number));
}

static void
test_agrees_with_a_general_parser(void)
{
    for (int round = 0; round < 300; round++)
    {
        g_autoptr(GString) text = g_string_new("[");
        const int length = g_test_rand_int_range(1, 200);
        for (int i = 0; i < length; i++)
        {
            const double size = pow(10, g_test_rand_int_range(-30, 30));
            g_string_append(text, i == 0 ? "" : ", ");
            print_number(text, g_test_rand_double_range(-1, 1) * (i % 4 == 0 ? size : 1));
        }
        g_string_append_c(text, ']');

        g_autoptr(Json) expected = json_loadb(text->str, text->len, 0, NULL);
        g_autofree float *numbers = g_new(float, (gsize) length);
        for (int i = 0; i < length; i++)
            numbers[i] = (float) json_number_value(json_array_get(expected, (size_t) i));
        assert_numbers(text->str, (gsize) length, numbers);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/number-lists/" #name, test_##name)
    TEST(a_list_becomes_its_place);
    TEST(what_is_not_only_numbers_stays);
    TEST(lists_in_texts_are_none);
    TEST(numbers_are_the_nearest_floats);
    TEST(what_no_float_holds_is_infinite);
    TEST(absurdly_long_numbers_stay);
    TEST(bytes_may_be_any);
    TEST(only_a_place_has_numbers);
    TEST(agrees_with_a_general_parser);
    return g_test_run();
}
