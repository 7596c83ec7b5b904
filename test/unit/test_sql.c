#include "pg/sql.h"

static void
assert_filled(char *filled, const char *expected)
{
    g_assert_cmpstr(filled, ==, expected);
    g_free(filled);
}

static void
test_every_name_is_replaced_wherever_it_stands(void)
{
    assert_filled(
        sql_fill(
            "SELECT {column} FROM {table} WHERE {column} > $1", "table", "t", "column", "c", NULL),
        "SELECT c FROM t WHERE c > $1");
    assert_filled(sql_fill("{a}{b}{a}", "a", "1", "b", "22", NULL), "1221");
}

static void
test_values_are_put_in_as_they_are(void)
{
    assert_filled(sql_fill("{table}", "table", "\"a{b}\"\"%s\"", NULL), "\"a{b}\"\"%s\"");
    assert_filled(sql_fill("a{nothing}b", "nothing", "", NULL), "ab");
}

static void
test_without_names_nothing_changes(void)
{
    assert_filled(sql_fill("SELECT 1", NULL), "SELECT 1");
    assert_filled(sql_fill("", "unused", "x", NULL), "");
    assert_filled(sql_fill("a } b { c", NULL), "a } b { c");
}

static void
test_a_name_without_a_value_is_our_mistake(void)
{
    if (g_test_subprocess())
    {
        g_free(sql_fill("SELECT {column}", "table", "t", NULL));
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*value != NULL*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/sql/" #name, test_##name)
    TEST(every_name_is_replaced_wherever_it_stands);
    TEST(values_are_put_in_as_they_are);
    TEST(without_names_nothing_changes);
    TEST(a_name_without_a_value_is_our_mistake);
    return g_test_run();
}
