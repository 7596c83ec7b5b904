/*
 * cut.h - decides in which parts tables are copied.
 *
 * Pure.  A table is cut by what it really weighs, TOAST included: a table of vectors keeps
 * most of its bytes there.  Parts are ranges of blocks of the heap; the last one is open, so
 * that it holds whatever the table grew by.
 *
 * A server before PostgreSQL 14 has no scan of a range of blocks: it would read the whole
 * table for every part.  There each table is one part.
 */
#pragma once

#include "model/table.h"

typedef struct
{
    gint64 part_bytes; /* about what one part shall weigh */
    int version;       /* of the source's server: 150004 */
} CutRules;

/* Blocks that are copied already; PART_OPEN_END in `end_block` means all that follow. */
typedef struct
{
    guint table;
    gint64 first_block;
    gint64 end_block;
} DoneRange;

/*
 * The parts that are still missing of all tables, an array of Part, the heaviest first; yours.
 * Together with the done ranges (an array of DoneRange, in any order) they cover every table once.
 */
GArray *cut_parts(const GPtrArray *tables, const GArray *done, const CutRules *rules);
