/*
 * mark.h - asks the store whether a worker's work arrived, or anybody's.
 */
#pragma once

#include "store/store.h"

/* True in `there` once vecferry has made its tables here. */
bool mark_table_exists(Store *store, bool *there, GError **error);

/* True in `arrived` when the bot's mark was written by that worker; `rows` gets its rows. */
bool mark_is_by(
    Store *store, const char *bot, const char *worker, bool *arrived, bool *complete, gint64 *rows,
    GError **error);

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
