/*
 * mark.h - asks the store whether a worker's work arrived.
 */
#pragma once

#include "store/store.h"

/* True in `there` once vecferry has made its tables here. */
bool mark_table_exists(Store *store, bool *there, GError **error);

/* True in `arrived` when the bot's mark was written by that worker; `rows` gets its rows. */
bool mark_is_by(
    Store *store, const char *bot, const char *worker, bool *arrived, bool *complete, gint64 *rows,
    GError **error);
