#include "model/table.h"

#include <string.h>

void
column_free(Column *column)
{
    if (column == NULL)
        return;
    g_free(column->name);
    g_free(column->quoted);
    g_free(column->type);
    g_free(column->type_schema);
    g_free(column->type_name);
    g_free(column);
}

Table *
table_new(void)
{
    Table *table = g_new0(Table, 1);
    table->columns = g_ptr_array_new_with_free_func((GDestroyNotify) column_free);
    table->key = g_ptr_array_new();
    return table;
}

void
table_free(Table *table)
{
    if (table == NULL)
        return;
    g_free(table->schema);
    g_free(table->name);
    g_free(table->quoted);
    g_ptr_array_unref(table->key);
    g_ptr_array_unref(table->columns);
    g_free(table);
}

const Column *
table_column(const Table *table, const char *name)
{
    for (guint i = 0; i < table->columns->len; i++)
    {
        const Column *column = table->columns->pdata[i];
        if (strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

Table *
table_find(const GPtrArray *tables, const char *schema, const char *name)
{
    for (guint i = 0; i < tables->len; i++)
    {
        Table *table = tables->pdata[i];
        if (strcmp(table->name, name) == 0 && strcmp(table->schema, schema) == 0)
            return table;
    }
    return NULL;
}

bool
table_is_portable(const Table *table)
{
    for (guint i = 0; i < table->columns->len; i++)
    {
        const Column *column = table->columns->pdata[i];
        if (!column->generated && !column->portable)
            return false;
    }
    return true;
}

char *
table_column_list(const Table *table)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < table->columns->len; i++)
    {
        const Column *column = table->columns->pdata[i];
        if (!column->generated)
            g_string_append_printf(list, "%s%s", list->len == 0 ? "" : ", ", column->quoted);
    }
    return g_string_free(g_steal_pointer(&list), FALSE);
}

char *
table_shape(const Table *table)
{
    g_autoptr(GString) shape = g_string_new(NULL);

    for (guint i = 0; i < table->columns->len; i++)
    {
        const Column *column = table->columns->pdata[i];
        g_string_append_printf(
            shape, "%s%d %s %s", shape->len == 0 ? "" : ", ", column->number, column->quoted,
            column->type);
        if (column->generated)
            g_string_append(shape, " generated");
    }
    return g_string_free(g_steal_pointer(&shape), FALSE);
}
