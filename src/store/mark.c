#include "store/mark.h"

#include "store/bot_facts.h"
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

/* Only of a bot that has a mark: the id of another may not even fit the rows' column. */
static bool
has_rows(Store *store, const char *bot, gint64 rows, bool *there, GError **error)
{
    const gint64 counted = store_count_rows(store, bot, error);
    *there = counted == rows;
    return counted >= 0;
}

bool
mark_is_newer(
    Store *store, const char *bot, const MarkWish *wish, gint64 after_ms, bool *found, gint64 *rows,
    GError **error)
{
    g_autofree char *after = g_strdup_printf("%" G_GINT64_FORMAT, after_ms);
    const char *parameters[] = {store->oid,        bot,  wish->space, wish->splitter,
                                wish->fingerprint, after};
    g_autoptr(PGresult) result =
        pg_query(store->pg, SQL_NEWER_MARK, G_N_ELEMENTS(parameters), parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read the mark of bot \"%s\": ", bot);
        return false;
    }
    *found = PQntuples(result) == 1;
    *rows = *found ? pg_number(result, 0, 0) : 0;
    return !*found || has_rows(store, bot, *rows, found, error);
}
