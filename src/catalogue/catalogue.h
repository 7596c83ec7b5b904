/*
 * catalogue.h - the bots that should exist and the knowledge each one has.
 */
#pragma once

#include "aws/client.h"
#include "base/cancel.h"
#include "model/bot.h"

typedef struct Catalogue Catalogue;
struct Catalogue
{
    /*
     * Every bot (aliases, conversations and other items are left out; ghosts and
     * malformed bots are there, as such), the most recently used first, then by user
     * and id.  An array of Bot, yours.  The same bot named twice is an error.  Safe to
     * be called by several threads at once, as read() is.
     */
    GPtrArray *(*list)(Catalogue *self, Cancel *cancel, GError **error);

    /* That one bot as it is now; VF_ERROR_MISMATCH when it is gone.  Yours. */
    Bot *(*read)(Catalogue *self, const char *user, const char *id, Cancel *cancel, GError **error);

    /* What a person would call it ("bots.json", "dynamodb:X in us-east-1"), for messages and for
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
 *
 * What was read is kept until the files change.  VF_ERROR_USAGE when there is nothing that
 * could be read; from list() and read() VF_ERROR_BAD_INPUT when it is no complete scan or
 * export of the application's table, and VF_ERROR_BUSY when it changed meanwhile.
 */
Catalogue *catalogue_file_new(const char *path, GError **error);

/* How a catalogue in DynamoDB is named where a file might be. */
#define CATALOGUE_DYNAMODB "dynamodb:"

/*
 * The application's table, by its name or ARN.  Takes the client, which is asked only by list() and
 * read().  VF_ERROR_USAGE from them when the client's region has no such table, VF_ERROR_BAD_INPUT
 * when it is not the application's; else what aws/client.h says, with what to do about it.
 */
Catalogue *catalogue_dynamodb_new(AwsClient *client, const char *table);

/* Which bots a command means.  Empty arrays mean all; with bots and users a bot must be
 * among both. */
typedef struct
{
    char **bots;     /* ids; NULL-terminated or NULL */
    char **users;    /* owners */
    char **excluded; /* ids */
} Selection;

/* The selected ones of an array of Bot, in its order.  VF_ERROR_USAGE, naming it, when a
 * bot or user of the selection, excluded ones too, is not in the catalogue; the hint is
 * the one that was meant, perhaps.  Yours; shares the bots. */
GPtrArray *selection_apply(const Selection *selection, GPtrArray *bots, GError **error);
