/*
 * bedrock_reply.h - reads what the embedding models of Bedrock answer.
 *
 *     {"embeddings": [[…], …]}                       Cohere
 *     {"embeddings": {"float": [[…], …]}}            Cohere, asked by type
 *     {"embedding": […], "inputTextTokenCount": 7}   Titan
 *     {"embeddingsByType": {"float": […]}, …}        Titan, asked by type
 *
 * Pure: bytes in, judgement out.  The bytes may be anything.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct
{
    float *vectors; /* texts × dimensions, in the order of the texts; yours */
    guint64 tokens; /* as the body says; 0 when it does not */
} BedrockVectors;

/* Reads a success for so many texts; each must have one vector of that length.  VF_ERROR_FAILED
 * otherwise, and the tokens are told all the same when the body has them. */
bool bedrock_parse_reply(
    const char *bytes, gsize length, gsize texts, int dimensions, BedrockVectors *vectors,
    GError **error);
