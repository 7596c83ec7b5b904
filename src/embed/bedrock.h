/*
 * bedrock.h - vectors from Amazon Bedrock: Cohere's embedding models, and Amazon's Titan.
 *
 *     cohere.embed-multilingual-v3, cohere.embed-english-v3     1024 dimensions
 *     cohere.embed-v4:0                                         1536, 1024, 512 or 256
 *     amazon.titan-embed-text-v1                                1536
 *     amazon.titan-embed-text-v2:0                              1024, 512 or 256
 *
 * A model may be named by an inference profile that holds it (eu.cohere.embed-v4:0), or by the ARN
 * of either; its vectors are the same, so they share one space.  Texts that are too long are
 * refused and never cut: the application does not let the model cut them either.
 *
 * Each embed() is one call that is sent once.  A bill that is unknown stays so: tokens 0, and
 * neither refused nor unsent.
 */
#pragma once

#include "aws/client.h"
#include "embed/embedder.h"

typedef struct
{
    AwsClient *client; /* the embedder's from now on, even when there is an error */
    const char *model;
    int dimensions; /* 0: the model's own */
} BedrockOptions;

/* VF_ERROR_USAGE: an unknown model, or a length that it does not make. */
Embedder *bedrock_embedder_new(const BedrockOptions *options, GError **error);
