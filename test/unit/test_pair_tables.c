#include "compare/pair_tables.h"

/* What both sides have; the tables of the test. */
typedef struct
{
    GPtrArray *tables;            /* of Table */
    GPtrArray *sides[SIDE_COUNT]; /* of SideTable */
    Comparison *comparison;
    GPtrArray *pairs; /* once they are made */
} Both;

static void
both_clear(Both *both)
{
    g_clear_pointer(&both->pairs, g_ptr_array_unref);
    for (int side = 0; side < SIDE_COUNT; side++)
        g_clear_pointer(&both->sides[side], g_ptr_array_unref);
    g_clear_pointer(&both->tables, g_ptr_array_unref);
    g_clear_pointer(&both->comparison, comparison_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Both, both_clear)

static void
both_init(Both *both)
{
    both->tables = g_ptr_array_new_with_free_func((GDestroyNotify) table_free);
    for (int side = 0; side < SIDE_COUNT; side++)
        both->sides[side] = g_ptr_array_new_with_free_func((GDestroyNotify) side_table_free);
    both->comparison = comparison_new("rows");
}

static SideTable *
add_table(Both *both, Side side, const char *name)
{
    Table *table = table_new();
    SideTable *added = side_table_new(table);

    table->schema = g_strdup("public");
    table->name = g_strdup(name);
    table->quoted = g_strdup_printf("public.%s", name);
    g_ptr_array_add(both->tables, table);
    g_ptr_array_add(both->sides[side], added);
    return added;
}

static SideTable *
add_partition(Both *both, Side side, const char *name, const char *root)
{
    SideTable *partition = add_table(both, side, name);
    partition->root_schema = g_strdup("public");
    partition->root_name = g_strdup(root);
    partition->root_quoted = g_strdup_printf("public.%s", root);
    return partition;
}

/* A column with a binary form. */
static Column *
add_column(SideTable *side, const char *name, const char *type, const char *type_name)
{
    Column *column = g_new0(Column, 1);
    column->name = g_strdup(name);
    column->quoted = g_strdup(name);
    column->type = g_strdup(type);
    column->type_name = g_strdup(type_name);
    column->type_schema = g_strdup("pg_catalog");
    column->number = (int) side->table->columns->len + 1;
    column->portable = true;
    g_ptr_array_add(side->table->columns, column);
    g_hash_table_insert(
        side->sends, GINT_TO_POINTER(column->number), g_strdup_printf("%s_send", type_name));
    return column;
}

static const TablePair *
only_pair(Both *both)
{
    both->pairs = tables_pair(both->sides[SIDE_SOURCE], both->sides[SIDE_TARGET], both->comparison);
    g_assert_cmpuint(both->pairs->len, ==, 1);
    return both->pairs->pdata[0];
}

static const TableComparison *
compared(const Both *both, guint number)
{
    return both->comparison->tables->pdata[number];
}

static ShapeDifferenceKind
shape_kind(const TableComparison *table, guint number)
{
    return ((const ShapeDifference *) table->shape->pdata[number])->kind;
}

static void
test_tables_pair_by_name(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_table(&both, SIDE_SOURCE, "b");
    add_table(&both, SIDE_SOURCE, "a");
    add_table(&both, SIDE_TARGET, "c");
    add_table(&both, SIDE_TARGET, "b");

    const TablePair *pair = only_pair(&both);
    g_assert_cmpstr(pair->comparison->table, ==, "public.b");
    g_assert_cmpuint(both.comparison->tables->len, ==, 3);
    g_assert_cmpint(shape_kind(compared(&both, 0), 0), ==, SHAPE_TABLE_MISSING);
    g_assert_cmpuint(compared(&both, 1)->shape->len, ==, 0);
    g_assert_cmpint(shape_kind(compared(&both, 2), 0), ==, SHAPE_TABLE_EXTRA);
}

static void
test_partitions_pair_one_by_one_when_they_are_the_same(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    for (int side = 0; side < SIDE_COUNT; side++)
    {
        add_partition(&both, (Side) side, "days_1", "days");
        add_partition(&both, (Side) side, "days_2", "days");
    }
    both.pairs = tables_pair(both.sides[SIDE_SOURCE], both.sides[SIDE_TARGET], both.comparison);
    g_assert_cmpuint(both.pairs->len, ==, 2);
    g_assert_cmpstr(compared(&both, 1)->table, ==, "public.days_2");
}

static void
test_other_partitions_are_compared_as_a_whole(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_partition(&both, SIDE_SOURCE, "days_1", "days");
    add_partition(&both, SIDE_SOURCE, "days_2", "days");
    add_partition(&both, SIDE_TARGET, "days_1", "days");
    add_partition(&both, SIDE_TARGET, "days_3", "days");
    add_partition(&both, SIDE_TARGET, "days_4", "days");

    const TablePair *pair = only_pair(&both);
    g_assert_cmpstr(pair->comparison->table, ==, "public.days");
    g_assert_cmpuint(pair->pieces[SIDE_SOURCE]->len, ==, 2);
    g_assert_cmpuint(pair->pieces[SIDE_TARGET]->len, ==, 3);
}

static void
test_a_partitioned_table_pairs_with_a_plain_one(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_partition(&both, SIDE_SOURCE, "days_1", "days");
    add_table(&both, SIDE_TARGET, "days");

    const TablePair *pair = only_pair(&both);
    g_assert_cmpstr(pair->comparison->table, ==, "public.days");
    g_assert_cmpuint(both.comparison->tables->len, ==, 1);
}

static void
test_limits_of_a_type_are_a_difference_and_no_obstacle(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_column(add_table(&both, SIDE_SOURCE, "a"), "v", "public.vector(3)", "vector");
    add_column(add_table(&both, SIDE_TARGET, "a"), "v", "other.vector", "vector");

    const TablePair *pair = only_pair(&both);
    g_assert_cmpuint(pair->columns->len, ==, 1);
    g_assert_cmpuint(pair->comparison->shape->len, ==, 1);
    g_assert_cmpint(shape_kind(pair->comparison, 0), ==, SHAPE_COLUMN_TYPE);
}

static void
test_where_a_type_lives_does_not_matter(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_column(add_table(&both, SIDE_SOURCE, "a"), "v", "public.vector(3)", "vector");
    add_column(add_table(&both, SIDE_TARGET, "a"), "v", "vector(3)", "vector");

    g_assert_cmpuint(only_pair(&both)->comparison->shape->len, ==, 0);
}

static void
test_a_column_of_another_type_takes_no_part(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_column(add_table(&both, SIDE_SOURCE, "a"), "n", "integer", "int4");
    add_column(add_table(&both, SIDE_TARGET, "a"), "n", "bigint", "int8");

    const TablePair *pair = only_pair(&both);
    g_assert_cmpuint(pair->columns->len, ==, 0);
    g_assert_cmpint(shape_kind(pair->comparison, 0), ==, SHAPE_COLUMN_TYPE);
}

static void
test_a_form_that_only_one_side_has_goes_by_text_at_both(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_column(add_table(&both, SIDE_SOURCE, "a"), "c", "text", "text");
    add_column(add_table(&both, SIDE_TARGET, "a"), "c", "text", "text")->portable = false;

    const PairColumn *column = only_pair(&both)->columns->pdata[0];
    g_assert_null(column->sends[SIDE_SOURCE]);
    g_assert_null(column->sends[SIDE_TARGET]);
}

static void
test_the_key_of_either_side_will_do(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_column(add_table(&both, SIDE_SOURCE, "a"), "id", "integer", "int4");
    SideTable *target = add_table(&both, SIDE_TARGET, "a");
    g_ptr_array_add(target->table->key, add_column(target, "id", "integer", "int4"));

    const TablePair *pair = only_pair(&both);
    g_assert_cmpuint(pair->key->len, ==, 1);
    g_assert_true(pair->key->pdata[0] == pair->columns->pdata[0]);
}

static void
test_a_key_that_cannot_be_compared_is_none(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    SideTable *source = add_table(&both, SIDE_SOURCE, "a");
    g_ptr_array_add(source->table->key, add_column(source, "id", "integer", "int4"));
    g_ptr_array_add(source->table->key, add_column(source, "day", "date", "date"));
    add_column(add_table(&both, SIDE_TARGET, "a"), "id", "integer", "int4");

    g_assert_cmpuint(only_pair(&both)->key->len, ==, 0);
}

static void
test_rows_that_cannot_be_read_are_a_problem_and_no_difference(void)
{
    g_auto(Both) both = {0};
    both_init(&both);
    add_table(&both, SIDE_SOURCE, "a");
    add_table(&both, SIDE_TARGET, "a")->problem = g_strdup("no");

    both.pairs = tables_pair(both.sides[SIDE_SOURCE], both.sides[SIDE_TARGET], both.comparison);
    g_assert_cmpuint(both.pairs->len, ==, 0);
    g_assert_cmpstr(compared(&both, 0)->problem, ==, "no, in the target");
    g_assert_false(table_comparison_differs(compared(&both, 0)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pair-tables/tables-pair-by-name", test_tables_pair_by_name);
    g_test_add_func(
        "/pair-tables/partitions-pair-one-by-one-when-they-are-the-same",
        test_partitions_pair_one_by_one_when_they_are_the_same);
    g_test_add_func(
        "/pair-tables/other-partitions-are-compared-as-a-whole",
        test_other_partitions_are_compared_as_a_whole);
    g_test_add_func(
        "/pair-tables/a-partitioned-table-pairs-with-a-plain-one",
        test_a_partitioned_table_pairs_with_a_plain_one);
    g_test_add_func(
        "/pair-tables/limits-of-a-type-are-a-difference-and-no-obstacle",
        test_limits_of_a_type_are_a_difference_and_no_obstacle);
    g_test_add_func(
        "/pair-tables/where-a-type-lives-does-not-matter", test_where_a_type_lives_does_not_matter);
    g_test_add_func(
        "/pair-tables/a-column-of-another-type-takes-no-part",
        test_a_column_of_another_type_takes_no_part);
    g_test_add_func(
        "/pair-tables/a-form-that-only-one-side-has-goes-by-text-at-both",
        test_a_form_that_only_one_side_has_goes_by_text_at_both);
    g_test_add_func(
        "/pair-tables/the-key-of-either-side-will-do", test_the_key_of_either_side_will_do);
    g_test_add_func(
        "/pair-tables/a-key-that-cannot-be-compared-is-none",
        test_a_key_that_cannot_be_compared_is_none);
    g_test_add_func(
        "/pair-tables/rows-that-cannot-be-read-are-a-problem-and-no-difference",
        test_rows_that_cannot_be_read_are_a_problem_and_no_difference);
    return g_test_run();
}
