/*
 * kept.h - sources whose rows need not be made anew, if their text is still the same.
 */
#pragma once

#include "store/mark.h"

typedef struct
{
    char *text_hash; /* kept_text_hash() of the text that the rows were cut from */
    gint64 rows;
    char *xid; /* of the transaction that wrote the rows: what others write has another one */
} KeptSource;

/* The SHA-256 (hex) of a source's text as it was read.  Yours. */
char *kept_text_hash(const char *text);

/*
 * Label → KeptSource, for the sources that our mark says were loaded as wished, and all of whose
 * rows are there.  Yours.
 */
GHashTable *kept_sources(Store *store, const char *bot, const MarkWish *wish, GError **error);

/*
 * How many good rows the bot has of these sources, as written by the transactions (one for each
 * label); -1 with the error set.
 */
gint64 kept_count(
    Store *store, const char *bot, char *const *labels, char *const *xids, GError **error);
