/*
 * document_source.h - where the bytes of a bot's sources come from.
 *
 * Safe to be called by several threads at once.
 */
#pragma once

#include "base/cancel.h"
#include "model/bot.h"
#include "model/document.h"

typedef struct DocumentSource DocumentSource;
struct DocumentSource
{
    /*
     * Looks whether the source is there and how large it is, without loading it.
     * VF_ERROR_BAD_INPUT when it is missing, unreadable, forbidden or too large;
     * VF_ERROR_CONNECT or _BUSY when that could not be told this time.
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
