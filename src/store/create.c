/*
 * create.c - the guide's schema, and its vector index after the rows.
 */
#include "base/error.h"
#include "base/fault.h"
#include "index/session.h"
#include "pg/sql.h"
#include "store/drop_invalid.sql.h"
#include "store/extension_schema.sql.h"
#include "store/guide_schema.sql.h"
#include "store/index_facts.sql.h"
#include "store/probes.sql.h"
#include "store/record_origin.sql.h"
#include "store/store.h"

#include <string.h>

/* The guide's names and parameters (bedrock-claude-chat, custom resource SetupVectorStore). */
#define INDEX_NAME "idx_items_embedding"
#define IVFFLAT_LISTS 100

/*
 * With 100 lists of real rows and the default of one probe, 79 of 100 questions of the application
 * came back short; with ten probes all were full and right (10,000 rows of ten bots).
 */
#define IVFFLAT_PROBES "10"

static bool
make_table(Store *store, int dimensions, GError **error)
{
    g_autofree char *length = g_strdup_printf("%d", dimensions);
    g_autofree char *sql = sql_fill(SQL_GUIDE_SCHEMA, "dimensions", length, NULL);
    return pg_run(store->pg, "SET client_min_messages = warning", error) &&
           pg_run(store->pg, sql, error);
}

/* The type is known only now, where the extension was not there before. */
static bool
learn_vector_type(Store *store, GError **error)
{
    if (store->vector_type != NULL)
        return true;
    g_autoptr(PGresult) schema = pg_query(store->pg, SQL_EXTENSION_SCHEMA, 0, NULL, error);
    if (schema == NULL)
        return false;
    store->vector_type = g_strconcat(pg_text(schema, 0, 0), ".vector", NULL);
    return true;
}

bool
store_may_create(const Store *store, GError **error)
{
    if (store->table != NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "%s already has the table %s", store->address,
            store->table);
        vf_error_hint(error, "nothing to do: `vecferry plan` looks at what it holds");
        return false;
    }
    if (strcmp(store->map->table, "items") != 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "only the guide's own table \"items\" can be made, not \"%s\"", store->map->table);
        vf_error_hint(error, "make a table of your own with SQL, and map its columns");
        return false;
    }
    return true;
}

bool
store_create(Store *store, int dimensions, GError **error)
{
    if (!store_may_create(store, error))
        return false;
    if (!pg_run(store->pg, "BEGIN", error))
        return false;
    if (make_table(store, dimensions, error) && learn_vector_type(store, error) &&
        store_prepare(store, error) && pg_run(store->pg, SQL_RECORD_ORIGIN, error) &&
        pg_run(store->pg, "COMMIT", error))
        return true;
    pg_rollback(store->pg);
    g_prefix_error(error, "could not make the guide's schema in %s: ", store->address);
    return false;
}

static const char *
operator_class(Distance distance)
{
    switch (distance)
    {
    case DISTANCE_L2:
        return "vector_l2_ops";
    case DISTANCE_COSINE:
        return "vector_cosine_ops";
    case DISTANCE_IP:
        return "vector_ip_ops";
    }
    g_assert_not_reached();
}

static char *
index_statement(const Store *store, const char *kind)
{
    g_autofree char *column = pg_quote_name(store->map->vector);
    const char *parameters =
        strcmp(kind, "ivfflat") == 0 ? " WITH (lists = " G_STRINGIFY(IVFFLAT_LISTS) ")" : "";

    return g_strdup_printf(
        "CREATE INDEX IF NOT EXISTS " INDEX_NAME " ON %s USING %s (%s %s)%s", store->table, kind,
        column, operator_class(store->map->distance), parameters);
}

/* Before the index, so that a kill between the two leaves nothing wrong. */
static char *
set_probes(Store *store, const char *kind)
{
    g_autofree char *sql = sql_fill(SQL_PROBES, "probes", IVFFLAT_PROBES, NULL);
    g_autoptr(GError) problem = NULL;

    if (strcmp(kind, "ivfflat") != 0 || pg_run(store->pg, sql, &problem))
        return NULL;
    g_strdelimit(problem->message, "\n", ' ');
    return g_strdup_printf(
        "ivfflat.probes could not be set for the database (%s); without it answers come back "
        "short: ALTER DATABASE … SET ivfflat.probes = " IVFFLAT_PROBES,
        problem->message);
}

/* Lends the session the memory that the build needs, where the server's default is smaller. */
static bool
lend_memory(Store *store, const char *kind, GError **error)
{
    g_autofree char *sql = sql_fill(SQL_INDEX_FACTS, "table", store->table, NULL);
    g_autoptr(PGresult) facts = pg_query(store->pg, sql, 0, NULL, error);
    if (facts == NULL)
        return false;

    const IndexShape shape = {
        .kind = strcmp(kind, "hnsw") == 0 ? INDEX_HNSW : INDEX_IVFFLAT,
        .type = "vector",
        .rows = (double) pg_number(facts, 0, 0),
        .dimensions = store->dimensions,
        .lists = IVFFLAT_LISTS,
    };
    return index_lend(store->pg, &shape, 0, 1, false, NULL, error);
}

/* Without workers where the server has too little shared memory for them. */
static bool
build(Store *store, const char *statement, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (pg_run(store->pg, statement, &problem))
        return true;
    if (index_wants_serial(problem))
        return pg_run(store->pg, "SET max_parallel_maintenance_workers = 0", error) &&
               pg_run(store->pg, statement, error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool
store_build_index(Store *store, const char *kind, char **advice, GError **error)
{
    g_autofree char *statement = index_statement(store, kind);
    g_autofree char *analyze = g_strdup_printf("ANALYZE %s", store->table);

    *advice = NULL;
    if (store->has_vector_index)
        return true;
    *advice = set_probes(store, kind);
    fault_point(FAULT_INSIDE_INDEX);
    if (pg_run(store->pg, "SET client_min_messages = warning", error) &&
        pg_run(store->pg, SQL_DROP_INVALID, error) && lend_memory(store, kind, error) &&
        build(store, statement, error) && pg_run(store->pg, analyze, error))
        return true;
    g_clear_pointer(advice, g_free);
    g_prefix_error(error, "could not build the %s index of %s: ", kind, store->table);
    return false;
}
