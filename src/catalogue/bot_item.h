/*
 * bot_item.h - an item of the application's table as a bot.
 */
#pragma once

#include "base/json.h"
#include "model/bot.h"

typedef enum
{
    ITEM_FOREIGN,   /* has not the keys of the application's table */
    ITEM_PLAIN,     /* plain JSON: its values lack DynamoDB's types */
    ITEM_OTHER,     /* a conversation, an alias, a related document */
    ITEM_VERSION_3, /* a bot or alias of version 3, whose knowledge is in Knowledge Bases */
    ITEM_BOT,       /* a bot of version 0.3 to 2 */
} ItemKind;

ItemKind item_kind(const Json *item);

/*
 * The bot of an item that is ITEM_BOT; a wrong item gives a BOT_MALFORMED, never an
 * error.  text_problem is what item_parse() said of its text, or NULL.
 */
Bot *bot_from_item(const Json *item, const char *text_problem);

/* For g_ptr_array_sort(): the most recently used first, then by user and id. */
int bot_order(const void *left, const void *right);
