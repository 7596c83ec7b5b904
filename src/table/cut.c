#include "table/cut.h"

/* More parts than this of one table are a burden for nothing. */
#define MOST_PARTS 4096

static int
compare_ranges(const void *left, const void *right)
{
    const DoneRange *a = left;
    const DoneRange *b = right;
    return a->first_block < b->first_block ? -1 : a->first_block > b->first_block;
}

static int
compare_weight(const void *left, const void *right)
{
    const Part *a = left;
    const Part *b = right;

    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    return a->first_block < b->first_block ? -1 : a->first_block > b->first_block;
}

static GArray *
done_of(const GArray *done, guint table)
{
    GArray *ranges = g_array_new(FALSE, FALSE, sizeof(DoneRange));
    for (guint i = 0; i < done->len; i++)
    {
        const DoneRange range = g_array_index(done, DoneRange, i);
        if (range.table == table)
            g_array_append_val(ranges, range);
    }
    g_array_sort(ranges, compare_ranges);
    return ranges;
}

/* Blocks of one part, so that all weigh about the same. */
static gint64
blocks_of_part(const Table *table, const CutRules *rules)
{
    const gint64 wished = table->bytes / MAX(rules->part_bytes, 1) + 1;
    const gint64 parts = CLAMP(wished, 1, MIN(MOST_PARTS, MAX(table->blocks, 1)));
    return (MAX(table->blocks, 1) + parts - 1) / parts;
}

static gint64
weight(const Table *table, gint64 first, gint64 end)
{
    const gint64 blocks = MAX(MIN(end, table->blocks) - first, 0);
    const double share = table->blocks == 0 ? 0 : (double) blocks / (double) table->blocks;
    return (gint64) (share * (double) table->bytes);
}

/* Cuts what lies between two blocks; an open end belongs to the last part. */
static void
cut_gap(GArray *parts, const Table *table, guint number, gint64 first, gint64 end, gint64 step)
{
    const gint64 known_end = end == PART_OPEN_END ? table->blocks : end;

    while (end == PART_OPEN_END || first < end)
    {
        const bool is_last = first + step >= known_end;
        const gint64 here = is_last ? end : first + step;
        const Part part = {
            .table = number,
            .first_block = first,
            .end_block = here,
            .bytes = weight(table, first, is_last ? MAX(known_end, first) : here),
        };
        g_array_append_val(parts, part);
        if (is_last)
            return;
        first = here;
    }
}

static void
cut_table(
    GArray *parts, const Table *table, guint number, const GArray *done, const CutRules *rules)
{
    const gint64 step =
        rules->version < 140000 ? MAX(table->blocks, 1) : blocks_of_part(table, rules);
    g_autoptr(GArray) ranges = done_of(done, number);
    gint64 at = 0;

    for (guint i = 0; i < ranges->len; i++)
    {
        const DoneRange *range = &g_array_index(ranges, DoneRange, i);
        if (range->first_block > at)
            cut_gap(parts, table, number, at, range->first_block, step);
        if (range->end_block == PART_OPEN_END)
            return;
        at = MAX(at, range->end_block);
    }
    cut_gap(parts, table, number, at, PART_OPEN_END, step);
}

GArray *
cut_parts(const GPtrArray *tables, const GArray *done, const CutRules *rules)
{
    GArray *parts = g_array_new(FALSE, FALSE, sizeof(Part));
    for (guint i = 0; i < tables->len; i++)
        cut_table(parts, tables->pdata[i], i, done, rules);
    g_array_sort(parts, compare_weight);
    return parts;
}
