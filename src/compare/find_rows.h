/*
 * find_rows.h - goes down from buckets that differ to the rows that do.
 *
 * Only rows of such buckets are listed: a few buckets first, then more at a time, until enough
 * differences are found.  Lists are read through cursors, so that memory does not grow with them.
 */
#pragma once

#include "compare/row_hash.h"

typedef struct
{
    const TablePair *pair;
    const RowSums *sums[SIDE_COUNT];
    Pg *sessions[SIDE_COUNT]; /* each inside the snapshot that the sums are of */
    guint most;               /* differences that are named */
} RowSearch;

/* Fills the differences (an array of RowDifference); `more` gets whether there are others.  It may
 * stay false though some are left that were not looked for. */
bool find_rows(const RowSearch *search, GPtrArray *differences, bool *more, GError **error);
