/*
 * batch.h - some chunks on their way through a worker, with their vectors later on.
 */
#pragma once

#include <glib.h>

typedef struct
{
    guint source; /* index in the bot's sources */
    int number;   /* of the chunk in its source */
    char *text;
} BatchChunk;

typedef struct
{
    GArray *chunks; /* of BatchChunk */
    gsize bytes;    /* of all texts */
    float *vectors; /* chunks × dimensions; NULL before embedding */
} Batch;

Batch *batch_new(void);
void batch_free(Batch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Batch, batch_free)

/* Takes the text. */
void batch_add(Batch *batch, guint source, int number, char *text);

const BatchChunk *batch_chunk(const Batch *batch, guint index);

/* The chunks from `first` on, `count` of them, as a batch of their own; texts move. */
Batch *batch_take(Batch *batch, guint first, guint count);
