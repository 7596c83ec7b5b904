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

/* A key or an index that is built after the rows. */
typedef struct
{
    char *index;       /* as people know it */
    gint64 pid;        /* of the server's process that builds it; 0 none */
    char *phase;       /* as the server says it; NULL: not told */
    gint64 done;       /* of that phase */
    gint64 total;      /* 0: not told */
    gint64 started_ms; /* since the epoch; 0 not yet */
    gint64 ended_ms;   /* 0 not yet */
    char *problem;     /* why it is not there; NULL: it is, or will be */
} IndexProgress;

typedef enum
{
    COPY_LOOKING,   /* at both ends, and at what an earlier attempt left */
    COPY_MOVING,    /* rows */
    COPY_FINISHING, /* keys and indexes, sequences, VACUUM */
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
    GPtrArray *indexes;    /* of IndexProgress, in the order in which they were begun */
    GPtrArray *problems;   /* of char *: definitions that could not be made, and why */
    gint64 started_ms;     /* since the epoch */
    gint64 ended_ms;       /* 0 while it is not ended */
} CopyProgress;

CopyProgress *copy_progress_new(void);
void copy_progress_free(CopyProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyProgress, copy_progress_free)

TableProgress *copy_progress_add(CopyProgress *progress, const char *table);

IndexProgress *copy_progress_add_index(CopyProgress *progress, const char *index);

/* All tables as one: sums, and no name. */
TableProgress copy_progress_total(const CopyProgress *progress);

/* Between first and last part; 0 for a table that had nothing to copy. */
double table_progress_seconds(const TableProgress *table);

double index_progress_seconds(const IndexProgress *index);
