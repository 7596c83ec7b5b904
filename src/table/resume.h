/*
 * resume.h - what of an earlier attempt still holds in this snapshot, and what does not goes.
 *
 * A part holds when the source's table is the same file with the same columns, and the same
 * row versions stand in the part's range.  All parts that do not hold are taken out of the
 * target before anything is copied again: a row that was updated has moved from one
 * part to another, and its old version would collide with the new one.
 *
 * What is taken out is only what our transactions wrote, and in whole: when there are more or
 * fewer of their rows than the marks say, somebody changed them, and nothing is touched.
 */
#pragma once

#include "model/table.h"
#include "table/copy_run.h"
#include "table/snapshot.h"

/* What becomes of rows in the target that this run did not write. */
typedef enum
{
    FOREIGN_ROWS_STOP,
    FOREIGN_ROWS_STAY, /* --append */
    FOREIGN_ROWS_GO,   /* --replace: the table is emptied and copied anew */
} ForeignRows;

typedef struct
{
    Snapshot *snapshot;
    Pg *target;
    const CopyRun *run;
    const char *origin;
    ForeignRows foreign;
} ResumeContext;

typedef struct
{
    gint64 parts; /* that hold */
    gint64 rows;
    gint64 bytes;
    gint64 forgotten; /* parts that did not hold */
} Kept;

/*
 * Looks at one table.  The marks (of the whole run) that hold are added to `done`, an array of
 * DoneRange, as ranges of the table with the number `table`; the others are gone from the target.
 * VF_ERROR_MISMATCH when the target's table is not as the run left it.
 */
bool resume_table(
    const ResumeContext *context, guint number, const Table *table, const Table *target,
    const GPtrArray *marks, GArray *done, Kept *kept, GError **error);
