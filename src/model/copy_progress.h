/*
 * copy_progress.h - how far a copy of whole tables is.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct
{
    char *table;          /* quoted, with its schema */
    double expected_rows; /* as the source estimates; negative unknown */
    gint64 rows;          /* that have landed */
    gint64 bytes;         /* that went by, those of parts under way too */
    gint64 reused_rows;   /* of the rows, copied by an earlier attempt */
    gint64 weight;        /* of the table: bytes on the source's disk */
    gint64 weight_done;
    guint parts;
    guint parts_done;
    gint64 started_ms; /* since the epoch; 0 not yet */
    gint64 ended_ms;   /* the last part landed; 0 not yet */
} TableProgress;

typedef enum
{
    COPY_LOOKING,   /* at both ends, and at what an earlier attempt left */
    COPY_MOVING,    /* rows */
    COPY_FINISHING, /* sequences, VACUUM */
    COPY_DONE,
} CopyPhase;

typedef struct
{
    char *run;
    char *source; /* addresses, without passwords */
    char *target;
    CopyPhase phase;
    char *finished_before; /* when an earlier command had finished all of it; NULL: it had not */
    GPtrArray *tables;     /* of TableProgress, by name */
    gint64 started_ms;     /* since the epoch */
    gint64 ended_ms;       /* 0 while it is not ended */
} CopyProgress;

CopyProgress *copy_progress_new(void);
void copy_progress_free(CopyProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyProgress, copy_progress_free)

TableProgress *copy_progress_add(CopyProgress *progress, const char *table);

/* All tables as one: sums, and no name. */
TableProgress copy_progress_total(const CopyProgress *progress);

/* Between first and last part; 0 for a table that had nothing to copy. */
double table_progress_seconds(const TableProgress *table);
