/*
 * remove.h - takes the rows of a bot away that has no knowledge any more.
 */
#pragma once

#include "store/store.h"

typedef struct
{
    gint64 rows;      /* of the mark, and in the table */
    gint64 marked_ms; /* the mark's time */
} RemoveWish;

/*
 * Removes rows, mark and staged rows of the bot in one transaction that holds off every other
 * writer.  VF_ERROR_MISMATCH when the mark or the number of rows is another than wished: then
 * somebody else wrote there, and nothing is removed.  Rows that are gone already are no error.
 */
bool remove_bot(Store *store, const char *bot, const RemoveWish *wish, GError **error);
