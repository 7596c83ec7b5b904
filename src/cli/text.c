#include "cli/text.h"

#include "base/secret.h"

#include <stdio.h>

#define MAX_CELL_COLUMNS 48

struct TextTable
{
    guint columns;
    GPtrArray *rows; /* of char **, the titles first */
};

/* What fits into a cell, and no password; the last one of a row has all the room it wants. */
static char *
cell_text(const char *text, bool last)
{
    g_autofree char *open = secret_hidden(text);
    return last ? text_safe(open) : text_cut(open, MAX_CELL_COLUMNS);
}

static void
free_row(void *row)
{
    g_strfreev(row);
}

void
text_table_add(TextTable *table, const char *const *cells)
{
    char **row = g_new0(char *, table->columns + 1);
    for (guint i = 0; i < table->columns; i++)
        row[i] = cell_text(cells[i] == NULL ? "" : cells[i], i + 1 == table->columns);
    g_ptr_array_add(table->rows, row);
}

TextTable *
text_table_new(const char *const *titles)
{
    TextTable *table = g_new0(TextTable, 1);
    while (titles[table->columns] != NULL)
        table->columns++;
    table->rows = g_ptr_array_new_with_free_func(free_row);
    text_table_add(table, titles);
    return table;
}

void
text_table_free(TextTable *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table);
}

static guint
column_width(const TextTable *table, guint column)
{
    guint width = 0;
    for (guint i = 0; i < table->rows->len; i++)
        width = MAX(width, text_columns(((char **) table->rows->pdata[i])[column]));
    return width;
}

void
text_table_write(const TextTable *table, FILE *to)
{
    g_autofree guint *widths = g_new0(guint, table->columns);
    for (guint column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);

    for (guint i = 0; i < table->rows->len; i++)
    {
        char **row = table->rows->pdata[i];
        for (guint column = 0; column + 1 < table->columns; column++)
            fprintf(
                to, "%s%*s", row[column], (int) (widths[column] - text_columns(row[column]) + 2),
                "");
        fprintf(to, "%s\n", row[table->columns - 1]);
    }
}

void
text_table_print(const TextTable *table)
{
    text_table_write(table, stdout);
}

char *
text_estimate(Estimate estimate, char *(*one)(double) )
{
    if (estimate.expected < 0)
        return g_strdup("unknown");
    g_autofree char *low = one(estimate.low);
    g_autofree char *expected = one(estimate.expected);
    g_autofree char *high = one(estimate.high);
    if (g_str_equal(low, high))
        return g_steal_pointer(&expected);
    return g_strdup_printf("%s (%s to %s)", expected, low, high);
}
