#include "store/remove.h"

#include "base/error.h"
#include "pg/sql.h"
#include "store/bot_facts.h"
#include "store/remove.sql.h"
#include "store/staging.h"

static bool
delete_marked(
    Store *store, const char *bot, const RemoveWish *wish, gint64 *removed, GError **error)
{
    g_autofree char *column = pg_quote_name(store->map->bot);
    g_autofree char *sql = sql_fill(SQL_REMOVE, "table", store->table, "bot", column, NULL);
    g_autofree char *rows = g_strdup_printf("%" G_GINT64_FORMAT, wish->rows);
    g_autofree char *marked = g_strdup_printf("%" G_GINT64_FORMAT, wish->marked_ms);
    const char *parameters[] = {store->oid, bot, rows, marked, bot};
    return pg_change(store->pg, sql, G_N_ELEMENTS(parameters), parameters, removed, error);
}

static bool
delete_staged(Store *store, const char *bot, GError **error)
{
    const char *parameters[] = {store->oid, bot};
    return pg_change(
        store->pg, "DELETE FROM vecferry.staged WHERE target = $1::oid AND bot = $2", 2, parameters,
        NULL, error);
}

/* An earlier try may have been committed when its session was lost. */
static bool
are_gone(Store *store, const char *bot, GError **error)
{
    const gint64 rows = store_count_rows(store, bot, error);

    if (rows > 0)
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH,
            "its rows are not those that were planned with; plan again");
    return rows == 0;
}

static bool
remove_in_transaction(Store *store, const char *bot, const RemoveWish *wish, GError **error)
{
    gint64 removed = 0;

    if (!pg_run(store->pg, "BEGIN ISOLATION LEVEL READ COMMITTED", error) ||
        !staging_lock_table(store, error) || !delete_marked(store, bot, wish, &removed, error))
        return false;
    if (removed != wish->rows && !are_gone(store, bot, error))
        return false;
    return delete_staged(store, bot, error) && pg_run(store->pg, "COMMIT", error);
}

bool
remove_bot(Store *store, const char *bot, const RemoveWish *wish, GError **error)
{
    if (remove_in_transaction(store, bot, wish, error))
        return true;
    pg_rollback(store->pg);
    return false;
}
