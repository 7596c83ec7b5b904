#include "store/store.h"

#include "base/error.h"
#include "pg/sql.h"
#include "store/columns.h"
#include "store/describe.sql.h"
#include "store/has_tables.sql.h"
#include "store/prepare.sql.h"

#include <stdlib.h>
#include <string.h>

/* The columns of describe.sql. */
enum
{
    DATABASE_OID,
    DATABASE,
    TABLE_OID,
    TABLE_NAME,
    KIND,
    PGVECTOR,
    EXTENSION_SCHEMA,
    COLUMN_TYPE,
    DIMENSIONS,
    HAS_VECTOR_INDEX,
    MAY_PREPARE,
    MAY_WRITE,
    ROLE,
    HAS_SCHEMA,
    MAY_READ,
};

void
store_close(Store *store)
{
    if (store == NULL)
        return;
    pg_close(store->pg);
    g_free(store->identity);
    g_free(store->address);
    g_free(store->table);
    g_free(store->oid);
    g_free(store->vector_type);
    g_free(store->extension_schema);
    g_free(store->column_type);
    g_free(store->pgvector);
    g_free(store);
}

/* The cluster's own number; a role that may not read it makes do with the address. */
static char *
system_identifier(Store *store)
{
    g_autoptr(PGresult) result =
        pg_query(store->pg, "SELECT system_identifier FROM pg_control_system()", 0, NULL, NULL);
    return result == NULL ? g_strdup(store->address) : g_strdup(pg_text(result, 0, 0));
}

static char *
text_or_null(const PGresult *result, int column)
{
    return PQgetisnull(result, 0, column) ? NULL : g_strdup(pg_text(result, 0, column));
}

static bool
is_true(const PGresult *result, int column)
{
    return *pg_text(result, 0, column) == 't';
}

static PGresult *
describe(Store *store, GError **error)
{
    g_autofree char *table = pg_quote_qualified(store->map->table);
    const char *parameters[] = {table, store->map->vector};
    return pg_query(store->pg, SQL_DESCRIBE, G_N_ELEMENTS(parameters), parameters, error);
}

/* Whether `store create` made the table; a store without our schema was not made by us. */
static bool
read_origin(Store *store, const PGresult *facts, GError **error)
{
    if (!is_true(facts, HAS_SCHEMA) || store->oid == NULL)
        return true;

    const char *parameters[] = {store->oid};
    g_autoptr(PGresult) result = pg_query(
        store->pg, "SELECT made_by_us FROM vecferry.store WHERE target = $1::oid", 1, parameters,
        error);
    if (result == NULL)
        return false;
    store->made_by_us = PQntuples(result) == 1 && is_true(result, 0);
    return true;
}

static bool
read_description(Store *store, GError **error)
{
    g_autoptr(PGresult) facts = describe(store, error);
    if (facts == NULL)
        return false;

    g_autofree char *system = system_identifier(store);
    store->oid = text_or_null(facts, TABLE_OID);
    store->identity = g_strdup_printf(
        "%s/%s/%s", system, pg_text(facts, 0, DATABASE_OID),
        store->oid == NULL ? store->map->table : store->oid);
    store->table = text_or_null(facts, TABLE_NAME);
    store->pgvector = text_or_null(facts, PGVECTOR);
    store->extension_schema = text_or_null(facts, EXTENSION_SCHEMA);
    store->column_type = text_or_null(facts, COLUMN_TYPE);
    store->dimensions = (int) MAX(pg_number(facts, 0, DIMENSIONS), 0);
    store->has_vector_index = is_true(facts, HAS_VECTOR_INDEX);
    if (store->extension_schema != NULL)
        store->vector_type = g_strconcat(store->extension_schema, ".vector", NULL);
    return read_origin(store, facts, error);
}

Store *
store_open(const PgOptions *options, const StoreMap *map, Cancel *cancel, GError **error)
{
    g_autoptr(Store) store = g_new0(Store, 1);

    store->map = map;
    store->address = pg_address(options->url);
    store->pg = pg_connect(options, cancel, error);
    if (store->pg == NULL)
        return NULL;
    if (!read_description(store, error))
    {
        g_prefix_error(error, "could not look at %s: ", store->address);
        return NULL;
    }
    return g_steal_pointer(&store);
}

static bool
check_extension(const Store *store, GError **error)
{
    if (store->pgvector != NULL)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "%s has no extension \"vector\"", store->address);
    vf_error_hint(
        error, "run `vecferry store create`, or CREATE EXTENSION vector as a role that may");
    return false;
}

static bool
check_table(const Store *store, const PGresult *facts, GError **error)
{
    if (store->table == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "%s has no table \"%s\"", store->address,
            store->map->table);
        vf_error_hint(
            error, "run `vecferry store create` for the guide's schema, or name the table with "
                   "--table");
        return false;
    }
    if (!g_str_equal(pg_text(facts, 0, KIND), "r") && !g_str_equal(pg_text(facts, 0, KIND), "p"))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "\"%s\" in %s is not a table", store->map->table,
            store->address);
        return false;
    }
    return true;
}

static bool
check_may_read(const Store *store, const PGresult *facts, GError **error)
{
    const char *role = pg_text(facts, 0, ROLE);

    if (is_true(facts, MAY_READ))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_DENIED, "role \"%s\" may not read %s in %s", role, store->table,
        store->address);
    vf_error_hint(error, "GRANT SELECT ON %s TO \"%s\"", store->table, role);
    return false;
}

static bool
check_privileges(const Store *store, const PGresult *facts, GError **error)
{
    const char *role = pg_text(facts, 0, ROLE);

    if (!is_true(facts, MAY_WRITE))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_DENIED, "role \"%s\" may not read and change %s in %s", role,
            store->table, store->address);
        vf_error_hint(error, "GRANT SELECT, INSERT, DELETE ON %s TO \"%s\"", store->table, role);
        return false;
    }
    if (!is_true(facts, MAY_PREPARE))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_DENIED,
            "role \"%s\" may not make the schema \"vecferry\" in %s", role, store->address);
        vf_error_hint(
            error, "GRANT CREATE ON DATABASE %s TO \"%s\"", pg_text(facts, 0, DATABASE), role);
        return false;
    }
    return true;
}

static bool
check_vector_column(const Store *store, int dimensions, GError **error)
{
    if (store->column_type == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "%s in %s has no column \"%s\"", store->table,
            store->address, store->map->vector);
        vf_error_hint(error, "name the vector's column with --vector-column");
        return false;
    }
    if (!g_str_equal(store->column_type, "vector") && !g_str_equal(store->column_type, "halfvec"))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH,
            "column \"%s\" of %s is of type %s, not vector or halfvec", store->map->vector,
            store->table, store->column_type);
        return false;
    }
    if (store->dimensions != 0 && dimensions != 0 && store->dimensions != dimensions)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH,
            "column \"%s\" of %s takes vectors of %d dimensions, the model makes %d",
            store->map->vector, store->table, store->dimensions, dimensions);
        vf_error_hint(
            error, "choose a model of %d dimensions, or a table made for %d", store->dimensions,
            dimensions);
        return false;
    }
    return true;
}

/* The table as it is now, if it can hold chunks and vectors at all; NULL with the error. */
static PGresult *
check_description(Store *store, GError **error)
{
    if (!check_extension(store, error))
        return NULL;
    g_autoptr(PGresult) facts = describe(store, error);
    if (facts == NULL)
    {
        g_prefix_error(error, "could not look at %s: ", store->address);
        return NULL;
    }
    return check_table(store, facts, error) ? g_steal_pointer(&facts) : NULL;
}

bool
store_check(Store *store, int dimensions, GError **error)
{
    g_autoptr(PGresult) facts = check_description(store, error);
    return facts != NULL && columns_check_writing(store, error) &&
           check_vector_column(store, dimensions, error) && check_privileges(store, facts, error);
}

bool
store_check_reading(Store *store, int dimensions, GError **error)
{
    g_autoptr(PGresult) facts = check_description(store, error);
    return facts != NULL && columns_check_reading(store, error) &&
           check_vector_column(store, dimensions, error) && check_may_read(store, facts, error);
}

/* A role that may write but not make schemas needs no more once they are there. */
static bool
has_tables(Store *store, bool *there, GError **error)
{
    g_autoptr(PGresult) result = pg_query(store->pg, SQL_HAS_TABLES, 0, NULL, error);
    if (result == NULL)
        return false;
    *there = is_true(result, 0);
    return true;
}

/* Two that begin at once would collide inside CREATE … IF NOT EXISTS, hence the lock. */
static bool
make_tables(Store *store, GError **error)
{
    g_autofree char *tables = sql_fill(SQL_PREPARE, "vector", store->vector_type, NULL);
    return pg_run(store->pg, "SELECT pg_advisory_xact_lock(hashtext('vecferry prepare'))", error) &&
           pg_run(store->pg, "SET LOCAL client_min_messages = warning", error) &&
           pg_run(store->pg, tables, error);
}

bool
store_prepare(Store *store, GError **error)
{
    bool there = false;

    g_assert(store->vector_type != NULL);
    if (!has_tables(store, &there, error))
        return false;
    if (there)
        return true;

    /* Inside an open transaction of the caller's, the tables come and go with it. */
    const bool own = !pg_in_transaction(store->pg);
    if ((!own || pg_run(store->pg, "BEGIN", error)) && make_tables(store, error) &&
        (!own || pg_run(store->pg, "COMMIT", error)))
        return true;
    if (own)
        pg_rollback(store->pg);
    g_prefix_error(error, "could not make the schema \"vecferry\" in %s: ", store->address);
    return false;
}
