#include "store/mark.h"

#include "base/json.h"
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

void
workers_mark_clear(WorkersMark *mark)
{
    g_free(mark->failure);
    *mark = (WorkersMark){0};
}

/* As the worker would have said it: the first source that failed, and how many more. */
static char *
failure_of(const char *outcome)
{
    g_autoptr(Json) list = json_loads(outcome, 0, NULL);
    const char *source = NULL;
    const char *reason = NULL;
    guint failed = 0;

    for (size_t i = 0; i < json_array_size(list); i++)
    {
        const Json *entry = json_array_get(list, i);
        const char *why = json_text(entry, "reason");
        if (why == NULL || failed++ > 0)
            continue;
        source = json_text(entry, "source");
        reason = why;
    }
    if (failed == 0)
        return NULL;
    g_autofree char *more = failed > 1 ? g_strdup_printf(" (and %u more)", failed - 1) : NULL;
    return g_strdup_printf(
        "loaded in part; %s: %s%s", source == NULL ? "?" : source, reason,
        more == NULL ? "" : more);
}

bool
mark_by_worker(Store *store, const char *bot, const char *worker, WorkersMark *mark, GError **error)
{
    const char *parameters[] = {store->oid, bot, worker};
    g_autoptr(PGresult) result = pg_query(store->pg, SQL_MARK_OF_WORKER, 3, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read the mark of bot \"%s\": ", bot);
        return false;
    }
    workers_mark_clear(mark);
    mark->arrived = PQntuples(result) == 1;
    if (!mark->arrived)
        return true;
    mark->rows = pg_number(result, 0, 0);
    mark->complete = *pg_text(result, 0, 1) == 't';
    if (!mark->complete)
        mark->failure = failure_of(pg_text(result, 0, 2));
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
