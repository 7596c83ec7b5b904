/*
 * bot_facts.h - what a store knows of one bot, before anything is asked of it.
 */
#pragma once

#include "store/store.h"

typedef struct
{
    gint64 rows;
    int dimensions; /* of its vectors, by one of them; 0 when it has none */
    char *space;    /* of our mark; NULL when the bot was not loaded by us */
} BotFacts;

void bot_facts_clear(BotFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BotFacts, bot_facts_clear)

/* Fills rows and dimensions. */
bool bot_facts_read(Store *store, const char *bot, BotFacts *facts, GError **error);

/* Fills the space.  VF_ERROR_DENIED when our schema is there and may not be read. */
bool bot_facts_read_space(Store *store, const char *bot, BotFacts *facts, GError **error);

/* How many rows the bot has; -1 with the error set. */
gint64 store_count_rows(Store *store, const char *bot, GError **error);

/* The ids of all bots that have rows, sorted.  Yours. */
char **store_bots(Store *store, GError **error);
