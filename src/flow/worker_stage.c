#include "flow/worker_stage.h"

#include "base/error.h"
#include "base/fault.h"
#include "flow/worker_session.h"

/* How many chunks one COPY takes at most when the stager lags behind. */
#define MAX_ROWS_TO_STAGE 1000

/* How many sessions the same rows may lose. */
#define MAX_SESSIONS_A_BATCH 5

#define SAY_EVERY_US 300000

/* There is nowhere to put vectors: the calls under way are not waited for either. */
static void
abandon_calls(Work *work)
{
    cancel_request(work->calls);
    queue_close(work->to_stage);
}

static void
add_rows(const Work *work, const Batch *batch, GArray *rows)
{
    const int dimensions = work->embedder->info.dimensions;
    for (guint i = 0; i < batch->chunks->len; i++)
    {
        const BatchChunk *chunk = batch_chunk(batch, i);
        const StagedRow row = {
            .source = work->sources[chunk->source].label,
            .number = chunk->number,
            .text = chunk->text,
            .vector = batch->vectors + (gsize) i * (gsize) dimensions,
        };
        g_array_append_val(rows, row);
    }
}

/* Commits the rows, in another session when this one is lost; not when the server said, falling,
 * why nobody will have one. */
static bool
keep_rows(Work *work, const GArray *rows, GError **error)
{
    const StagedRow *first = (const StagedRow *) (const void *) rows->data;

    for (int sessions = 1;; sessions++)
    {
        g_autoptr(GError) problem = NULL;
        if (staging_add(work->staging, first, rows->len, &problem))
            return true;
        if (pg_alive(work->store->pg) || sessions == MAX_SESSIONS_A_BATCH ||
            g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        if (!worker_reopen_store(work, error))
            return false;
    }
}

/* Stages one batch and all that came meanwhile. */
static bool
stage_batches(Work *work, Batch *first, GError **error)
{
    g_autoptr(GPtrArray) batches = g_ptr_array_new_with_free_func((GDestroyNotify) batch_free);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(StagedRow));

    for (Batch *batch = first; batch != NULL;)
    {
        g_ptr_array_add(batches, batch);
        add_rows(work, batch, rows);
        batch = rows->len < MAX_ROWS_TO_STAGE ? queue_try_pop(work->to_stage) : NULL;
    }
    if (!keep_rows(work, rows, error))
        return false;
    fault_point(FAULT_AFTER_STAGE);

    pthread_mutex_lock(&work->lock);
    work->chunks += rows->len;
    pthread_mutex_unlock(&work->lock);
    return true;
}

void
worker_stage(Work *work)
{
    gint64 said_us = 0;

    for (Batch *batch; (batch = queue_pop(work->to_stage)) != NULL;)
    {
        GError *error = NULL;
        if (!stage_batches(work, batch, &error))
        {
            worker_fail(work, error);
            abandon_calls(work);
            return;
        }
        if (g_get_monotonic_time() - said_us < SAY_EVERY_US)
            continue;
        said_us = g_get_monotonic_time();
        worker_tell_progress(work);
    }
}
