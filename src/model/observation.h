/*
 * observation.h - what was seen in a store before anything was decided.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The rows of one source of one bot. */
typedef struct
{
    char *source; /* the rows' own label; "" for NULL */
    gint64 rows;
    gint64 bad_rows;  /* text or vector missing */
    gint64 oldest_ms; /* the first row's time from its ULID; -1 when the key tells none */
} SourceRows;

/* What our worker wrote of one source. */
typedef struct
{
    gint64 chunks;
    gint64 bytes;       /* as they were when it was read; -1 unknown */
    gint64 modified_ms; /* likewise */
    char *failure;      /* why it could not be loaded; NULL when it was */
    bool knows_text;    /* a worker can tell whether the text is still the same */
} MarkedSource;

/* What our worker wrote beside a bot's rows, in their transaction. */
typedef struct
{
    char *run;
    char *space;       /* embedder_space() */
    char *splitter;    /* split_variant_name() */
    char *fingerprint; /* of the bot that was embedded */
    gint64 rows;
    gint64 marked_ms;    /* since the epoch */
    bool complete;       /* false when a source failed and the bot was loaded in part */
    GHashTable *sources; /* label → MarkedSource */
} Mark;

Mark *mark_new(void);
void mark_free(Mark *mark);

/* What the mark says of the source, made empty at the first call. */
MarkedSource *mark_source(Mark *mark, const char *label);

typedef struct
{
    GHashTable *sources; /* label → SourceRows */
    gint64 rows;
    Mark *mark; /* NULL when the bot was never loaded by us */
} BotRows;

/* Everything that planning needs to know of a store. */
typedef struct
{
    char *identity;   /* "SYSTEM/DATABASE/TABLE": the same store, whatever the address */
    char *address;    /* for people; without password */
    GHashTable *bots; /* bot id → BotRows */
    gint64 rows;
} Observation;

Observation *observation_new(void);
void observation_free(Observation *observation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Observation, observation_free)

/* The bot's rows, made empty at the first call. */
BotRows *observation_bot(Observation *observation, const char *bot);

/* What is known of the bot; NULL when the store has neither rows nor mark. */
const BotRows *observation_find(const Observation *observation, const char *bot);
