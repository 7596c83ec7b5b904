/*
 * copy_workers.h - several threads, each with a session at both ends, that share the work.
 *
 * A failure that may pass (a lost connection, a full server) is tried again with new
 * sessions, part by part, as long as the snapshot lives; any other ends all of them.
 */
#pragma once

#include "flow/copy_news.h"
#include "table/copy_run.h"
#include "table/snapshot.h"

typedef struct
{
    Snapshot *snapshot; /* NULL once nothing is read any more */
    const PgOptions *target;
    const CopyRun *run;
    const char *origin;
    const GPtrArray *tables;  /* of Table, in the source */
    const GPtrArray *targets; /* of Table, the same in the target */
    CopyNews *news;
    guint connections;
    Cancel *stop;   /* of the sessions of this copy; a failure requests it, too */
    Cancel *cancel; /* the user's */
} CopyWork;

/* Copies the parts (an array of Part) in their order. */
bool copy_parts(const CopyWork *work, const GArray *parts, GError **error);

/* VACUUM (FREEZE, ANALYZE) of every table of the target. */
bool copy_vacuum(const CopyWork *work, GError **error);

/*
 * Jobs of others, shared by the same threads: each is called with its number and a session at the
 * target, and again when its failure may pass.  `tick` is called now and then in the thread that
 * waits.
 */
typedef struct
{
    guint count;
    bool (*job)(void *data, guint number, Pg *target, GError **error);
    void (*tick)(void *data); /* NULL: none */
    void *data;
} CopyJobs;

bool copy_jobs(const CopyWork *work, const CopyJobs *jobs, GError **error);
