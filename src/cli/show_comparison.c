#include "cli/show_comparison.h"

#include "cli/text.h"

static char *
rows_text(gint64 rows)
{
    return rows == ROWS_UNKNOWN ? g_strdup("") : text_count((double) rows);
}

static const char *
verdict(const TableComparison *table)
{
    if (table_comparison_differs(table))
        return "different";
    return table->problem == NULL ? "equal" : "unknown";
}

static bool
is_shown(const TableComparison *table, bool all)
{
    return all || table_comparison_differs(table) || table->problem != NULL;
}

/* "id = 17, day = 2024-01-01". */
static char *
values_text(const GPtrArray *values)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < values->len; i++)
    {
        const ColumnValue *value = values->pdata[i];
        g_string_append_printf(
            text, "%s%s = %s", i == 0 ? "" : ", ", value->column,
            value->value == NULL ? "NULL" : value->value);
    }
    return g_string_free(text, FALSE);
}

static char *
columns_text(const GPtrArray *columns)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < columns->len; i++)
        g_string_append_printf(
            text, "%s%s", i == 0 ? ": " : ", ", (const char *) columns->pdata[i]);
    return g_string_free(text, FALSE);
}

/* "missing: id = 17", "changed: id = 17: embedding, source". */
static char *
difference_text(const RowDifference *difference)
{
    g_autofree char *values = values_text(difference->values);
    g_autofree char *columns = columns_text(difference->columns);
    g_autofree char *count =
        difference->rows == 1 ? g_strdup("")
                              : g_strdup_printf(" (%" G_GINT64_FORMAT " rows)", difference->rows);

    return g_strdup_printf(
        "%s: %s%s%s%s", row_difference_kind_name(difference->kind),
        difference->has_key ? "" : "a row like ", values, count, columns);
}

static void
add_line(TextTable *shown, const char *what)
{
    const char *cells[] = {"", "", "", "", what};
    text_table_add(shown, cells);
}

static void
add_details(TextTable *shown, const TableComparison *table)
{
    for (guint i = 0; i < table->shape->len; i++)
        add_line(shown, ((const ShapeDifference *) table->shape->pdata[i])->message);
    for (guint i = 0; i < table->differences->len; i++)
    {
        g_autofree char *line = difference_text(table->differences->pdata[i]);
        add_line(shown, line);
    }
    if (table->more)
        add_line(shown, "… and more; --max-differences names more of them");
    if (table->problem != NULL)
        add_line(shown, table->problem);
    if (table->hint != NULL)
        add_line(shown, table->hint);
}

static void
show_tables(const Comparison *comparison, bool all)
{
    static const char *const TITLES[] = {"TABLE", "SOURCE", "TARGET", "ROWS ARE", "WHAT", NULL};
    g_autoptr(TextTable) shown = text_table_new(TITLES);

    for (guint i = 0; i < comparison->tables->len; i++)
    {
        const TableComparison *table = comparison->tables->pdata[i];
        g_autofree char *source = rows_text(table->rows[SIDE_SOURCE]);
        g_autofree char *target = rows_text(table->rows[SIDE_TARGET]);
        const char *cells[] = {table->table, source, target, verdict(table), ""};
        if (!is_shown(table, all))
            continue;
        text_table_add(shown, cells);
        add_details(shown, table);
    }
    text_table_print(shown);
    puts("");
}

static bool
has_anything_to_show(const Comparison *comparison, bool all)
{
    return (all && comparison->tables->len > 0) || comparison_count_different(comparison) > 0 ||
           comparison_count_unproven(comparison) > 0;
}

/* "1 table", "1,200 rows".  Yours. */
static char *
counted(double number, const char *noun)
{
    g_autofree char *count = text_count(number);
    return g_strdup_printf("%s %s%s", count, noun, number == 1 ? "" : "s");
}

static void
show_verdict(const Comparison *comparison)
{
    const guint different = comparison_count_different(comparison);
    const guint unproven = comparison_count_unproven(comparison);
    g_autofree char *tables = counted(comparison->tables->len, "table");
    g_autofree char *rows = counted((double) comparison->rows_done[SIDE_SOURCE], "row");
    g_autofree char *time =
        text_duration((double) (comparison->ended_ms - comparison->started_ms) / 1000);

    printf(
        "Compared the %s of %s (%s) in %s with %s, in %s: ", comparison->level, tables, rows,
        comparison->sides[SIDE_SOURCE], comparison->sides[SIDE_TARGET], time);
    if (different == 0 && unproven == 0)
        fputs("all are equal", stdout);
    else
        printf("%u differ%s", different, different == 1 ? "s" : "");
    if (unproven > 0)
        printf(", %u could not be compared", unproven);
    puts(".");
}

void
show_comparison(const Comparison *comparison, bool all)
{
    if (has_anything_to_show(comparison, all))
        show_tables(comparison, all);
    show_verdict(comparison);
}
