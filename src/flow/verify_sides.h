/*
 * verify_sides.h - one side of a comparison: its snapshot, and the tables in it.
 */
#pragma once

#include "compare/side_tables.h"
#include "table/describe.h"
#include "table/snapshot.h"

typedef struct
{
    PgOptions options;
    Snapshot *snapshot;
    GPtrArray *tables; /* of Table */
    GPtrArray *facts;  /* of SideTable, of the same tables */
} VerifySide;

void verify_side_clear(VerifySide *side);

/*
 * Opens a side whose options are filled, and reads its tables; `source` and `target` may have
 * other ones, but a pattern that matches nothing at either is VF_ERROR_USAGE.  Tables whose rows
 * can be read are locked against being rewritten.
 */
bool verify_sides_open(
    VerifySide *source, VerifySide *target, const TableFilter *filter, Cancel *cancel,
    GError **error);

/* A session inside the side's snapshot that cannot write. */
Pg *verify_side_reader(const VerifySide *side, GError **error);
