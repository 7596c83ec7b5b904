/*
 * counts.h - what stands in a store's table, counted inside the server by bot and source.
 *
 * The server does the work in one pass over the table; here, memory is bound by bots and
 * sources, whatever the rows.  Table and marks are read in one snapshot, so that a bot which is
 * being loaded counts as before or as after.
 */
#pragma once

#include "model/observation.h"
#include "model/store_map.h"
#include "pg/pg.h"

/* The table to be counted; all borrowed. */
typedef struct
{
    const StoreMap *map;
    const char *table;            /* quoted, with its schema */
    const char *oid;              /* as text */
    const char *extension_schema; /* quoted */
    int dimensions;               /* that the vector column is bound to; 0 none */
} CountedTable;

/* The rows of one source of one bot. */
typedef struct
{
    char *source; /* the rows' label; NULL for rows without one */
    gint64 rows;
    gint64 texts;  /* different ones */
    gint64 fewest; /* times that every one of the texts occurs at least; 0 without texts */
    gint64 null_texts;
    gint64 null_vectors;
    gint64 zero_vectors;
    gint64 unit_vectors; /* of length 1 */
    gint64 odd_vectors;  /* of other dimensions than most of the table's */
} SourceCount;

/* What the mark says of one source. */
typedef struct
{
    gint64 chunks;
    char *reason; /* why it was not loaded; NULL when it was */
} SourceOutcome;

typedef struct
{
    GHashTable *sources;  /* label → SourceCount */
    SourceCount *nowhere; /* rows whose source is NULL; NULL when there are none */
    gint64 rows;
    Mark *mark;           /* NULL when the bot was never loaded by us */
    GHashTable *outcomes; /* of the mark: label → SourceOutcome */
} BotCount;

typedef struct
{
    GHashTable *bots; /* id → BotCount; those with only a mark too */
    BotCount *nobody; /* rows whose bot is NULL; NULL when there are none */
    gint64 rows;      /* in all */
    int dimensions;   /* of most vectors */
    gint64 vectors;   /* that have a length: neither NULL nor zero */
    gint64 unit_vectors;
} Counts;

/* For those who count by themselves. */
Counts *counts_new(void);
void counts_free(Counts *counts);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Counts, counts_free)

/* The bot, made empty at the first call; NULL for the rows without one. */
BotCount *counts_bot(Counts *counts, const char *bot);

/* The bot's source, likewise. */
SourceCount *bot_count_source(BotCount *bot, const char *source);

/* Writes down what the mark says of a source. */
void bot_count_outcome(BotCount *bot, const char *source, gint64 chunks, const char *reason);

/* Counts all rows, or those of these bots only (NULL-terminated; NULL for all). */
Counts *counts_read(Pg *pg, const CountedTable *table, char *const *bots, GError **error);
