#include "base/error.h"
#include "table/pattern.h"

static void
assert_parsed(const char *text, const char *schema, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_auto(Pattern) pattern = {0};

    g_assert_true(pattern_parse(text, &pattern, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(pattern.schema, ==, schema);
    g_assert_cmpstr(pattern.name, ==, name);
}

static void
test_a_name_matches_itself_alone(void)
{
    assert_parsed("items", NULL, "^(items)$");
}

static void
test_letters_become_lower_case(void)
{
    assert_parsed("Items", NULL, "^(items)$");
}

static void
test_a_dot_parts_schema_and_name(void)
{
    assert_parsed("chat.items", "^(chat)$", "^(items)$");
}

static void
test_star_and_question_mark(void)
{
    assert_parsed("chat.i*m?", "^(chat)$", "^(i.*m.)$");
}

static void
test_quotes_take_everything_as_it_is(void)
{
    assert_parsed("\"Öl.*\"", NULL, "^(Öl\\.\\*)$");
    assert_parsed("\"a \"\"b\"\"\".x", "^(a \"b\")$", "^(x)$");
}

static void
test_a_dollar_is_a_letter(void)
{
    assert_parsed("a$1", NULL, "^(a\\$1)$");
}

static void
test_the_rest_is_a_regular_expression(void)
{
    assert_parsed("(one|two)[0-9]+", NULL, "^((one|two)[0-9]+)$");
}

static void
test_what_is_no_pattern_is_refused(void)
{
    static const char *const WRONG[] = {"", "a.", "a.b.c", "\"a", "\"a\"\""};

    for (size_t i = 0; i < G_N_ELEMENTS(WRONG); i++)
    {
        g_autoptr(GError) error = NULL;
        g_auto(Pattern) pattern = {0};
        g_assert_false(pattern_parse(WRONG[i], &pattern, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/name", test_a_name_matches_itself_alone);
    g_test_add_func("/pattern/case", test_letters_become_lower_case);
    g_test_add_func("/pattern/dot", test_a_dot_parts_schema_and_name);
    g_test_add_func("/pattern/wildcards", test_star_and_question_mark);
    g_test_add_func("/pattern/quotes", test_quotes_take_everything_as_it_is);
    g_test_add_func("/pattern/dollar", test_a_dollar_is_a_letter);
    g_test_add_func("/pattern/regex", test_the_rest_is_a_regular_expression);
    g_test_add_func("/pattern/wrong", test_what_is_no_pattern_is_refused);
    return g_test_run();
}
