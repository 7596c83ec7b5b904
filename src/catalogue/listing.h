/*
 * listing.h - all bots of a scan's or an export's files, at hand by user and id.
 */
#pragma once

#include "base/cancel.h"
#include "model/bot.h"

typedef struct Listing Listing;

/*
 * Reads all of the files (an array of ListedFile) of the catalogue of that name.
 * VF_ERROR_BAD_INPUT, with what to do about it, when they are no complete scan or export of the
 * application's table; a bot that is malformed is listed as such.
 */
Listing *listing_read(const char *name, const GPtrArray *files, Cancel *cancel, GError **error);

/* The bots in the catalogue's order: an array of Bot, yours. */
GPtrArray *listing_bots(const Listing *listing);

/* That bot, yours, or NULL. */
Bot *listing_find(const Listing *listing, const char *user, const char *id);

void listing_free(Listing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listing, listing_free)
