#include "base/error.h"
#include "compare/merge_rows.h"

/* A list that stands here. */
typedef struct
{
    const ListedRow *rows;
    int at;
    int fails_at; /* 0: never */
} Written;

static bool
next_written(void *data, ListedRow *row, GError **error)
{
    Written *written = data;
    if (written->fails_at > 0 && written->at + 1 == written->fails_at)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_CONNECT, "lost");
        return false;
    }
    *row = written->rows[written->at];
    if (row->key != NULL)
        written->at++;
    return true;
}

typedef struct
{
    GString *text;
    int enough; /* so many are; 0: never */
} Notes;

static bool
note(void *data, RowDifferenceKind kind, gint64 rows, const char *const places[SIDE_COUNT])
{
    Notes *notes = data;
    g_string_append_printf(
        notes->text, "%s %d %s %s;", row_difference_kind_name(kind), (int) rows,
        places[SIDE_SOURCE] == NULL ? "-" : places[SIDE_SOURCE],
        places[SIDE_TARGET] == NULL ? "-" : places[SIDE_TARGET]);
    return --notes->enough != 0;
}

static void
assert_found(const ListedRow *source, const ListedRow *target, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    Written left = {.rows = source};
    Written right = {.rows = target};
    Notes notes = {.text = text};
    const RowReader source_reader = {next_written, &left};
    const RowReader target_reader = {next_written, &right};
    const RowFinder finder = {note, &notes};

    g_assert_true(merge_rows(&source_reader, &target_reader, &finder, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(text->str, ==, expected);
}

static void
test_equal_lists_differ_in_nothing(void)
{
    const ListedRow none[] = {{0}};
    const ListedRow rows[] = {{"a", "1", "p", 1}, {"b", "1", "q", 3}, {0}};
    const ListedRow elsewhere[] = {{"a", "1", "x", 1}, {"b", "1", "y", 3}, {0}};

    assert_found(none, none, "");
    assert_found(rows, elsewhere, "");
}

static void
test_every_difference_has_its_kind(void)
{
    const ListedRow source[] = {{"a", "1", "p", 1}, {"b", "1", "q", 1}, {"d", "1", "r", 1}, {0}};
    const ListedRow target[] = {{"b", "2", "s", 1}, {"c", "1", "t", 1}, {"d", "1", "u", 1}, {0}};

    assert_found(source, target, "missing 1 p -;changed 1 q s;extra 1 - t;");
    assert_found(target, source, "extra 1 - p;changed 1 s q;missing 1 t -;");
}

static void
test_the_end_of_one_list_is_not_the_end(void)
{
    const ListedRow none[] = {{0}};
    const ListedRow rows[] = {{"a", "1", "p", 1}, {"b", "1", "q", 2}, {0}};

    assert_found(rows, none, "missing 1 p -;missing 2 q -;");
    assert_found(none, rows, "extra 1 - p;extra 2 - q;");
}

static void
test_rows_of_one_key_cancel_hash_by_hash(void)
{
    const ListedRow source[] = {{"a", "1", "p", 1}, {"a", "2", "q", 1}, {0}};
    const ListedRow target[] = {{"a", "0", "r", 1}, {"a", "2", "s", 1}, {"a", "3", "t", 1}, {0}};

    assert_found(source, target, "changed 1 p r;extra 1 p r;");
}

static void
test_only_what_is_too_much_of_a_row_counts(void)
{
    const ListedRow source[] = {{"a", "a", "p", 5}, {"b", "b", "q", 1}, {0}};
    const ListedRow target[] = {{"a", "a", "r", 3}, {"b", "b", "s", 4}, {0}};

    assert_found(source, target, "missing 2 p -;extra 3 - s;");
}

static void
test_enough_is_no_error(void)
{
    const ListedRow none[] = {{0}};
    const ListedRow rows[] = {{"a", "1", "p", 1}, {"b", "1", "q", 1}, {"c", "1", "r", 1}, {0}};
    g_autoptr(GString) text = g_string_new(NULL);
    Written left = {.rows = rows};
    Written right = {.rows = none};
    Notes notes = {.text = text, .enough = 2};
    const RowReader source_reader = {next_written, &left};
    const RowReader target_reader = {next_written, &right};
    const RowFinder finder = {note, &notes};

    g_assert_true(merge_rows(&source_reader, &target_reader, &finder, NULL));
    g_assert_cmpstr(text->str, ==, "missing 1 p -;missing 1 q -;");
}

static void
test_a_lost_list_is_an_error_and_no_end(void)
{
    const ListedRow rows[] = {{"a", "1", "p", 1}, {"b", "1", "q", 1}, {0}};
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    Written left = {.rows = rows};
    Written right = {.rows = rows, .fails_at = 2};
    Notes notes = {.text = text};
    const RowReader source_reader = {next_written, &left};
    const RowReader target_reader = {next_written, &right};
    const RowFinder finder = {note, &notes};

    g_assert_false(merge_rows(&source_reader, &target_reader, &finder, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_cmpstr(text->str, ==, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/merge-rows/equal-lists-differ-in-nothing", test_equal_lists_differ_in_nothing);
    g_test_add_func(
        "/merge-rows/every-difference-has-its-kind", test_every_difference_has_its_kind);
    g_test_add_func(
        "/merge-rows/the-end-of-one-list-is-not-the-end", test_the_end_of_one_list_is_not_the_end);
    g_test_add_func(
        "/merge-rows/rows-of-one-key-cancel-hash-by-hash",
        test_rows_of_one_key_cancel_hash_by_hash);
    g_test_add_func(
        "/merge-rows/only-what-is-too-much-of-a-row-counts",
        test_only_what_is_too_much_of_a_row_counts);
    g_test_add_func("/merge-rows/enough-is-no-error", test_enough_is_no_error);
    g_test_add_func(
        "/merge-rows/a-lost-list-is-an-error-and-no-end", test_a_lost_list_is_an_error_and_no_end);
    return g_test_run();
}
