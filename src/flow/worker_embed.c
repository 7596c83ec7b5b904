#include "flow/worker_embed.h"

#include "base/error.h"

static void
blame_chunk(Work *work, const Batch *batch, GError *error)
{
    const BatchChunk *chunk = batch_chunk(batch, 0);
    g_prefix_error(&error, "chunk %d: ", chunk->number + 1);
    worker_fail_source(work, &work->sources[chunk->source], error);
}

/*
 * Embeds a batch; false without an error when the calls were ended by another.  One that the
 * provider refuses is halved until the text is found that it does not take; the others go on. Takes
 * the batch.
 */
static bool
embed_batch(Work *work, Batch *taken, GError **error)
{
    g_autoptr(Batch) batch = taken;
    g_autoptr(GError) problem = NULL;
    gint64 tokens = 0;
    const bool embedded = call_embed(&work->caller, batch, &tokens, &problem);

    pthread_mutex_lock(&work->lock);
    work->tokens += tokens;
    pthread_mutex_unlock(&work->lock);

    if (embedded)
        return queue_push(work->to_stage, g_steal_pointer(&batch)) ||
               cancel_check(work->calls, error);
    if (problem == NULL)
        return false;
    if (!g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT))
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (batch->chunks->len == 1)
    {
        blame_chunk(work, batch, g_steal_pointer(&problem));
        return true;
    }
    const guint half = batch->chunks->len / 2;
    const guint rest = batch->chunks->len - half;
    Batch *first = batch_take(batch, 0, half);
    Batch *second = batch_take(batch, half, rest);
    const bool first_well = embed_batch(work, first, error);
    if (first_well)
        return embed_batch(work, second, error);
    batch_free(second);
    return false;
}

/* What was sent before a source failed is not paid for either.  Takes the batch. */
static bool
embed_if_worth_it(Work *work, Batch *batch, GError **error)
{
    if (!worker_is_doomed(work))
        return embed_batch(work, batch, error);
    batch_free(batch);
    return true;
}

void
worker_leave_callers(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const bool last = --work->callers_left == 0;
    pthread_mutex_unlock(&work->lock);
    if (last)
        queue_finish(work->to_stage);
}

void *
worker_embed(void *data)
{
    Work *work = data;

    for (Batch *batch; (batch = queue_pop(work->to_embed)) != NULL;)
    {
        GError *error = NULL;
        if (embed_if_worth_it(work, batch, &error))
            continue;
        if (error != NULL)
            worker_fail(work, error);
        break;
    }

    worker_leave_callers(work);
    return NULL;
}
