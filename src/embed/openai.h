/*
 * openai.h - vectors from OpenAI, or from any server that speaks its language: vLLM,
 * Text Embeddings Inference, llama.cpp, Ollama, LM Studio, many providers.
 *
 * The address is the user's own choice, so it may be a private one.  The key never
 * appears in an error.
 */
#pragma once

#include "embed/embedder.h"

typedef struct
{
    const char *base_url; /* NULL: "https://api.openai.com/v1"; with or without a last '/' */
    const char *model;
    const char *ca_file; /* NULL: the system's certificates */

    const char *api_key; /* NULL or "": none is sent */

    /* Instead of api_key: asked before every call, by any thread; the key is freed with
     * g_free.  NULL with the error set when there is none. */
    char *(*fetch_key)(void *data, GError **error);
    void *fetch_key_data;

    /* The length of the vectors; 0: the model's own.  It is asked of the server when the
     * model is known to have another length by itself, or when ask_dimensions says so;
     * some servers refuse the wish even for the length that they have. */
    int dimensions;
    bool ask_dimensions;
    const char *encoding_format; /* "float" or "base64"; NULL: what suits the server */

    /* Put before every text.  E5 wants "passage: " and "query: ", nomic-embed-text
     * "search_document: " and "search_query: ".  NULL: nothing. */
    const char *document_prefix;
    const char *query_prefix;

    size_t max_texts;      /* in one call; 0: 2048 for OpenAI, else 32 */
    size_t max_characters; /* in one text; 0: no limit but the model's tokens */
    size_t max_call_bytes; /* 0: 300,000 for OpenAI, else 1,000,000 */
    int timeout_s;         /* for one call; 0: 300 */
} OpenaiOptions;

/* VF_ERROR_USAGE when an option cannot be. */
Embedder *openai_embedder_new(const OpenaiOptions *options, GError **error);

/* What a model is asked whose answer is only measured. */
#define OPENAI_QUESTION "hello"

/*
 * Learns info.dimensions, where they are neither given nor known for the model, by one
 * call with OPENAI_QUESTION, which costs a few tokens.  To be called before other threads
 * use the embedder; embed() fails as long as the dimensions are not known.
 */
bool openai_embedder_probe(Embedder *embedder, Cancel *cancel, EmbedReply *reply, GError **error);
