/*
 * bot.h - a bot of the catalogue and what it should know.
 *
 * A bot is read from a catalogue and not changed afterwards.  Defaults of older
 * versions of the application are filled in already (chunks of 1000 characters
 * with 200 of overlap, 20 results).
 */
#pragma once

#include "model/source.h"

#include <stdbool.h>

typedef enum
{
    BOT_VECTOR,         /* its knowledge belongs into the store */
    BOT_KNOWLEDGE_BASE, /* its knowledge lives in a Bedrock Knowledge Base */
    BOT_GHOST,          /* an item left over by a task; the bot was deleted */
    BOT_MALFORMED,      /* an attribute is missing or of another type; see problem */
} BotKind;

typedef struct
{
    BotKind kind;
    char *problem; /* what is wrong with a malformed bot, else NULL */

    char *user;  /* partition key: the owner; hostile text, as all strings here */
    char *id;    /* what follows the last '#' of the sort key */
    char *title; /* "" for a ghost */

    GPtrArray *sources; /* of Source; in the order the guide's container loads them */
    int chunk_size;     /* in characters (Unicode code points) */
    int chunk_overlap;  /* likewise */
    bool partition_pdf; /* read PDFs the thorough way */
    int max_results;    /* rows that a question to this bot returns */

    gint64 last_used_ms; /* since the epoch */
    char *sync_status;   /* "" when absent; no evidence for anything, see the README */
    char *sync_reason;
    char *last_exec_id;

    char *fingerprint; /* SHA-256 (hex) of what its embedding depends on: changes when the
                          user edits the bot's knowledge, and only then */
} Bot;

/* An empty bot with the defaults; its fields are yours to fill. */
Bot *bot_new(const char *user, const char *id);
Bot *bot_ref(Bot *bot); /* shared between threads; immutable once filled */
void bot_unref(Bot *bot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bot, bot_unref)

/* Drops sources named twice and computes the fingerprint; the last step of filling a bot. */
void bot_seal(Bot *bot);

/* User and id as one name, different for every bot.  Yours. */
char *bot_key(const char *user, const char *id);

/* "vector", "knowledge-base", "ghost", "malformed". */
const char *bot_kind_name(BotKind kind);

/* True when any knowledge is named. */
bool bot_has_knowledge(const Bot *bot);
