#include "compare/side_tables.h"

#include "base/error.h"
#include "compare/read_access.sql.h"
#include "compare/read_sends.sql.h"

/* The columns of read_access.sql. */
enum
{
    ACCESS_TABLE,
    ACCESS_ROOT_SCHEMA,
    ACCESS_ROOT_NAME,
    ACCESS_ROOT_QUOTED,
    ACCESS_ROLE,
    ACCESS_OBSTACLE,
    ACCESS_SCHEMA,
};

/* The columns of read_sends.sql. */
enum
{
    SEND_TABLE,
    SEND_COLUMN,
    SEND_FUNCTION,
};

SideTable *
side_table_new(const Table *table)
{
    SideTable *side = g_new0(SideTable, 1);
    side->table = table;
    side->sends = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    return side;
}

void
side_table_free(SideTable *table)
{
    if (table == NULL)
        return;
    g_free(table->root_schema);
    g_free(table->root_name);
    g_free(table->root_quoted);
    g_free(table->problem);
    g_free(table->hint);
    g_hash_table_unref(table->sends);
    g_free(table);
}

static void *
oid_key(const PGresult *result, int row, int column)
{
    return GUINT_TO_POINTER((guint32) pg_number(result, row, column));
}

static char *
text_or_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : g_strdup(pg_text(result, row, column));
}

static void
take_obstacle(SideTable *side, const PGresult *result, int row)
{
    const char *obstacle = pg_text(result, row, ACCESS_OBSTACLE);
    const char *role = pg_text(result, row, ACCESS_ROLE);
    const char *schema = pg_text(result, row, ACCESS_SCHEMA);

    if (g_str_equal(obstacle, "schema"))
    {
        side->problem = g_strdup_printf("role \"%s\" may not use the schema %s", role, schema);
        side->hint = g_strdup_printf("GRANT USAGE ON SCHEMA %s TO \"%s\"", schema, role);
    }
    else if (g_str_equal(obstacle, "table"))
    {
        side->problem = g_strdup_printf("role \"%s\" may not read %s", role, side->table->quoted);
        side->hint = g_strdup_printf("GRANT SELECT ON %s TO \"%s\"", side->table->quoted, role);
    }
    else if (g_str_equal(obstacle, "rows"))
    {
        side->problem = g_strdup_printf(
            "row security may hide rows of %s from role \"%s\"", side->table->quoted, role);
        side->hint = g_strdup("connect as the table's owner, or as a role with BYPASSRLS");
    }
}

static bool
read_access(Pg *pg, const char *oids, GHashTable *by_oid, GError **error)
{
    const char *parameters[] = {oids};
    g_autoptr(PGresult) result = pg_query(pg, SQL_READ_ACCESS, 1, parameters, error);
    if (result == NULL)
        return false;
    for (int row = 0; row < PQntuples(result); row++)
    {
        SideTable *side = g_hash_table_lookup(by_oid, oid_key(result, row, ACCESS_TABLE));
        side->root_schema = text_or_null(result, row, ACCESS_ROOT_SCHEMA);
        side->root_name = text_or_null(result, row, ACCESS_ROOT_NAME);
        side->root_quoted = text_or_null(result, row, ACCESS_ROOT_QUOTED);
        take_obstacle(side, result, row);
    }
    return true;
}

static bool
read_sends(Pg *pg, const char *oids, GHashTable *by_oid, GError **error)
{
    const char *parameters[] = {oids};
    g_autoptr(PGresult) result = pg_query(pg, SQL_READ_SENDS, 1, parameters, error);
    if (result == NULL)
        return false;
    for (int row = 0; row < PQntuples(result); row++)
    {
        SideTable *side = g_hash_table_lookup(by_oid, oid_key(result, row, SEND_TABLE));
        g_hash_table_insert(
            side->sends, GINT_TO_POINTER((int) pg_number(result, row, SEND_COLUMN)),
            g_strdup(pg_text(result, row, SEND_FUNCTION)));
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
side_tables_read(Pg *pg, const GPtrArray *tables, GError **error)
{
    g_autoptr(GPtrArray) sides = g_ptr_array_new_with_free_func((GDestroyNotify) side_table_free);
    g_autoptr(GHashTable) by_oid = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autofree char *oids = oid_list(tables);

    for (guint i = 0; i < tables->len; i++)
    {
        const Table *table = tables->pdata[i];
        SideTable *side = side_table_new(table);
        g_ptr_array_add(sides, side);
        g_hash_table_insert(by_oid, GUINT_TO_POINTER(table->oid), side);
    }
    if (read_access(pg, oids, by_oid, error) && read_sends(pg, oids, by_oid, error))
        return g_steal_pointer(&sides);
    g_prefix_error(error, "could not look at the tables' columns and privileges: ");
    return NULL;
}
