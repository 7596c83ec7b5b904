#include "index/session.h"

#include "index/server_means.sql.h"

#include <string.h>

static bool
read_means(Pg *pg, ServerMeans *server, GError **error)
{
    g_autoptr(PGresult) facts = pg_query(pg, SQL_SERVER_MEANS, 0, NULL, error);
    if (facts == NULL)
        return false;
    *server = (ServerMeans){
        .maintenance_bytes = pg_number(facts, 0, 0),
        .buffer_bytes = pg_number(facts, 0, 1),
        .cache_bytes = pg_number(facts, 0, 2),
        .workers = (int) pg_number(facts, 0, 3),
        .maintenance_workers = (int) pg_number(facts, 0, 4),
    };
    return true;
}

bool
index_lend(
    Pg *pg, const IndexShape *shape, gint64 limit, guint at_a_time, bool serial, IndexMeans *means,
    GError **error)
{
    ServerMeans server;

    index_give_back(pg);
    if (!read_means(pg, &server, error))
        return false;
    const IndexMeans lent = index_means(shape, &server, limit, at_a_time);
    g_autofree char *sql = g_strdup_printf(
        "SET statement_timeout = 0; SET maintenance_work_mem = '%" G_GINT64_FORMAT
        "kB'; SET max_parallel_maintenance_workers = %d",
        lent.bytes / 1024, serial ? 0 : lent.workers);
    if (means != NULL)
        *means = lent;
    return pg_run(pg, sql, error);
}

void
index_give_back(Pg *pg)
{
    pg_run(pg, "RESET maintenance_work_mem; RESET max_parallel_maintenance_workers", NULL);
}

bool
index_wants_serial(const GError *error)
{
    return strstr(error->message, "could not resize shared memory segment") != NULL;
}
