/*
 * staging.h - vectors that were paid for, kept until their bot is complete.
 *
 * The table vecferry.staged holds whole rows (text too), so that replacing a bot's
 * rows happens inside the server in one short transaction, however large the bot.
 * A row is known by bot, source, number and space; its text's hash tells whether it
 * still fits.
 */
#pragma once

#include "store/store.h"

/* The SHA-256 of a chunk's text. */
typedef struct
{
    guint8 bytes[32];
} TextHash;

TextHash text_hash(const char *text);

typedef struct
{
    const char *source; /* the label */
    int number;         /* of the chunk in its source, from 0 */
    const char *text;
    const float *vector;
} StagedRow;

typedef struct Staging Staging;

/*
 * Begins work at one bot and locks it against other workers of ours for as long as the session
 * lives: VF_ERROR_BUSY when another one has it.  The store is borrowed.
 */
Staging *staging_begin(
    Store *store, const char *bot, const char *space, int dimensions, GError **error);
void staging_free(Staging *staging);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Staging, staging_free)

/* After a lost session nobody knows which of its rows arrived: they may be there already. */
void staging_expect_rows(Staging *staging);

/*
 * Puts one made-up row with this label into the store's table and takes it back, so that whatever
 * the table refuses (a type, a length, a constraint) is known before money is spent.
 */
bool staging_try(Staging *staging, const char *source, GError **error);

/*
 * The hashes of what is staged of a source, by number: an array of TextHash in which a number
 * that is not staged is all zero.  Yours.
 */
GArray *staging_known(Staging *staging, const char *source, GError **error);

/* Commits a batch of rows; a number that was there is replaced. */
bool staging_add(Staging *staging, const StagedRow *rows, size_t count, GError **error);

/* Holds off every other writer of the store's table until the transaction ends.  VF_ERROR_BUSY when
 * they do not let us pass. */
bool staging_lock_table(Store *store, GError **error);

/* Forgets what is staged of a source from that number on. */
bool staging_trim(Staging *staging, const char *source, int count, GError **error);

typedef struct
{
    const char *run;    /* what the mark says */
    const char *worker; /* "vecferry-RUN-ATTEMPT" */
    const char *splitter;
    const char *fingerprint;
    /* JSON, per source; kept with the mark.  A source without "xid" gets that of the mark's
     * transaction. */
    const char *outcome;
    bool complete;
} MarkFacts;

/*
 * True in `adopted` when another worker loaded the very same after that time (ms since the epoch,
 * of the mark that was there when we planned) and its rows are still there: its mark is ours then,
 * and nothing is left to do.
 */
bool staging_adopt(
    Staging *staging, const MarkFacts *facts, gint64 after_ms, bool *adopted, GError **error);

typedef struct
{
    char *const *sources;   /* labels whose staged rows come in; ends with NULL */
    char *const *failed;    /* labels whose old rows stay: nothing better is to be had */
    char *const *kept;      /* labels whose rows stay because they are still right */
    char *const *kept_xids; /* for each of them the transaction that wrote its rows */
    gint64 kept_rows;       /* that these must have; any other number is an error, too */
    gint64 rows;            /* what must arrive; any other number is an error and changes nothing */
} Replacement;

/*
 * Replaces the bot's rows by staged ones and writes the mark, in one transaction that holds off
 * every other writer.  Rows of failed sources do not stay when the mark says that they are of
 * another space.  The staging is emptied when the bot is complete; until then its rows wait there,
 * so that the failed sources can be tried again without paying for the others.
 */
bool staging_replace(
    Staging *staging, const Replacement *wish, const MarkFacts *facts, GError **error);
