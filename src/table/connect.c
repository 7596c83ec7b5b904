#include "table/connect.h"

#include "base/error.h"
#include "table/connect.sql.h"

static bool
prepare(Pg *pg, GError **error)
{
    return pg_run(pg, SQL_CONNECT, error) &&
           (pg_server_version(pg) < 140000 || pg_run(pg, "SET idle_session_timeout = 0", error)) &&
           (pg_server_version(pg) < 170000 || pg_run(pg, "SET transaction_timeout = 0", error));
}

static Pg *
open_session(const PgOptions *options, Cancel *cancel, GError **error)
{
    g_autoptr(Pg) pg = pg_connect(options, cancel, error);
    if (pg == NULL)
        return NULL;
    if (!prepare(pg, error))
    {
        g_autofree char *address = pg_address(options->url);
        g_prefix_error(error, "could not prepare the session with %s: ", address);
        return NULL;
    }
    return g_steal_pointer(&pg);
}

Pg *
connect_source(const PgOptions *options, Cancel *cancel, GError **error)
{
    g_autoptr(Pg) pg = open_session(options, cancel, error);
    return pg != NULL && pg_run(pg, "SET search_path = pg_catalog", error) ? g_steal_pointer(&pg)
                                                                           : NULL;
}

Pg *
connect_target(const PgOptions *options, bool *as_replica, Cancel *cancel, GError **error)
{
    g_autoptr(Pg) pg = open_session(options, cancel, error);
    if (pg == NULL)
        return NULL;

    g_autoptr(GError) refusal = NULL;
    *as_replica = pg_run(pg, "SET session_replication_role = replica", &refusal);
    if (*as_replica || g_error_matches(refusal, VF_ERROR, VF_ERROR_DENIED))
        return g_steal_pointer(&pg);
    g_propagate_error(error, g_steal_pointer(&refusal));
    return NULL;
}

char *
database_identity(Pg *pg, const char *url, GError **error)
{
    static const char DATABASE[] = "SELECT oid FROM pg_database WHERE datname = current_database()";
    g_autofree char *address = pg_address(url);
    g_autoptr(PGresult) database = pg_query(pg, DATABASE, 0, NULL, error);
    if (database == NULL)
        return NULL;
    g_autoptr(PGresult) system =
        pg_query(pg, "SELECT system_identifier FROM pg_control_system()", 0, NULL, NULL);
    return g_strdup_printf(
        "%s/%s", system == NULL ? address : pg_text(system, 0, 0), pg_text(database, 0, 0));
}
