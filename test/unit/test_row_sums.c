#include "compare/row_sums.h"

/* A row with that hash, in that bucket. */
static void
add_row(RowSums *sums, int bucket, const char *first, const char *second)
{
    RowSums one = {.rows = 1};
    one.buckets[bucket] = (RowBucket){1, {row_sum_parse(first), row_sum_parse(second)}};
    row_sums_add(sums, &one);
}

static void
test_numbers_of_any_length_are_taken_modulo_2_to_the_64(void)
{
    g_assert_cmpuint(row_sum_parse("0"), ==, 0);
    g_assert_cmpuint(row_sum_parse("17"), ==, 17);
    g_assert_cmpuint(row_sum_parse("-1"), ==, G_MAXUINT64);
    g_assert_cmpuint(row_sum_parse("18446744073709551615"), ==, G_MAXUINT64);
    g_assert_cmpuint(row_sum_parse("18446744073709551619"), ==, 3);
    g_assert_cmpuint(row_sum_parse("-9223372036854775808"), ==, (guint64) 1 << 63);
    g_assert_cmpuint(row_sum_parse("-184467440737095516160000"), ==, 0);
}

static void
test_the_order_of_rows_does_not_matter(void)
{
    RowSums left = {0};
    RowSums right = {0};

    add_row(&left, 3, "9223372036854775807", "-5");
    add_row(&left, 3, "9223372036854775807", "-6");
    add_row(&right, 3, "9223372036854775807", "-6");
    g_assert_false(row_sums_equal(&left, &right));
    add_row(&right, 3, "9223372036854775807", "-5");
    g_assert_true(row_sums_equal(&left, &right));
    g_assert_cmpint(left.rows, ==, 2);
}

static void
test_two_of_one_row_are_not_none(void)
{
    RowSums none = {0};
    RowSums twice = {0};

    add_row(&twice, 0, "12", "13");
    add_row(&twice, 0, "12", "13");
    g_assert_false(row_sums_equal(&none, &twice));
}

static void
test_rows_whose_hashes_are_zero_still_count(void)
{
    RowSums none = {0};
    RowSums one = {0};

    add_row(&one, 200, "0", "0");
    g_assert_false(row_sums_equal(&none, &one));
}

static void
test_either_half_of_a_hash_is_enough_to_differ(void)
{
    RowSums left = {0};
    RowSums first = {0};
    RowSums second = {0};

    add_row(&left, 0, "1", "2");
    add_row(&first, 0, "7", "2");
    add_row(&second, 0, "1", "7");
    g_assert_false(row_sums_equal(&left, &first));
    g_assert_false(row_sums_equal(&left, &second));
}

static void
test_only_buckets_that_differ_are_named(void)
{
    RowSums left = {0};
    RowSums right = {0};

    add_row(&left, 0, "1", "1");
    add_row(&right, 0, "1", "1");
    add_row(&left, 17, "1", "1");
    add_row(&right, ROW_BUCKETS - 1, "1", "1");
    g_autoptr(GArray) different = row_sums_different(&left, &right);
    g_assert_cmpuint(different->len, ==, 2);
    g_assert_cmpint(g_array_index(different, int, 0), ==, 17);
    g_assert_cmpint(g_array_index(different, int, 1), ==, ROW_BUCKETS - 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/row-sums/numbers-of-any-length-are-taken-modulo-2-to-the-64",
        test_numbers_of_any_length_are_taken_modulo_2_to_the_64);
    g_test_add_func(
        "/row-sums/the-order-of-rows-does-not-matter", test_the_order_of_rows_does_not_matter);
    g_test_add_func("/row-sums/two-of-one-row-are-not-none", test_two_of_one_row_are_not_none);
    g_test_add_func(
        "/row-sums/rows-whose-hashes-are-zero-still-count",
        test_rows_whose_hashes_are_zero_still_count);
    g_test_add_func(
        "/row-sums/either-half-of-a-hash-is-enough-to-differ",
        test_either_half_of_a_hash_is_enough_to_differ);
    g_test_add_func(
        "/row-sums/only-buckets-that-differ-are-named", test_only_buckets_that_differ_are_named);
    return g_test_run();
}
