#include "model/comparison_json.h"

static Json *
text_or_null(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static Json *
count_or_null(gint64 rows)
{
    return rows == ROWS_UNKNOWN ? json_null() : json_integer((json_int_t) rows);
}

static Json *
values_to_json(const GPtrArray *values)
{
    Json *object = json_object();
    for (guint i = 0; i < values->len; i++)
    {
        const ColumnValue *value = values->pdata[i];
        json_object_set_new(object, value->column, text_or_null(value->value));
    }
    return object;
}

static Json *
names_to_json(const GPtrArray *names)
{
    Json *list = json_array();
    for (guint i = 0; i < names->len; i++)
        json_array_append_new(list, json_string(names->pdata[i]));
    return list;
}

static Json *
differences_to_json(const TableComparison *table)
{
    Json *list = json_array();
    for (guint i = 0; i < table->differences->len; i++)
    {
        const RowDifference *difference = table->differences->pdata[i];
        Json *values = values_to_json(difference->values);
        Json *key = difference->has_key ? json_incref(values) : json_null();
        json_array_append_new(
            list, json_pack(
                      "{s:o, s:s, s:o, s:I, s:o}", "key", key, "kind",
                      row_difference_kind_name(difference->kind), "columns",
                      names_to_json(difference->columns), "rows", (json_int_t) difference->rows,
                      "row", values));
    }
    return list;
}

static Json *
shape_to_json(const TableComparison *table)
{
    Json *list = json_array();
    for (guint i = 0; i < table->shape->len; i++)
    {
        const ShapeDifference *difference = table->shape->pdata[i];
        json_array_append_new(
            list, json_pack(
                      "{s:s, s:s?, s:s}", "kind", shape_difference_kind_name(difference->kind),
                      "column", difference->column, "message", difference->message));
    }
    return list;
}

static Json *
table_to_json(const TableComparison *table)
{
    const bool differs = table_comparison_differs(table);
    Json *equal = !differs && table->problem != NULL ? json_null() : json_boolean(!differs);
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:s?}", "table", table->table, "rows_old",
        count_or_null(table->rows[SIDE_SOURCE]), "rows_new",
        count_or_null(table->rows[SIDE_TARGET]), "equal", equal, "differences",
        differences_to_json(table), "more", table->more, "shape", shape_to_json(table), "problem",
        table->problem);
}

Json *
comparison_to_json(const Comparison *comparison)
{
    const guint unproven = comparison_count_unproven(comparison);
    const bool differs = comparison_count_different(comparison) > 0;
    Json *tables = json_array();

    for (guint i = 0; i < comparison->tables->len; i++)
        json_array_append_new(tables, table_to_json(comparison->tables->pdata[i]));
    return json_pack(
        "{s:b, s:b, s:s, s:s, s:s, s:o, s:[], s:[], s:f}", "equal", !differs && unproven == 0,
        "proven", unproven == 0, "level", comparison->level, "source",
        comparison->sides[SIDE_SOURCE], "target", comparison->sides[SIDE_TARGET], "tables", tables,
        "bots", "recall", "seconds",
        (double) MAX(comparison->ended_ms - comparison->started_ms, 0) / 1000);
}
