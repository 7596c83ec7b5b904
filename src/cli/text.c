#include "cli/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_CELL_COLUMNS 48

struct Table
{
    guint columns;
    GPtrArray *rows; /* of char **, the titles first */
};

char *
text_safe(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *safe = g_string_new(NULL);

    for (const char *at = valid; *at != '\0'; at += g_utf8_skip[(guchar) *at])
    {
        const gunichar c = g_utf8_get_char(at);
        const bool bidi = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        if (g_unichar_iscntrl(c) || bidi)
            g_string_append_c(safe, ' ');
        else
            g_string_append_unichar(safe, c);
    }
    return g_string_free(safe, FALSE);
}

static guint
columns_of(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

static guint
width_of(const char *text)
{
    guint width = 0;
    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(guchar) *at])
        width += columns_of(g_utf8_get_char(at));
    return width;
}

char *
text_shortened(const char *text, guint columns)
{
    g_autofree char *safe = text_safe(text);
    const char *end = safe;
    guint width = 0;

    if (width_of(safe) <= columns)
        return g_steal_pointer(&safe);
    while (width + columns_of(g_utf8_get_char(end)) < columns)
    {
        width += columns_of(g_utf8_get_char(end));
        end += g_utf8_skip[(guchar) *end];
    }
    return g_strdup_printf("%.*s…", (int) (end - safe), safe);
}

/* The last cell of a row has all the room it wants. */
static char *
cell_text(const char *text, bool last)
{
    return last ? text_safe(text) : text_shortened(text, MAX_CELL_COLUMNS);
}

static void
free_row(void *row)
{
    g_strfreev(row);
}

void
table_add(Table *table, const char *const *cells)
{
    char **row = g_new0(char *, table->columns + 1);
    for (guint i = 0; i < table->columns; i++)
        row[i] = cell_text(cells[i] == NULL ? "" : cells[i], i + 1 == table->columns);
    g_ptr_array_add(table->rows, row);
}

Table *
table_new(const char *const *titles)
{
    Table *table = g_new0(Table, 1);
    while (titles[table->columns] != NULL)
        table->columns++;
    table->rows = g_ptr_array_new_with_free_func(free_row);
    table_add(table, titles);
    return table;
}

void
table_free(Table *table)
{
    if (table == NULL)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table);
}

static guint
column_width(const Table *table, guint column)
{
    guint width = 0;
    for (guint i = 0; i < table->rows->len; i++)
        width = MAX(width, width_of(((char **) table->rows->pdata[i])[column]));
    return width;
}

void
table_print(const Table *table)
{
    g_autofree guint *widths = g_new0(guint, table->columns);
    for (guint column = 0; column < table->columns; column++)
        widths[column] = column_width(table, column);

    for (guint i = 0; i < table->rows->len; i++)
    {
        char **row = table->rows->pdata[i];
        for (guint column = 0; column + 1 < table->columns; column++)
            printf("%s%*s", row[column], (int) (widths[column] - width_of(row[column]) + 2), "");
        puts(row[table->columns - 1]);
    }
}

char *
text_count(double number)
{
    g_autofree char *digits = g_strdup_printf("%.0f", number);
    const size_t length = strlen(digits);
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < length; i++)
    {
        g_string_append_c(text, digits[i]);
        if ((length - i - 1) % 3 == 0 && i + 1 < length)
            g_string_append_c(text, ',');
    }
    return g_string_free(text, FALSE);
}

char *
text_duration(double seconds)
{
    const gint64 whole = (gint64) ceil(seconds);
    if (seconds < 0)
        return g_strdup("unknown");
    if (whole < 60)
        return g_strdup_printf("%" G_GINT64_FORMAT " s", whole);
    if (whole < 3600)
        return g_strdup_printf(
            "%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", whole / 60, whole % 60);
    return g_strdup_printf(
        "%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", whole / 3600, whole % 3600 / 60);
}

char *
text_usd(double usd)
{
    if (usd < 0)
        return g_strdup("unknown");
    if (usd == 0)
        return g_strdup("$0");
    return g_strdup_printf(usd < 0.1 ? "$%.4f" : "$%.2f", usd);
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
