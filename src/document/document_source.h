/*
 * document_source.h - where the bytes of a bot's sources come from.
 *
 * Safe to be called by several threads at once.
 */
#pragma once

#include "aws/client.h"
#include "base/cancel.h"
#include "model/bot.h"
#include "model/document.h"

typedef struct DocumentSource DocumentSource;
struct DocumentSource
{
    /*
     * Looks whether the source is there and how large it is, without loading it.
     * VF_ERROR_BAD_INPUT when it is missing, unreadable, forbidden or too large;
     * VF_ERROR_CONNECT or _BUSY when that could not be told this time; any other code when it
     * could be told of no source: refused credentials, no such bucket.
     */
    bool (*probe)(
        DocumentSource *self, const Bot *bot, const Source *source, Cancel *cancel,
        DocumentFacts *facts, GError **error);

    /* Loads it.  Errors as above. */
    Document *(*open)(
        DocumentSource *self, const Bot *bot, const Source *source, Cancel *cancel, GError **error);

    /* What the rows' source column shall say, as the application spells it.  Yours. */
    char *(*label)(DocumentSource *self, const Bot *bot, const Source *source);

    void (*free)(DocumentSource *self);

    /* A look at a source takes a round trip, and loading one is not free: several are looked at at
     * once, and none is opened for that. */
    bool distant;
};

void document_source_free(DocumentSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DocumentSource, document_source_free)

/*
 * Uploaded files below a folder with the application's key layout,
 * `FOLDER/<user>/<bot>/documents/<file>`; names never lead out of the folder, nor out
 * of their bot's part of it.  With a bucket the label is `s3://<bucket>/<key>`, without
 * one the key alone.  max_bytes 0: no limit.
 */
DocumentSource *folder_source_new(
    const char *folder, const char *bucket, gint64 max_bytes, GError **error);

/* Where the key layout of the application begins in S3. */
#define S3_SCHEME "s3://"

typedef struct
{
    char *bucket;
    char *prefix; /* "", or ends with a slash */
} S3Place;

/* Reads s3://BUCKET[/PREFIX]; VF_ERROR_USAGE when it is none. */
bool s3_place_read(const char *address, S3Place *place, GError **error);
void s3_place_clear(S3Place *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(S3Place, s3_place_clear)

/*
 * Uploaded files in a bucket, `<prefix><user>/<bot>/documents/<file>`; whatever a name holds, it is
 * a key below its bot's part.  Takes the client.  The label is `s3://<bucket>/<key>`, with
 * label_bucket for the bucket where that is not NULL.  max_bytes 0: no limit.
 */
DocumentSource *s3_source_new(
    AwsClient *client, const S3Place *place, const char *label_bucket, gint64 max_bytes);

typedef struct
{
    bool allow_private; /* may reach addresses that are not public (loopback, 10/8, …) */
    const char *const *allowed_addresses; /* "10.0.0.7:8000", …, NULL: only these of them */
    gint64 max_bytes;                     /* of one document; 0: 50 MB */
    int timeout_s;                        /* for one whole load; 0: 60 */
    const char *ca_file;                  /* NULL: the system's certificates */
} WebOptions;

/*
 * Pages and files on the web by http and https; the label is the address as written,
 * but for a YouTube video its 11 characters, as the application stores it.  Videos
 * themselves are VF_ERROR_BAD_INPUT, and so is an address that the policy forbids or
 * whose certificate is wrong: one bad link stops no run.
 */
DocumentSource *web_source_new(const WebOptions *options);

/*
 * Asks files for files and web for addresses.  Takes both; either may be NULL, and its
 * sources are VF_ERROR_BAD_INPUT then, as sitemaps and prefixes of S3 are for now.
 */
DocumentSource *document_source_combine(DocumentSource *files, DocumentSource *web);
