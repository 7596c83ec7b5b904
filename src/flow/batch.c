#include "flow/batch.h"

#include <string.h>

static void
clear_chunk(void *data)
{
    BatchChunk *chunk = data;
    g_free(chunk->text);
}

Batch *
batch_new(void)
{
    Batch *batch = g_new0(Batch, 1);
    batch->chunks = g_array_new(FALSE, FALSE, sizeof(BatchChunk));
    g_array_set_clear_func(batch->chunks, clear_chunk);
    return batch;
}

void
batch_free(Batch *batch)
{
    if (batch == NULL)
        return;
    g_array_unref(batch->chunks);
    g_free(batch->vectors);
    g_free(batch);
}

void
batch_add(Batch *batch, guint source, int number, char *text)
{
    const BatchChunk chunk = {source, number, text};
    batch->bytes += strlen(text);
    g_array_append_val(batch->chunks, chunk);
}

const BatchChunk *
batch_chunk(const Batch *batch, guint index)
{
    return &g_array_index(batch->chunks, BatchChunk, index);
}

Batch *
batch_take(Batch *batch, guint first, guint count)
{
    Batch *taken = batch_new();
    for (guint i = first; i < first + count; i++)
    {
        BatchChunk *chunk = &g_array_index(batch->chunks, BatchChunk, i);
        batch_add(taken, chunk->source, chunk->number, g_steal_pointer(&chunk->text));
    }
    return taken;
}
