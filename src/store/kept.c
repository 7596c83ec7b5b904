#include "store/kept.h"

#include "pg/sql.h"
#include "store/kept.sql.h"
#include "store/kept_rows.sql.h"

static void
kept_source_free(void *data)
{
    KeptSource *source = data;
    g_free(source->text_hash);
    g_free(source->xid);
    g_free(source);
}

char *
kept_text_hash(const char *text)
{
    return g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
}

static char *
with_columns(const Store *store, const char *query)
{
    const StoreMap *map = store->map;
    g_autofree char *bot = pg_quote_name(map->bot);
    g_autofree char *source = pg_quote_name(map->source);
    g_autofree char *text = pg_quote_name(map->text);
    g_autofree char *vector = pg_quote_name(map->vector);
    return sql_fill(
        query, "table", store->table, "bot", bot, "source", source, "text", text, "vector", vector,
        NULL);
}

/* A view's rows do not tell who wrote them. */
static bool
is_table(Store *store, bool *is, GError **error)
{
    const char *parameters[] = {store->oid};
    g_autoptr(PGresult) result = pg_query(
        store->pg, "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = $1::oid", 1, parameters,
        error);
    if (result == NULL)
        return false;
    *is = PQntuples(result) == 1 && *pg_text(result, 0, 0) == 't';
    return true;
}

GHashTable *
kept_sources(Store *store, const char *bot, const MarkWish *wish, GError **error)
{
    bool is = false;
    if (!is_table(store, &is, error))
        return NULL;
    if (!is)
        return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kept_source_free);
    g_autofree char *sql = with_columns(store, SQL_KEPT);
    const char *parameters[] = {store->oid,        bot, wish->space, wish->splitter,
                                wish->fingerprint, bot};
    g_autoptr(PGresult) result =
        pg_query(store->pg, sql, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read what stands of bot \"%s\": ", bot);
        return NULL;
    }

    GHashTable *sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, kept_source_free);
    for (int row = 0; row < PQntuples(result); row++)
    {
        KeptSource *source = g_new0(KeptSource, 1);
        source->text_hash = g_strdup(pg_text(result, row, 1));
        source->rows = pg_number(result, row, 2);
        source->xid = g_strdup(pg_text(result, row, 3));
        g_hash_table_insert(sources, g_strdup(pg_text(result, row, 0)), source);
    }
    return sources;
}

gint64
kept_count(Store *store, const char *bot, char *const *labels, char *const *xids, GError **error)
{
    g_autofree char *sql = with_columns(store, SQL_KEPT_ROWS);
    g_autofree char *list = sql_text_array(labels);
    g_autofree char *transactions = sql_text_array(xids);
    const char *parameters[] = {bot, list, transactions};
    g_autoptr(PGresult) result = pg_query(store->pg, sql, 3, parameters, error);
    return result == NULL ? -1 : pg_number(result, 0, 0);
}
