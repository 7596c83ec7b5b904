#include "table/snapshot.h"

#include "base/error.h"
#include "model/table.h"
#include "table/connect.h"
#include "table/rewritten.sql.h"
#include "table/timeline.sql.h"

#include <pthread.h>

struct Snapshot
{
    const PgOptions *source;
    Cancel *cancel;
    char *name;
    char *timeline;
    Pg *keeper;
    pthread_mutex_t mutex; /* of the two below, and of asking the keeper for its life */
    bool lost;
};

void
snapshot_free(Snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    pg_close(snapshot->keeper);
    g_free(snapshot->name);
    g_free(snapshot->timeline);
    pthread_mutex_destroy(&snapshot->mutex);
    g_free(snapshot);
}

/* A transaction that sees what others see under that name; NULL: what is there now. */
static bool
begin(Pg *pg, const char *joined, GError **error)
{
    if (!pg_run(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error))
        return false;
    if (joined == NULL)
        return true;

    /* Names of snapshots are of hexadecimal digits and dashes. */
    g_autofree char *join = g_strdup_printf("SET TRANSACTION SNAPSHOT '%s'", joined);
    return pg_run(pg, join, error);
}

static bool export(Snapshot *snapshot, GError **error)
{
    g_autoptr(PGresult) name =
        pg_query(snapshot->keeper, "SELECT pg_export_snapshot()", 0, NULL, error);
    if (name == NULL)
        return false;
    snapshot->name = g_strdup(pg_text(name, 0, 0));
    return true;
}

/* A managed service may not let us ask: then the history counts as one. */
static void
read_timeline(Snapshot *snapshot)
{
    g_autoptr(PGresult) timeline = NULL;

    if (!pg_run(snapshot->keeper, "SAVEPOINT ask", NULL))
        return;
    timeline = pg_query(snapshot->keeper, SQL_TIMELINE, 0, NULL, NULL);
    snapshot->timeline = g_strdup(timeline == NULL ? "unknown" : pg_text(timeline, 0, 0));
    pg_run(snapshot->keeper, "ROLLBACK TO SAVEPOINT ask; RELEASE SAVEPOINT ask", NULL);
}

Snapshot *
snapshot_take(const PgOptions *source, const char *joined, Cancel *cancel, GError **error)
{
    g_autoptr(Snapshot) snapshot = g_new0(Snapshot, 1);

    pthread_mutex_init(&snapshot->mutex, NULL);
    snapshot->source = source;
    snapshot->cancel = cancel;
    snapshot->keeper = connect_source(source, cancel, error);
    if (snapshot->keeper == NULL)
        return NULL;
    if (!begin(snapshot->keeper, joined, error) || !export(snapshot, error))
    {
        g_autofree char *address = pg_address(source->url);
        g_prefix_error(error, "could not take a snapshot of %s: ", address);
        return NULL;
    }
    read_timeline(snapshot);
    return g_steal_pointer(&snapshot);
}

Pg *
snapshot_keeper(Snapshot *snapshot)
{
    return snapshot->keeper;
}

const char *
snapshot_name(const Snapshot *snapshot)
{
    return snapshot->name;
}

const char *
snapshot_timeline(const Snapshot *snapshot)
{
    return snapshot->timeline;
}

static bool
lock_table(Snapshot *snapshot, const Table *table, GError **error)
{
    g_autofree char *lock =
        g_strdup_printf("LOCK TABLE ONLY %s IN ACCESS SHARE MODE", table->quoted);
    g_autofree char *oid = g_strdup_printf("%u", table->oid);
    const char *parameters[] = {oid};

    if (!pg_run(snapshot->keeper, lock, error))
    {
        g_prefix_error(error, "could not lock %s against changes: ", table->quoted);
        return false;
    }
    g_autoptr(PGresult) rewritten = pg_query(snapshot->keeper, SQL_REWRITTEN, 1, parameters, error);
    if (rewritten == NULL)
        return false;
    if (*pg_text(rewritten, 0, 0) == 'f')
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_BUSY, "%s was rewritten while the copy began", table->quoted);
    return false;
}

bool
snapshot_lock(Snapshot *snapshot, const GPtrArray *tables, GError **error)
{
    for (guint i = 0; i < tables->len; i++)
        if (!lock_table(snapshot, tables->pdata[i], error))
            return false;
    return true;
}

Pg *
snapshot_reader(Snapshot *snapshot, GError **error)
{
    g_autoptr(Pg) reader = connect_source(snapshot->source, snapshot->cancel, error);
    if (reader == NULL)
        return NULL;
    if (begin(reader, snapshot->name, error))
        return g_steal_pointer(&reader);

    g_autoptr(GError) loss = NULL;
    if (!snapshot_check(snapshot, &loss))
    {
        g_clear_error(error);
        g_propagate_error(error, g_steal_pointer(&loss));
    }
    return NULL;
}

bool
snapshot_check(Snapshot *snapshot, GError **error)
{
    g_autoptr(GError) cause = NULL;

    pthread_mutex_lock(&snapshot->mutex);
    if (!snapshot->lost)
        snapshot->lost = !pg_run(snapshot->keeper, "SELECT 1", &cause);
    const bool lost = snapshot->lost;
    pthread_mutex_unlock(&snapshot->mutex);
    if (!lost)
        return true;
    if (!cancel_check(snapshot->cancel, error))
        return false;
    g_set_error(
        error, VF_ERROR, VF_ERROR_CONNECT, "the source's snapshot is lost%s%s",
        cause == NULL ? "" : ": ", cause == NULL ? "" : cause->message);
    return false;
}
