#include "table/move.h"

#include "base/error.h"
#include "base/fault.h"
#include "table/range.h"

/* How many bytes went by, and who else wants to know. */
typedef struct
{
    const PipeListener *listener;
    gint64 bytes;
} Meter;

static void
count_passed(void *data, gint64 bytes)
{
    Meter *meter = data;
    meter->bytes += bytes;
    if (meter->listener->passed != NULL)
        meter->listener->passed(meter->listener->data, bytes);
}

static const char *
format_of(const Table *table)
{
    return table_is_portable(table) ? "binary" : "text";
}

static char *
reading(const Move *move)
{
    g_autofree char *columns = table_column_list(move->table);
    g_autofree char *range = range_condition(move->part->first_block, move->part->end_block);
    return g_strdup_printf(
        "COPY (SELECT %s FROM ONLY %s%s) TO STDOUT (FORMAT %s)", columns, move->table->quoted,
        range, format_of(move->table));
}

static char *
writing(const Move *move)
{
    g_autofree char *columns = table_column_list(move->table);
    return g_strdup_printf(
        "COPY %s %s%s%s FROM STDIN (FORMAT %s)", move->target->quoted, *columns == '\0' ? "" : "(",
        columns, *columns == '\0' ? "" : ")", format_of(move->table));
}

static bool
check_counts(gint64 read, gint64 written, gint64 seen, GError **error)
{
    if (read == written && read == seen)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED,
        "%" G_GINT64_FORMAT " rows were read, %" G_GINT64_FORMAT
        " were written, and the range holds %" G_GINT64_FORMAT,
        read, written, seen);
    vf_error_hint(error, "a rule or a trigger of the target may have kept some back");
    return false;
}

/* Passes the rows, and looks at the range while the target still works at them. */
static bool
pass_rows(
    Pg *source, Pg *target, const Move *move, const PipeListener *listener, PartMark *mark,
    GError **error)
{
    g_autofree char *out = reading(move);
    g_autofree char *in = writing(move);
    Meter meter = {listener, 0};
    const PipeListener counting = {count_passed, &meter};
    gint64 read = 0;
    gint64 seen = 0;

    if (!pipe_pass(source, out, target, in, &counting, &read, error))
        return false;
    mark->fingerprint = range_fingerprint(
        source, move->table, move->part->first_block, move->part->end_block, &seen, error);
    if (mark->fingerprint == NULL || !pipe_end(target, &mark->rows, error))
        return false;
    mark->bytes = meter.bytes;
    return check_counts(read, mark->rows, seen, error);
}

static PartMark *
new_mark(const Move *move)
{
    PartMark *mark = g_new0(PartMark, 1);

    mark->target = move->target->oid;
    mark->first_block = move->part->first_block;
    mark->end_block = move->part->end_block;
    mark->origin = g_strdup(move->origin);
    mark->source_table = move->table->oid;
    mark->relfilenode = move->table->relfilenode;
    mark->shape = table_shape(move->table);
    return mark;
}

static bool
move_in_transaction(
    Pg *source, Pg *target, const CopyRun *run, const Move *move, const PipeListener *listener,
    PartMark *mark, bool *landed, GError **error)
{
    if (!pg_run(target, "BEGIN", error) || !part_mark_begin(target, run, mark, landed, error))
        return false;
    if (*landed)
        return pg_run(target, "ROLLBACK", error);
    fault_point(FAULT_BEFORE_PART);
    if (!pass_rows(source, target, move, listener, mark, error) ||
        !part_mark_end(target, run, mark, error))
        return false;
    fault_point(FAULT_INSIDE_PART);
    if (!pg_run(target, "COMMIT", error))
        return false;
    fault_point(FAULT_AFTER_PART);
    return true;
}

bool
move_part(
    Pg *source, Pg *target, const CopyRun *run, const Move *move, const PipeListener *listener,
    Moved *moved, GError **error)
{
    PartMark *mark = new_mark(move);
    bool landed = false;
    const bool done =
        move_in_transaction(source, target, run, move, listener, mark, &landed, error);

    *moved = (Moved){mark->rows, mark->bytes, landed};
    part_mark_free(mark);
    if (!done)
        g_prefix_error(error, "could not copy %s: ", move->table->quoted);
    return done;
}
