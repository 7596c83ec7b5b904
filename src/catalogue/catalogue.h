/*
 * catalogue.h - the bots that should exist and the knowledge each one has.
 */
#pragma once

#include "base/cancel.h"
#include "model/bot.h"

typedef struct Catalogue Catalogue;
struct Catalogue
{
    /*
     * Every bot (aliases, conversations and other items are left out; ghosts and
     * malformed bots are there, as such), the most recently used first, then by user
     * and id.  An array of Bot, yours.  The same bot named twice is an error.
     */
    GPtrArray *(*list)(Catalogue *self, Cancel *cancel, GError **error);

    /* That one bot as it is now; VF_ERROR_MISMATCH when it is gone.  Yours. */
    Bot *(*read)(Catalogue *self, const char *user, const char *id, Cancel *cancel, GError **error);

    /* What a person would call it ("bots.json", "table X in us-east-1"), for messages and for
     * the run's identity. */
    const char *name;

    void (*free)(Catalogue *self);
};

void catalogue_free(Catalogue *catalogue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Catalogue, catalogue_free)

/*
 * The output of `aws dynamodb scan` (one object with Items, pages after one another
 * allowed), or DynamoDB's export to S3 (one `{"Item": …}` a line); plain or gzip; a
 * folder stands for all its .json and .json.gz files.  Read item by item: memory is
 * bound by the bots, not by the file.
 */
Catalogue *catalogue_file_new(const char *path, GError **error);

/* Which bots a command means.  Empty arrays mean all. */
typedef struct
{
    char **bots;     /* ids; NULL-terminated or NULL */
    char **users;    /* owners */
    char **excluded; /* ids */
} Selection;

/* The selected ones of an array of Bot, in its order.  VF_ERROR_USAGE, naming it, when a
 * bot or user of the selection is not in the catalogue.  Yours; shares the bots. */
GPtrArray *selection_apply(const Selection *selection, GPtrArray *bots, GError **error);
