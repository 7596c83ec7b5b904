/*
 * copy_run.h - a copy as the target knows it: who works at it, and which parts have landed.
 *
 * Everything stands in the schema `vecferry` of the target.  A part's mark is written in the
 * transaction that writes its rows, so either both are there or neither.
 *
 * One copy at a time works at a database: copy_run_lock() says so early.  What makes it
 * certain is the generation: taking a run over waits for every transaction that still writes
 * a part of it, and turns away those that come later.
 */
#pragma once

#include "pg/pg.h"

typedef struct
{
    char *id;
    gint64 generation;
    char *finished; /* when, as text; NULL: it is not */
} CopyRun;

/* Makes the schema and the tables where they are missing. */
bool copy_run_prepare(Pg *target, GError **error);

/* Waits a moment for one that just died; VF_ERROR_BUSY when another copy works at this database.
 * The lock lives as long as the session. */
bool copy_run_lock(Pg *target, Cancel *cancel, GError **error);

/* Takes the run over, or makes it.  `source` is its address, for people.  Yours. */
CopyRun *copy_run_begin(Pg *target, const char *id, const char *source, GError **error);
void copy_run_free(CopyRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyRun, copy_run_free)

/* That it is finished, or (false) that it is under way again. */
bool copy_run_set_finished(Pg *target, const CopyRun *run, bool finished, GError **error);

/* What is known of a part that landed. */
typedef struct
{
    guint32 target;       /* the oid of the table there */
    gint64 first_block;   /* of the source's table, as in Part */
    gint64 end_block;     /* likewise */
    char *origin;         /* the source's identity and history */
    guint32 source_table; /* its oid there */
    guint32 relfilenode;  /* likewise */
    char *shape;          /* table_shape() */
    gint64 rows;
    gint64 bytes;
    char *fingerprint; /* range_fingerprint() */
    char *xmin;        /* of its rows in the target */
    bool recent;       /* false: so old that its xmin may be another transaction's by now */
} PartMark;

void part_mark_free(PartMark *mark);

/* All parts of the run, of all tables: an array of PartMark, by table and range; yours. */
GPtrArray *part_marks_read(Pg *target, const CopyRun *run, GError **error);

/*
 * Announces a part in an open transaction.  `landed` gets whether it had been committed before;
 * then there is nothing to do.  VF_ERROR_MISMATCH when another vecferry took the run over.
 */
bool part_mark_begin(
    Pg *target, const CopyRun *run, const PartMark *mark, bool *landed, GError **error);

/* Completes the announced mark with rows, bytes and fingerprint. */
bool part_mark_end(Pg *target, const CopyRun *run, const PartMark *mark, GError **error);
