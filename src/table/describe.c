#include "table/describe.h"

#include "base/error.h"
#include "pg/sql.h"
#include "table/describe.sql.h"
#include "table/describe_columns.sql.h"
#include "table/describe_keys.sql.h"
#include "table/pattern.h"
#include "table/pattern_matches.sql.h"

#include <stdlib.h>

/* Names of any kind, as a regular expression. */
#define ANYTHING ".*"

/* The columns of describe.sql. */
enum
{
    OID,
    SCHEMA,
    NAME,
    QUOTED,
    RELFILENODE,
    PERSISTENCE,
    IS_PARTITION,
    ROWS,
    BLOCKS,
    BYTES,
};

/* The columns of describe_columns.sql. */
enum
{
    COLUMN_TABLE,
    COLUMN_NAME,
    COLUMN_QUOTED,
    COLUMN_NUMBER,
    COLUMN_TYPE,
    COLUMN_TYPE_SCHEMA,
    COLUMN_TYPE_NAME,
    COLUMN_NOT_NULL,
    COLUMN_GENERATED,
    COLUMN_IDENTITY,
    COLUMN_PORTABLE,
};

/* The columns of describe_keys.sql. */
enum
{
    KEY_TABLE,
    KEY_IS_PRIMARY,
    KEY_NUMBERS,
};

/* Regular expressions as two parameters of a query. */
typedef struct
{
    GPtrArray *schemas;
    GPtrArray *names;
} Expressions;

static void
expressions_clear(Expressions *expressions)
{
    g_clear_pointer(&expressions->schemas, g_ptr_array_unref);
    g_clear_pointer(&expressions->names, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Expressions, expressions_clear)

static bool
is_true(const PGresult *result, int row, int column)
{
    return *pg_text(result, row, column) == 't';
}

static guint32
oid_at(const PGresult *result, int row, int column)
{
    return (guint32) pg_number(result, row, column);
}

static bool
check_matches(
    Pg *pg, const char *pattern, const char *what, const char *schema, const char *name,
    GError **error)
{
    const char *parameters[] = {schema, name};
    g_autoptr(PGresult) result = pg_query(pg, SQL_PATTERN_MATCHES, 2, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "pattern \"%s\": ", pattern);
        return false;
    }
    if (is_true(result, 0, 0))
        return true;
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "no %s matches \"%s\"", what, pattern);
    return false;
}

static bool
parse_tables(Pg *pg, char *const *patterns, Expressions *expressions, GError **error)
{
    expressions->schemas = g_ptr_array_new_null_terminated(1, g_free, TRUE);
    expressions->names = g_ptr_array_new_null_terminated(1, g_free, TRUE);
    for (; patterns != NULL && *patterns != NULL; patterns++)
    {
        g_auto(Pattern) pattern = {0};
        if (!pattern_parse(*patterns, &pattern, error))
            return false;
        const char *schema = pattern.schema == NULL ? ANYTHING : pattern.schema;
        if (!check_matches(pg, *patterns, "table", schema, pattern.name, error))
            return false;
        g_ptr_array_add(expressions->schemas, g_strdup(schema));
        g_ptr_array_add(expressions->names, g_steal_pointer(&pattern.name));
    }
    return true;
}

static bool
parse_schemas(Pg *pg, char *const *patterns, Expressions *expressions, GError **error)
{
    expressions->schemas = g_ptr_array_new_null_terminated(1, g_free, TRUE);
    for (; patterns != NULL && *patterns != NULL; patterns++)
    {
        g_auto(Pattern) pattern = {0};
        if (!pattern_parse(*patterns, &pattern, error))
            return false;
        if (pattern.schema != NULL)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" should be a schema's name", *patterns);
            return false;
        }
        if (!check_matches(pg, *patterns, "schema", pattern.name, NULL, error))
            return false;
        g_ptr_array_add(expressions->schemas, g_steal_pointer(&pattern.name));
    }
    return true;
}

static Table *
read_table(const PGresult *result, int row)
{
    Table *table = table_new();

    table->oid = oid_at(result, row, OID);
    table->schema = g_strdup(pg_text(result, row, SCHEMA));
    table->name = g_strdup(pg_text(result, row, NAME));
    table->quoted = g_strdup(pg_text(result, row, QUOTED));
    table->relfilenode = oid_at(result, row, RELFILENODE);
    table->persistence = *pg_text(result, row, PERSISTENCE);
    table->is_partition = is_true(result, row, IS_PARTITION);
    table->rows = g_ascii_strtod(pg_text(result, row, ROWS), NULL);
    table->blocks = pg_number(result, row, BLOCKS);
    table->bytes = pg_number(result, row, BYTES);
    return table;
}

static GPtrArray *
list_tables(Pg *pg, const TableFilter *filter, GError **error)
{
    g_auto(Expressions) tables = {0};
    g_auto(Expressions) schemas = {0};
    g_auto(Expressions) excluded = {0};

    if (!parse_tables(pg, filter->tables, &tables, error) ||
        !parse_schemas(pg, filter->schemas, &schemas, error) ||
        !parse_tables(pg, filter->excluded, &excluded, error))
        return NULL;

    g_autofree char *table_schemas = sql_text_array((char **) tables.schemas->pdata);
    g_autofree char *table_names = sql_text_array((char **) tables.names->pdata);
    g_autofree char *schema_names = sql_text_array((char **) schemas.schemas->pdata);
    g_autofree char *excluded_schemas = sql_text_array((char **) excluded.schemas->pdata);
    g_autofree char *excluded_names = sql_text_array((char **) excluded.names->pdata);
    const char *parameters[] = {
        table_schemas, table_names, schema_names, excluded_schemas, excluded_names};
    g_autoptr(PGresult) result =
        pg_query(pg, SQL_DESCRIBE, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
        return NULL;

    GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify) table_free);
    for (int row = 0; row < PQntuples(result); row++)
        g_ptr_array_add(found, read_table(result, row));
    return found;
}

static Column *
read_column(const PGresult *result, int row)
{
    Column *column = g_new0(Column, 1);

    column->name = g_strdup(pg_text(result, row, COLUMN_NAME));
    column->quoted = g_strdup(pg_text(result, row, COLUMN_QUOTED));
    column->number = (int) pg_number(result, row, COLUMN_NUMBER);
    column->type = g_strdup(pg_text(result, row, COLUMN_TYPE));
    column->type_schema = g_strdup(pg_text(result, row, COLUMN_TYPE_SCHEMA));
    column->type_name = g_strdup(pg_text(result, row, COLUMN_TYPE_NAME));
    column->not_null = is_true(result, row, COLUMN_NOT_NULL);
    column->generated = is_true(result, row, COLUMN_GENERATED);
    column->identity = *pg_text(result, row, COLUMN_IDENTITY);
    column->portable = is_true(result, row, COLUMN_PORTABLE);
    return column;
}

static bool
read_columns(Pg *pg, const char *oids, GHashTable *by_oid, GError **error)
{
    const char *parameters[] = {oids};
    g_autoptr(PGresult) result = pg_query(pg, SQL_DESCRIBE_COLUMNS, 1, parameters, error);
    if (result == NULL)
        return false;
    for (int row = 0; row < PQntuples(result); row++)
    {
        Table *table =
            g_hash_table_lookup(by_oid, GUINT_TO_POINTER(oid_at(result, row, COLUMN_TABLE)));
        g_ptr_array_add(table->columns, read_column(result, row));
    }
    return true;
}

static void
add_key_column(Table *table, int number)
{
    for (guint i = 0; i < table->columns->len; i++)
    {
        Column *column = table->columns->pdata[i];
        if (column->number == number)
            g_ptr_array_add(table->key, column);
    }
}

static bool
read_keys(Pg *pg, const char *oids, GHashTable *by_oid, GError **error)
{
    const char *parameters[] = {oids};
    g_autoptr(PGresult) result = pg_query(pg, SQL_DESCRIBE_KEYS, 1, parameters, error);
    if (result == NULL)
        return false;
    for (int row = 0; row < PQntuples(result); row++)
    {
        Table *table =
            g_hash_table_lookup(by_oid, GUINT_TO_POINTER(oid_at(result, row, KEY_TABLE)));
        g_auto(GStrv) numbers = g_strsplit(pg_text(result, row, KEY_NUMBERS), " ", -1);
        table->has_primary_key = is_true(result, row, KEY_IS_PRIMARY);
        for (char **number = numbers; *number != NULL; number++)
            add_key_column(table, atoi(*number));
    }
    return true;
}

/* Oids as a parameter of type oid[]. */
static char *
oid_list(const GPtrArray *tables)
{
    GString *list = g_string_new("{");
    for (guint i = 0; i < tables->len; i++)
        g_string_append_printf(
            list, "%s%u", i == 0 ? "" : ",", ((const Table *) tables->pdata[i])->oid);
    g_string_append_c(list, '}');
    return g_string_free(list, FALSE);
}

GPtrArray *
tables_describe(Pg *pg, const TableFilter *filter, GError **error)
{
    static const TableFilter ALL = {0};
    g_autoptr(GPtrArray) tables = list_tables(pg, filter == NULL ? &ALL : filter, error);
    if (tables == NULL)
        return NULL;

    g_autoptr(GHashTable) by_oid = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < tables->len; i++)
        g_hash_table_insert(
            by_oid, GUINT_TO_POINTER(((Table *) tables->pdata[i])->oid), tables->pdata[i]);
    g_autofree char *oids = oid_list(tables);
    return read_columns(pg, oids, by_oid, error) && read_keys(pg, oids, by_oid, error)
               ? g_steal_pointer(&tables)
               : NULL;
}
