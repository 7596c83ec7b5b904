#include "table/resume.h"

#include "base/error.h"
#include "base/fault.h"
#include "pg/sql.h"
#include "table/count_owned.sql.h"
#include "table/cut.h"
#include "table/delete_owned.sql.h"
#include "table/forget_parts.sql.h"
#include "table/range.h"

#include <string.h>

/* The marks of one table, all borrowed. */
typedef struct
{
    GPtrArray *all;
    GPtrArray *void_ones; /* of them, those that do not hold */
    gint64 foreign;       /* rows of others in the target's table */
} Review;

static void
review_clear(Review *review)
{
    g_clear_pointer(&review->all, g_ptr_array_unref);
    g_clear_pointer(&review->void_ones, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Review, review_clear)

static GPtrArray *
marks_of(const GPtrArray *marks, const Table *target)
{
    GPtrArray *own = g_ptr_array_new();
    for (guint i = 0; i < marks->len; i++)
        if (((const PartMark *) marks->pdata[i])->target == target->oid)
            g_ptr_array_add(own, marks->pdata[i]);
    return own;
}

/* Their transactions, as a parameter. */
static char *
owners(const GPtrArray *marks)
{
    g_autoptr(GPtrArray) xmins = g_ptr_array_new_null_terminated(marks->len, NULL, TRUE);
    for (guint i = 0; i < marks->len; i++)
        g_ptr_array_add(xmins, ((const PartMark *) marks->pdata[i])->xmin);
    return sql_text_array((char **) xmins->pdata);
}

static gint64
rows_of(const PGresult *counts, const char *owner)
{
    for (int row = 0; row < PQntuples(counts); row++)
        if (PQgetisnull(counts, row, 0) == (owner == NULL) &&
            (owner == NULL || strcmp(pg_text(counts, row, 0), owner) == 0))
            return pg_number(counts, row, 1);
    return 0;
}

static bool
is_untouched(const GPtrArray *marks, const PGresult *counts)
{
    for (guint i = 0; i < marks->len; i++)
    {
        const PartMark *mark = marks->pdata[i];
        if (!mark->recent || rows_of(counts, mark->xmin) != mark->rows)
            return false;
    }
    return true;
}

static bool
refuse_foreign_rows(const Table *target, gint64 rows, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "the target's table %s holds %" G_GINT64_FORMAT " %s that this copy did not write",
        target->quoted, rows, rows == 1 ? "row" : "rows");
    vf_error_hint(
        error, "--replace empties such tables first, --append leaves those rows where they are");
    return false;
}

static bool
refuse_changed_rows(const Table *target, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "rows that were copied into %s have been changed or deleted in the target since",
        target->quoted);
    vf_error_hint(error, "--replace empties the table and copies it anew");
    return false;
}

static bool
is_same_file(const ResumeContext *context, const PartMark *mark, const Table *table)
{
    g_autofree char *shape = table_shape(table);
    return strcmp(mark->origin, context->origin) == 0 && mark->source_table == table->oid &&
           mark->relfilenode == table->relfilenode && strcmp(mark->shape, shape) == 0;
}

static bool
holds(
    const ResumeContext *context, const PartMark *mark, const Table *table, bool *answer,
    GError **error)
{
    gint64 rows = 0;

    *answer = is_same_file(context, mark, table);
    if (!*answer)
        return true;
    g_autofree char *fingerprint = range_fingerprint(
        snapshot_keeper(context->snapshot), table, mark->first_block, mark->end_block, &rows,
        error);
    *answer = g_strcmp0(fingerprint, mark->fingerprint) == 0;
    return fingerprint != NULL;
}

static bool
sort_marks(const ResumeContext *context, const Table *table, Review *review, GError **error)
{
    for (guint i = 0; i < review->all->len; i++)
    {
        PartMark *mark = review->all->pdata[i];
        bool still = false;
        if (!holds(context, mark, table, &still, error))
        {
            g_prefix_error(error, "could not look at %s again: ", table->quoted);
            return false;
        }
        if (!still)
            g_ptr_array_add(review->void_ones, mark);
    }
    return true;
}

static bool
forget_marks(const ResumeContext *context, const Table *target, const char *xmins, GError **error)
{
    g_autofree char *oid = g_strdup_printf("%u", target->oid);
    const char *parameters[] = {context->run->id, oid, xmins};
    return pg_change(context->target, SQL_FORGET_PARTS, 3, parameters, NULL, error);
}

static bool
delete_void(
    const ResumeContext *context, const Table *target, const GPtrArray *marks, GError **error)
{
    g_autofree char *xmins = owners(marks);
    g_autofree char *sql = sql_fill(SQL_DELETE_OWNED, "table", target->quoted, NULL);
    const char *parameters[] = {xmins};
    g_autoptr(PGresult) counts = pg_query(context->target, sql, 1, parameters, error);

    if (counts == NULL)
        return false;
    if (!is_untouched(marks, counts))
        return refuse_changed_rows(target, error);
    return forget_marks(context, target, xmins, error);
}

/* Empties the table; one that foreign keys point at is not truncated but deleted from. */
static bool
empty_table(
    const ResumeContext *context, const Table *target, const GPtrArray *marks, GError **error)
{
    g_autofree char *xmins = owners(marks);
    g_autofree char *truncate = g_strdup_printf("TRUNCATE ONLY %s", target->quoted);
    g_autofree char *delete = g_strdup_printf("DELETE FROM ONLY %s", target->quoted);

    if (!pg_run(context->target, "SAVEPOINT truncating", error))
        return false;
    if (!pg_run(context->target, truncate, NULL) &&
        (!pg_run(context->target, "ROLLBACK TO SAVEPOINT truncating", error) ||
         !pg_run(context->target, delete, error)))
        return false;
    return forget_marks(context, target, xmins, error);
}

typedef bool (*Removal)(
    const ResumeContext *context, const Table *target, const GPtrArray *marks, GError **error);

static bool
in_transaction(
    const ResumeContext *context, Removal removal, const Table *target, const GPtrArray *marks,
    GError **error)
{
    if (!pg_run(context->target, "BEGIN", error))
        return false;
    if (!removal(context, target, marks, error))
    {
        pg_rollback(context->target);
        return false;
    }
    fault_point(FAULT_INSIDE_FORGET);
    return pg_run(context->target, "COMMIT", error);
}

static void
keep(const Review *review, guint number, GArray *done, Kept *kept)
{
    for (guint i = 0; i < review->all->len; i++)
    {
        const PartMark *mark = review->all->pdata[i];
        const DoneRange range = {number, mark->first_block, mark->end_block};
        if (g_ptr_array_find(review->void_ones, mark, NULL))
            continue;
        g_array_append_val(done, range);
        kept->parts++;
        kept->rows += mark->rows;
        kept->bytes += mark->bytes;
    }
    kept->forgotten += review->void_ones->len;
}

static PGresult *
count_owned(
    const ResumeContext *context, const Table *target, const GPtrArray *marks, GError **error)
{
    g_autofree char *xmins = owners(marks);
    g_autofree char *sql = sql_fill(SQL_COUNT_OWNED, "table", target->quoted, NULL);
    const char *parameters[] = {xmins};
    PGresult *counts = pg_query(context->target, sql, 1, parameters, error);

    if (counts == NULL)
        g_prefix_error(error, "could not look at the target's table %s: ", target->quoted);
    return counts;
}

bool
resume_table(
    const ResumeContext *context, guint number, const Table *table, const Table *target,
    const GPtrArray *marks, GArray *done, Kept *kept, GError **error)
{
    g_auto(Review) review = {
        .all = marks_of(marks, target),
        .void_ones = g_ptr_array_new(),
    };
    g_autoptr(PGresult) counts = count_owned(context, target, review.all, error);
    if (counts == NULL)
        return false;

    const bool untouched = is_untouched(review.all, counts);
    review.foreign = rows_of(counts, NULL);
    if (context->foreign == FOREIGN_ROWS_GO && (!untouched || review.foreign > 0))
    {
        kept->forgotten += review.all->len;
        return in_transaction(context, empty_table, target, review.all, error);
    }
    if (!untouched)
        return refuse_changed_rows(target, error);
    if (review.foreign > 0 && context->foreign == FOREIGN_ROWS_STOP)
        return refuse_foreign_rows(target, review.foreign, error);
    if (!sort_marks(context, table, &review, error))
        return false;
    if (review.void_ones->len > 0 &&
        !in_transaction(context, delete_void, target, review.void_ones, error))
        return false;
    keep(&review, number, done, kept);
    return true;
}
