/*
 * snapshot.h - one instant of the source that every reader sees.
 *
 * A keeper session holds it, exports it, and locks the tables against being rewritten,
 * emptied or dropped (readers and writers of rows are not hindered).  When the keeper is
 * lost, so is the snapshot: no reader can join, and what readers saw since may be of
 * emptied tables.  snapshot_check() at the end of the work is what makes it count.
 *
 * Several threads may ask for readers.
 */
#pragma once

#include "pg/pg.h"

typedef struct Snapshot Snapshot;

/*
 * Takes a snapshot now, or joins the one that another session exported under the name `joined`
 * (else NULL) and holds it from then on.  The options are borrowed as long as the snapshot lives.
 */
Snapshot *snapshot_take(
    const PgOptions *source, const char *joined, Cancel *cancel, GError **error);
void snapshot_free(Snapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_free)

/* The keeper's own session, inside the snapshot, for the thread that took it. */
Pg *snapshot_keeper(Snapshot *snapshot);

/* What others may join it by, while the keeper lives: pg_dump --snapshot, too. */
const char *snapshot_name(const Snapshot *snapshot);

/* A number that stands for the source's history: after a failover or a restored backup, equal
 * transaction numbers do not mean equal transactions. */
const char *snapshot_timeline(const Snapshot *snapshot);

/*
 * Locks the tables (an array of Table, described inside the snapshot).  VF_ERROR_BUSY when one was
 * rewritten or emptied between the snapshot and the lock: take another snapshot.
 */
bool snapshot_lock(Snapshot *snapshot, const GPtrArray *tables, GError **error);

/* A session that sees the snapshot.  VF_ERROR_CONNECT when it is lost. */
Pg *snapshot_reader(Snapshot *snapshot, GError **error);

/* VF_ERROR_CONNECT when the keeper was lost. */
bool snapshot_check(Snapshot *snapshot, GError **error);
