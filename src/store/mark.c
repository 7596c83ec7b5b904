#include "store/mark.h"

#include "pg/sql.h"
#include "store/mark_of_worker.sql.h"
#include "store/newer_mark.sql.h"

bool
mark_table_exists(Store *store, bool *there, GError **error)
{
    g_autoptr(PGresult) result =
        pg_query(store->pg, "SELECT to_regclass('vecferry.mark') IS NOT NULL", 0, NULL, error);
    if (result == NULL)
        return false;
    *there = *pg_text(result, 0, 0) == 't';
    return true;
}

bool
mark_is_by(
    Store *store, const char *bot, const char *worker, bool *arrived, bool *complete, gint64 *rows,
    GError **error)
{
    const char *parameters[] = {store->oid, bot, worker};
    g_autoptr(PGresult) result = pg_query(store->pg, SQL_MARK_OF_WORKER, 3, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read the mark of bot \"%s\": ", bot);
        return false;
    }
    *arrived = PQntuples(result) == 1;
    *complete = *arrived && *pg_text(result, 0, 1) == 't';
    *rows = *arrived ? pg_number(result, 0, 0) : 0;
    return true;
}

bool
mark_is_newer(
    Store *store, const char *bot, const MarkWish *wish, gint64 after_ms, bool *found, gint64 *rows,
    GError **error)
{
    *found = false;
    *rows = 0;
    if (store->table == NULL) /* dropped meanwhile: the worker will say so */
        return true;
    g_autofree char *after = g_strdup_printf("%" G_GINT64_FORMAT, after_ms);
    g_autofree char *bot_column = pg_quote_name(store->map->bot);
    g_autofree char *sql = sql_fill(SQL_NEWER_MARK, "table", store->table, "bot", bot_column, NULL);
    const char *parameters[] = {store->oid,        bot,   wish->space, wish->splitter,
                                wish->fingerprint, after, bot};
    g_autoptr(PGresult) result =
        pg_query(store->pg, sql, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read the mark of bot \"%s\": ", bot);
        return false;
    }
    *found = PQntuples(result) == 1;
    *rows = *found ? pg_number(result, 0, 0) : 0;
    return true;
}
