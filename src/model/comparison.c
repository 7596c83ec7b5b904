#include "model/comparison.h"

const char *
side_name(Side side)
{
    return side == SIDE_SOURCE ? "source" : "target";
}

const char *
row_difference_kind_name(RowDifferenceKind kind)
{
    static const char *const NAMES[] = {
        [ROW_MISSING] = "missing", [ROW_EXTRA] = "extra", [ROW_CHANGED] = "changed"};
    return NAMES[kind];
}

const char *
shape_difference_kind_name(ShapeDifferenceKind kind)
{
    static const char *const NAMES[SHAPE_COUNT] = {
        [SHAPE_TABLE_MISSING] = "table-missing",   [SHAPE_TABLE_EXTRA] = "table-extra",
        [SHAPE_COLUMN_MISSING] = "column-missing", [SHAPE_COLUMN_EXTRA] = "column-extra",
        [SHAPE_COLUMN_TYPE] = "column-type",
    };
    return NAMES[kind];
}

/* As valid UTF-8, whatever the server's encoding let in; NULL for NULL. */
static char *
valid(const char *text)
{
    return text == NULL ? NULL : g_utf8_make_valid(text, -1);
}

static void
column_value_free(void *data)
{
    ColumnValue *value = data;
    g_free(value->column);
    g_free(value->value);
    g_free(value);
}

RowDifference *
row_difference_new(RowDifferenceKind kind, gint64 rows)
{
    RowDifference *difference = g_new0(RowDifference, 1);
    difference->kind = kind;
    difference->rows = rows;
    difference->values = g_ptr_array_new_with_free_func(column_value_free);
    difference->columns = g_ptr_array_new_with_free_func(g_free);
    return difference;
}

void
row_difference_free(RowDifference *difference)
{
    if (difference == NULL)
        return;
    g_ptr_array_unref(difference->values);
    g_ptr_array_unref(difference->columns);
    g_free(difference);
}

void
row_difference_add_value(RowDifference *difference, const char *column, const char *value)
{
    ColumnValue *added = g_new0(ColumnValue, 1);
    added->column = valid(column);
    added->value = valid(value);
    g_ptr_array_add(difference->values, added);
}

void
row_difference_add_column(RowDifference *difference, const char *column)
{
    g_ptr_array_add(difference->columns, valid(column));
}

static void
shape_difference_free(void *data)
{
    ShapeDifference *difference = data;
    g_free(difference->column);
    g_free(difference->message);
    g_free(difference);
}

void
table_comparison_add_shape(
    TableComparison *table, ShapeDifferenceKind kind, const char *column, char *message)
{
    ShapeDifference *difference = g_new0(ShapeDifference, 1);
    difference->kind = kind;
    difference->column = valid(column);
    difference->message = valid(message);
    g_free(message);
    g_ptr_array_add(table->shape, difference);
}

void
table_comparison_set_problem(TableComparison *table, const char *problem, const char *hint)
{
    if (table->problem != NULL)
        return;
    table->problem = valid(problem);
    table->hint = valid(hint);
}

bool
table_comparison_differs(const TableComparison *table)
{
    return table->shape->len > 0 || table->rows_differ;
}

static void
table_comparison_free(void *data)
{
    TableComparison *table = data;
    g_free(table->table);
    g_free(table->problem);
    g_free(table->hint);
    g_ptr_array_unref(table->shape);
    g_ptr_array_unref(table->differences);
    g_free(table);
}

Comparison *
comparison_new(const char *level)
{
    Comparison *comparison = g_new0(Comparison, 1);
    comparison->level = g_strdup(level);
    comparison->tables = g_ptr_array_new_with_free_func(table_comparison_free);
    return comparison;
}

void
comparison_free(Comparison *comparison)
{
    if (comparison == NULL)
        return;
    for (int side = 0; side < SIDE_COUNT; side++)
        g_free(comparison->sides[side]);
    g_free(comparison->level);
    g_ptr_array_unref(comparison->tables);
    g_free(comparison);
}

TableComparison *
comparison_add(Comparison *comparison, const char *table)
{
    TableComparison *added = g_new0(TableComparison, 1);
    added->table = valid(table);
    added->rows[SIDE_SOURCE] = ROWS_UNKNOWN;
    added->rows[SIDE_TARGET] = ROWS_UNKNOWN;
    added->shape = g_ptr_array_new_with_free_func(shape_difference_free);
    added->differences = g_ptr_array_new_with_free_func((GDestroyNotify) row_difference_free);
    g_ptr_array_add(comparison->tables, added);
    return added;
}

guint
comparison_count_different(const Comparison *comparison)
{
    guint count = 0;
    for (guint i = 0; i < comparison->tables->len; i++)
        count += table_comparison_differs(comparison->tables->pdata[i]) ? 1 : 0;
    return count;
}

guint
comparison_count_unproven(const Comparison *comparison)
{
    guint count = 0;
    for (guint i = 0; i < comparison->tables->len; i++)
        count += ((const TableComparison *) comparison->tables->pdata[i])->problem != NULL ? 1 : 0;
    return count;
}
