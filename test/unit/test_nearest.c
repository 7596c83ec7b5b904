#include "base/nearest.h"

#include <glib.h>

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static void
test_finds_the_word_with_the_smallest_distance(void)
{
    char plan[] = "plan", apply[] = "apply", status[] = "status";
    char *const *words = WORDS(plan, apply, status);

    g_assert_cmpstr(nearest("aply", words), ==, "apply");
    g_assert_cmpstr(nearest("statsu", words), ==, "status");
    g_assert_cmpstr(nearest("plane", words), ==, "plan");
    g_assert_cmpstr(nearest("apply", words), ==, "apply");
}

static void
test_counts_what_is_missing_at_either_end(void)
{
    char kitten[] = "kitten", sitting[] = "sitting";
    char *const *words = WORDS(kitten, sitting);

    g_assert_cmpstr(nearest("itting", words), ==, "sitting");
    g_assert_cmpstr(nearest("kitte", words), ==, "kitten");
}

static void
test_counts_what_is_too_much_in_the_middle(void)
{
    char apply[] = "apply", plan[] = "plan", status[] = "status";
    char *const *words = WORDS(apply, plan, status);

    g_assert_cmpstr(nearest("applsy", words), ==, "apply");
    g_assert_cmpstr(nearest("statuss", words), ==, "status");
    g_assert_cmpstr(nearest("plasn", words), ==, "plan");
}

static void
test_the_first_of_equals_wins(void)
{
    char cat[] = "cat", hat[] = "hat";
    g_assert_cmpstr(nearest("bat", WORDS(cat, hat)), ==, "cat");
    g_assert_cmpstr(nearest("", WORDS(hat, cat)), ==, "hat");
}

static void
test_an_empty_candidate_is_one(void)
{
    char nothing[] = "", longer[] = "longer";
    g_assert_cmpstr(nearest("x", WORDS(longer, nothing)), ==, "");
}

static void
test_of_none_there_is_none(void)
{
    char *const none[] = {NULL};
    g_assert_null(nearest("word", none));
    g_assert_null(nearest("word", NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/nearest/" #name, test_##name)
    TEST(finds_the_word_with_the_smallest_distance);
    TEST(counts_what_is_missing_at_either_end);
    TEST(counts_what_is_too_much_in_the_middle);
    TEST(the_first_of_equals_wins);
    TEST(an_empty_candidate_is_one);
    TEST(of_none_there_is_none);
    return g_test_run();
}
