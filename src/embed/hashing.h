/*
 * hashing.h - vectors without a model, for rehearsals, demos and tests.
 *
 * Words and parts of words are counted into buckets; texts that share words get near
 * vectors, so that a question finds the chunk with its words in it, in any language.
 * It knows nothing of meaning.  The same text gives the same bits on every machine.
 */
#pragma once

#include "embed/embedder.h"

/* dimensions 0: 1024. */
Embedder *hashing_embedder_new(int dimensions);
