#include "flow/worker_read.h"

#include "base/error.h"

#include <string.h>

static bool
is_known(const SourceWork *source, int number, const char *text)
{
    if ((guint) number >= source->known->len)
        return false;
    const TextHash hash = text_hash(text);
    return memcmp(&hash, &g_array_index(source->known, TextHash, number), sizeof hash) == 0;
}

static bool
is_full(const Work *work, const Batch *batch, size_t next_bytes)
{
    const EmbedderInfo *info = &work->embedder->info;
    const size_t prefixes = (batch->chunks->len + 1) * info->prefix_bytes;
    return batch->chunks->len >= info->max_texts ||
           (info->max_call_bytes > 0 && batch->chunks->len > 0 &&
            batch->bytes + next_bytes + prefixes > info->max_call_bytes);
}

/* False when the queue was closed. */
static bool
send_batch(Work *work, Batch **batch)
{
    Batch *full = *batch;
    *batch = batch_new();
    if (full->chunks->len > 0)
        return queue_push(work->to_embed, full);
    batch_free(full);
    return true;
}

static bool
send_chunk(Work *work, guint index, int number, char *text, Batch **batch)
{
    if (is_known(&work->sources[index], number, text))
    {
        g_free(text);
        pthread_mutex_lock(&work->lock);
        work->chunks++;
        work->reused++;
        pthread_mutex_unlock(&work->lock);
        return true;
    }
    if (worker_is_doomed(work))
    {
        g_free(text);
        return true;
    }
    if (is_full(work, *batch, strlen(text)) && !send_batch(work, batch))
    {
        g_free(text);
        return false;
    }
    batch_add(*batch, index, number, text);
    return true;
}

static bool
split_source(Work *work, guint index, const char *text, Batch **batch, GError **error)
{
    g_autoptr(Split) split = split_begin(text, &work->split, error);
    int number = 0;

    if (split == NULL)
        return false;
    for (char *chunk; (chunk = split_next(split)) != NULL; number++)
    {
        if (!cancel_check(work->enough, error))
        {
            g_free(chunk);
            return false;
        }
        if (!send_chunk(work, index, number, chunk, batch))
            return cancel_check(work->enough, error);
    }
    work->sources[index].chunks = number;
    if (number > 0)
        return true;
    g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "there is no text in it");
    return false;
}

/* Nothing is paid for, and no row is made anew. */
static void
keep_source(Work *work, SourceWork *source)
{
    source->unchanged = true;
    source->chunks = (int) source->stands->rows;
    pthread_mutex_lock(&work->lock);
    work->chunks += source->chunks;
    work->reused += source->chunks;
    pthread_mutex_unlock(&work->lock);
}

static bool
use_text(Work *work, guint index, const char *text, Batch **batch, GError **error)
{
    SourceWork *source = &work->sources[index];

    g_free(source->text_hash);
    source->text_hash = kept_text_hash(text);
    if (source->stands == NULL || !g_str_equal(source->stands->text_hash, source->text_hash))
        return split_source(work, index, text, batch, error);
    keep_source(work, source);
    return true;
}

static bool
read_source(Work *work, Extractor *extractor, guint index, Batch **batch, GError **error)
{
    g_autoptr(Document) document = work->documents->open(
        work->documents, work->order->bot, work->sources[index].source, work->enough, error);
    if (document == NULL)
        return false;
    work->sources[index].facts = document->facts;
    g_autofree char *text = extractor_text(extractor, document, work->enough, error);
    return text != NULL && use_text(work, index, text, batch, error);
}

/* What concerns one source only; anything else ends the bot. */
static bool
is_about_the_source(const Work *work, const GError *error)
{
    return !cancel_requested(work->enough) &&
           (g_error_matches(error, VF_ERROR, VF_ERROR_BAD_INPUT) ||
            g_error_matches(error, VF_ERROR, VF_ERROR_DENIED) ||
            g_error_matches(error, VF_ERROR, VF_ERROR_CONNECT) ||
            g_error_matches(error, VF_ERROR, VF_ERROR_BUSY));
}

void *
worker_read(void *data)
{
    Work *work = data;
    Batch *batch = batch_new();
    g_autoptr(Extractor) extractor = extractor_new(&work->extract);

    for (guint i = 0; i < work->source_count && !cancel_requested(work->enough); i++)
    {
        GError *error = NULL;
        if (read_source(work, extractor, i, &batch, &error))
            continue;
        if (error == NULL)
            break;
        if (is_about_the_source(work, error))
            worker_fail_source(work, &work->sources[i], error);
        else
            worker_fail(work, error);
    }
    send_batch(work, &batch);
    batch_free(batch);
    queue_finish(work->to_embed);
    return NULL;
}
