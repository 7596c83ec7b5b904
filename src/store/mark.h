/*
 * mark.h - asks the store whether a worker's work arrived, or anybody's.
 */
#pragma once

#include "store/store.h"

/* True in `there` once vecferry has made its tables here. */
bool mark_table_exists(Store *store, bool *there, GError **error);

/* What a worker left behind. */
typedef struct
{
    bool arrived; /* the bot's mark was written by that worker; all below is known then */
    bool complete;
    gint64 rows;
    char *failure; /* of a bot that was loaded in part: which source, and why; NULL */
} WorkersMark;

void workers_mark_clear(WorkersMark *mark);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WorkersMark, workers_mark_clear)

bool mark_by_worker(
    Store *store, const char *bot, const char *worker, WorkersMark *mark, GError **error);

typedef struct
{
    const char *space;
    const char *splitter;
    const char *fingerprint;
} MarkWish;

/* True in `found` when the bot was loaded whole, as wished, after that time, and the rows are still
 * there; `rows` gets their number. */
bool mark_is_newer(
    Store *store, const char *bot, const MarkWish *wish, gint64 after_ms, bool *found, gint64 *rows,
    GError **error);
