/*
 * bot_json.h - a bot as plain JSON: for plan files and for a worker's process.
 *
 * This is our own form, not the catalogue's.  Members may be added to it; those
 * written by bot_to_json() are all required by bot_from_json().
 */
#pragma once

#include "base/json.h"
#include "model/bot.h"

/* The bot must be sealed and its strings UTF-8.  Yours. */
Json *bot_to_json(const Bot *bot);

/*
 * The same bot again, sealed.  VF_ERROR_BAD_INPUT, naming the member, when one is
 * missing, of another type or out of range, or when the stored fingerprint is not
 * that of the bot: somebody changed it by hand, or another version wrote it.
 */
Bot *bot_from_json(const Json *json, GError **error);
