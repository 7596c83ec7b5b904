/*
 * range.h - a range of a table's blocks: how to read it, and how to know it again.
 */
#pragma once

#include "model/table.h"
#include "pg/pg.h"

/* " WHERE ctid …", or "" for the whole table.  Yours. */
char *range_condition(gint64 first_block, gint64 end_block);

/*
 * Which row versions (ctid, xmin) the session sees in the range, as a text of its own (yours), and
 * how many.  A version that stands in the same place of the same file, written by the same
 * transaction, has the same values.
 */
char *range_fingerprint(
    Pg *source, const Table *table, gint64 first_block, gint64 end_block, gint64 *rows,
    GError **error);
