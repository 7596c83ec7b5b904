/*
 * embedder.h - texts in, vectors out: the one interface to every provider.
 *
 * An embedder makes one call at a time per thread and may be called by many threads
 * at once.  It neither retries, nor waits, nor counts money: it says what happened,
 * and the flow, which knows the run's limits, decides.
 */
#pragma once

#include "base/cancel.h"

#include <glib.h>
#include <stdbool.h>

typedef enum
{
    EMBED_DOCUMENT, /* a chunk to be stored */
    EMBED_QUERY,    /* a question to be answered */
} EmbedInput;

/* What a provider accepts and returns; constant for the embedder's life. */
typedef struct
{
    const char *provider;  /* "openai", "hashing" */
    const char *model;     /* as the provider names it */
    int dimensions;        /* of every vector; 0 until the provider has told (see probe) */
    size_t max_texts;      /* in one call */
    size_t max_characters; /* in one text; 0 when only tokens count */
    size_t max_call_bytes; /* of all texts in one call; 0 for no limit */
    size_t prefix_bytes;   /* what it puts before each document, and is billed for too */
    bool costs_money;      /* false for models on this machine */
    const char *variant;   /* what else keeps its vectors apart (prefixes); NULL for nothing */
} EmbedderInfo;

/* What one call brought.  Starts as {0}; embed_reply_clear() empties it. */
typedef struct
{
    float *vectors;             /* texts × dimensions, in the order of the texts */
    guint64 tokens;             /* billed, as the provider says; 0 when it does not */
    bool refused;               /* the provider said no before it worked: nothing is billed */
    bool unsent;                /* the request never left this machine: nothing is billed */
    gint64 retry_after_ms;      /* after VF_ERROR_BUSY: the provider's wish; -1 when silent */
    gint64 requests_per_minute; /* limits told in headers; -1 when silent */
    gint64 tokens_per_minute;
} EmbedReply;

typedef struct Embedder Embedder;
struct Embedder
{
    EmbedderInfo info;

    /*
     * One call for at most max_texts texts.  The vectors are checked: as many as texts,
     * every one of the right length, every number finite, none all zero.
     *
     * VF_ERROR_BUSY       throttled or overloaded: wait and send the same again
     * VF_ERROR_CONNECT    no answer, or one cut short: send the same again
     * VF_ERROR_DENIED     key, permission, model, or quota exhausted: stop the run
     * VF_ERROR_BAD_INPUT  the provider refuses these texts: skip them
     * VF_ERROR_FAILED     an answer that cannot be right (short, wrong length, not finite), or
     *                     an error inside the server (500), which may be these texts' fault
     */
    bool (*embed)(
        Embedder *self, const char *const *texts, size_t count, EmbedInput input, Cancel *cancel,
        EmbedReply *reply, GError **error);

    void (*free)(Embedder *self);
};

void embed_reply_clear(EmbedReply *reply);

/* For those who implement one: an empty reply, silent about everything; the checks
 * that embed() promises; and that every text is UTF-8. */
void embed_reply_begin(EmbedReply *reply);
bool embed_check_vectors(const float *vectors, size_t count, int dimensions, GError **error);
bool embed_check_texts(const char *const *texts, size_t count, GError **error);

/* Frees through the function above; NULL is nothing. */
void embedder_free(Embedder *embedder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Embedder, embedder_free)

/*
 * Makes two vectors comparable or not: "openai/text-embedding-3-small/1024", with a
 * variant "openai/nomic-embed-text/768/search_document:".  Recorded beside every row
 * that is made.  Yours.
 */
char *embedder_space(const Embedder *embedder);
