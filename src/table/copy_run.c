#include "table/copy_run.h"

#include "base/error.h"
#include "table/begin_copy_run.sql.h"
#include "table/begin_part.sql.h"
#include "table/end_part.sql.h"
#include "table/has_copy_tables.sql.h"
#include "table/hold_generation.sql.h"
#include "table/prepare_copy.sql.h"
#include "table/read_parts.sql.h"

/* A session whose program was killed is gone within a second on most servers. */
#define LOCK_PATIENCE_MS 10000
#define LOCK_STEP_MS 200

/* The columns of read_parts.sql. */
enum
{
    TARGET,
    FIRST_BLOCK,
    END_BLOCK,
    ORIGIN,
    SOURCE_TABLE,
    RELFILENODE,
    SHAPE,
    ROWS,
    BYTES,
    FINGERPRINT,
    XID,
    XMIN,
    RECENT,
};

void
copy_run_free(CopyRun *run)
{
    if (run == NULL)
        return;
    g_free(run->id);
    g_free(run->finished);
    g_free(run);
}

void
part_mark_free(PartMark *mark)
{
    if (mark == NULL)
        return;
    g_free(mark->origin);
    g_free(mark->shape);
    g_free(mark->fingerprint);
    g_free(mark->xmin);
    g_free(mark);
}

static bool
is_true(const PGresult *result, int row, int column)
{
    return *pg_text(result, row, column) == 't';
}

/* Two that begin at once would collide inside CREATE … IF NOT EXISTS, hence the lock. */
static bool
make_tables(Pg *target, GError **error)
{
    return pg_run(target, "BEGIN", error) &&
           pg_run(target, "SELECT pg_advisory_xact_lock(hashtext('vecferry prepare'))", error) &&
           pg_run(target, "SET LOCAL client_min_messages = warning", error) &&
           pg_run(target, SQL_PREPARE_COPY, error) && pg_run(target, "COMMIT", error);
}

bool
copy_run_prepare(Pg *target, GError **error)
{
    g_autoptr(PGresult) there = pg_query(target, SQL_HAS_COPY_TABLES, 0, NULL, error);
    if (there == NULL)
        return false;
    if (is_true(there, 0, 0) || make_tables(target, error))
        return true;
    pg_rollback(target);
    g_prefix_error(error, "could not make the schema \"vecferry\" in the target: ");
    return false;
}

bool
copy_run_lock(Pg *target, Cancel *cancel, GError **error)
{
    static const char TRY[] = "SELECT pg_try_advisory_lock(hashtext('vecferry copy'))";

    for (int waited_ms = 0;; waited_ms += LOCK_STEP_MS)
    {
        g_autoptr(PGresult) had = pg_query(target, TRY, 0, NULL, error);
        if (had == NULL)
            return false;
        if (is_true(had, 0, 0))
            return true;
        if (waited_ms >= LOCK_PATIENCE_MS)
            break;
        if (!cancel_sleep(cancel, LOCK_STEP_MS))
            return cancel_check(cancel, error);
    }
    g_set_error(
        error, VF_ERROR, VF_ERROR_BUSY, "another vecferry is copying into the target database");
    vf_error_hint(error, "wait until it is done, or end it");
    return false;
}

CopyRun *
copy_run_begin(Pg *target, const char *id, const char *source, GError **error)
{
    const char *parameters[] = {id, source};
    g_autoptr(PGresult) result = pg_query(target, SQL_BEGIN_COPY_RUN, 2, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not write the run down in the target: ");
        return NULL;
    }
    CopyRun *run = g_new0(CopyRun, 1);
    run->id = g_strdup(id);
    run->generation = pg_number(result, 0, 0);
    run->finished = PQgetisnull(result, 0, 1) ? NULL : g_strdup(pg_text(result, 0, 1));
    return run;
}

bool
copy_run_set_finished(Pg *target, const CopyRun *run, bool finished, GError **error)
{
    g_autofree char *generation = g_strdup_printf("%" G_GINT64_FORMAT, run->generation);
    g_autofree char *sql = g_strdup_printf(
        "UPDATE vecferry.copy_run SET finished = %s WHERE run = $1 AND generation = $2",
        finished ? "now()" : "NULL");
    const char *parameters[] = {run->id, generation};
    return pg_change(target, sql, 2, parameters, NULL, error);
}

static PartMark *
read_mark(const PGresult *result, int row)
{
    PartMark *mark = g_new0(PartMark, 1);

    mark->target = (guint32) pg_number(result, row, TARGET);
    mark->first_block = pg_number(result, row, FIRST_BLOCK);
    mark->end_block = pg_number(result, row, END_BLOCK);
    mark->origin = g_strdup(pg_text(result, row, ORIGIN));
    mark->source_table = (guint32) pg_number(result, row, SOURCE_TABLE);
    mark->relfilenode = (guint32) pg_number(result, row, RELFILENODE);
    mark->shape = g_strdup(pg_text(result, row, SHAPE));
    mark->rows = pg_number(result, row, ROWS);
    mark->bytes = pg_number(result, row, BYTES);
    mark->fingerprint = g_strdup(pg_text(result, row, FINGERPRINT));
    mark->xmin = g_strdup(pg_text(result, row, XMIN));
    mark->recent = is_true(result, row, RECENT);
    return mark;
}

GPtrArray *
part_marks_read(Pg *target, const CopyRun *run, GError **error)
{
    const char *parameters[] = {run->id};
    g_autoptr(PGresult) result = pg_query(target, SQL_READ_PARTS, 1, parameters, error);
    if (result == NULL)
        return NULL;

    GPtrArray *marks = g_ptr_array_new_with_free_func((GDestroyNotify) part_mark_free);
    for (int row = 0; row < PQntuples(result); row++)
        g_ptr_array_add(marks, read_mark(result, row));
    return marks;
}

/* Until the transaction's end nobody takes the run over. */
static bool
hold_generation(Pg *target, const CopyRun *run, GError **error)
{
    g_autofree char *generation = g_strdup_printf("%" G_GINT64_FORMAT, run->generation);
    const char *parameters[] = {run->id, generation};
    g_autoptr(PGresult) held = pg_query(target, SQL_HOLD_GENERATION, 2, parameters, error);
    if (held == NULL)
        return false;
    if (PQntuples(held) == 1)
        return true;
    g_set_error(error, VF_ERROR, VF_ERROR_MISMATCH, "another vecferry has taken this copy over");
    return false;
}

bool
part_mark_begin(Pg *target, const CopyRun *run, const PartMark *mark, bool *landed, GError **error)
{
    g_autofree char *oid = g_strdup_printf("%u", mark->target);
    g_autofree char *first = g_strdup_printf("%" G_GINT64_FORMAT, mark->first_block);
    g_autofree char *end = g_strdup_printf("%" G_GINT64_FORMAT, mark->end_block);
    g_autofree char *source_table = g_strdup_printf("%u", mark->source_table);
    g_autofree char *relfilenode = g_strdup_printf("%u", mark->relfilenode);
    const char *parameters[] = {run->id,      oid,          first,       end,
                                mark->origin, source_table, relfilenode, mark->shape};
    gint64 announced = 0;

    if (!hold_generation(target, run, error) ||
        !pg_change(target, SQL_BEGIN_PART, G_N_ELEMENTS(parameters), parameters, &announced, error))
        return false;
    *landed = announced == 0;
    return true;
}

bool
part_mark_end(Pg *target, const CopyRun *run, const PartMark *mark, GError **error)
{
    g_autofree char *oid = g_strdup_printf("%u", mark->target);
    g_autofree char *first = g_strdup_printf("%" G_GINT64_FORMAT, mark->first_block);
    g_autofree char *rows = g_strdup_printf("%" G_GINT64_FORMAT, mark->rows);
    g_autofree char *bytes = g_strdup_printf("%" G_GINT64_FORMAT, mark->bytes);
    const char *parameters[] = {run->id, oid, first, rows, bytes, mark->fingerprint};
    return pg_change(target, SQL_END_PART, G_N_ELEMENTS(parameters), parameters, NULL, error);
}
