#include "store/columns.h"

#include "base/error.h"
#include "base/nearest.h"
#include "store/columns.sql.h"

#include <string.h>

enum
{
    NAME,
    TYPE,
    IS_TEXT,
    OPTIONAL,
};

static PGresult *
read_columns(Store *store, GError **error)
{
    const char *parameters[] = {store->oid};
    return pg_query(store->pg, SQL_COLUMNS, 1, parameters, error);
}

static int
find_column(const PGresult *columns, const char *name)
{
    for (int row = 0; row < PQntuples(columns); row++)
        if (g_str_equal(pg_text(columns, row, NAME), name))
            return row;
    return -1;
}

static bool
check_column(
    const Store *store, const PGresult *columns, const char *name, const char *option,
    GError **error)
{
    if (find_column(columns, name) >= 0)
        return true;

    g_autoptr(GPtrArray) known = g_ptr_array_new_null_terminated(0, g_free, true);
    for (int row = 0; row < PQntuples(columns); row++)
        g_ptr_array_add(known, g_strdup(pg_text(columns, row, NAME)));
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "%s in %s has no column \"%s\"", store->table,
        store->address, name);
    const char *near = nearest(name, (char **) known->pdata);
    vf_error_hint(
        error, "name it with --%s; the nearest is \"%s\"", option, near == NULL ? "" : near);
    return false;
}

static bool
is_mapped(const StoreMap *map, const char *name)
{
    return g_str_equal(name, map->id) || g_str_equal(name, map->bot) ||
           g_str_equal(name, map->source) || g_str_equal(name, map->text) ||
           g_str_equal(name, map->vector);
}

static bool
check_others(const Store *store, const PGresult *columns, GError **error)
{
    for (int row = 0; row < PQntuples(columns); row++)
    {
        const char *name = pg_text(columns, row, NAME);
        if (is_mapped(store->map, name) || *pg_text(columns, row, OPTIONAL) == 't')
            continue;
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH,
            "column \"%s\" of %s must not be null and has no default, and nothing fills it", name,
            store->table);
        vf_error_hint(error, "give the column a default, or name it with --id-column");
        return false;
    }
    return true;
}

static bool
is_text(const PGresult *columns, const char *name)
{
    const int row = find_column(columns, name);
    return row < 0 || *pg_text(columns, row, IS_TEXT) == 't';
}

/* A ULID is text. */
static bool
check_id(const Store *store, const PGresult *columns, GError **error)
{
    const char *id = store->map->id;

    if (*id == '\0' || is_text(columns, id))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "column \"%s\" of %s is of type %s and takes no ULID",
        id, store->table, pg_text(columns, find_column(columns, id), TYPE));
    vf_error_hint(error, "--id-column= leaves it to the column's default");
    return false;
}

static bool
check_read_columns(const Store *store, const PGresult *columns, GError **error)
{
    const StoreMap *map = store->map;
    return check_column(store, columns, map->bot, "bot-column", error) &&
           check_column(store, columns, map->source, "source-column", error) &&
           check_column(store, columns, map->text, "text-column", error) &&
           check_column(store, columns, map->vector, "vector-column", error);
}

bool
columns_check_reading(Store *store, GError **error)
{
    g_autoptr(PGresult) columns = read_columns(store, error);
    return columns != NULL && check_read_columns(store, columns, error);
}

bool
columns_check_writing(Store *store, GError **error)
{
    const char *id = store->map->id;
    g_autoptr(PGresult) columns = read_columns(store, error);

    if (columns == NULL)
        return false;
    return (*id == '\0' || check_column(store, columns, id, "id-column", error)) &&
           check_read_columns(store, columns, error) && check_id(store, columns, error) &&
           check_others(store, columns, error);
}

/*
 * Adds a column and its value.  A cast is written only for types that are not text: an explicit
 * cast to char(26) would cut silently what an assignment refuses.
 */
static void
add_column(
    GString *names, GString *values, const PGresult *columns, const char *column, const char *value)
{
    const int row = find_column(columns, column);
    g_autofree char *quoted = pg_quote_name(column);

    g_string_append_printf(names, "%s%s", names->len == 0 ? "" : ", ", quoted);
    if (row >= 0 && *pg_text(columns, row, IS_TEXT) == 'f')
        g_string_append_printf(
            values, "%sCAST(%s AS %s)", values->len == 0 ? "" : ", ", value,
            pg_text(columns, row, TYPE));
    else
        g_string_append_printf(values, "%s%s", values->len == 0 ? "" : ", ", value);
}

bool
columns_for_insert(Store *store, char **columns, char **values, GError **error)
{
    const StoreMap *map = store->map;
    g_autoptr(PGresult) known = read_columns(store, error);
    if (known == NULL)
        return false;

    GString *names = g_string_new(NULL);
    GString *expressions = g_string_new(NULL);
    if (*map->id != '\0')
        add_column(names, expressions, known, map->id, "s.id");
    add_column(names, expressions, known, map->bot, "s.bot");
    add_column(names, expressions, known, map->source, "s.source");
    add_column(names, expressions, known, map->text, "s.content");
    add_column(names, expressions, known, map->vector, "s.embedding");
    *columns = g_string_free(names, FALSE);
    *values = g_string_free(expressions, FALSE);
    return true;
}
