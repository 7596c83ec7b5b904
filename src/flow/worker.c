#include "flow/worker.h"

#include "base/error.h"
#include "extract/remedy.h"

void
worker_say(Work *work, const WorkEvent *event)
{
    pthread_mutex_lock(&work->saying);
    work->listener->say(work->listener->data, event);
    pthread_mutex_unlock(&work->saying);
}

void
worker_tell_progress(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const WorkEvent event = {
        .kind = EVENT_PROGRESS,
        .chunks = work->chunks,
        .reused = work->reused,
        .tokens = work->tokens,
    };
    pthread_mutex_unlock(&work->lock);
    worker_say(work, &event);
}

void
worker_fail(Work *work, GError *error)
{
    pthread_mutex_lock(&work->lock);
    if (work->failure == NULL)
        work->failure = error;
    else
        g_error_free(error);
    pthread_mutex_unlock(&work->lock);

    cancel_request(work->enough);
    queue_close(work->to_embed);
    gate_close(work->gate);
}

void
worker_fail_source(Work *work, SourceWork *source, GError *error)
{
    const char *remedy = extract_remedy(error->message);
    if (remedy != NULL && g_error_matches(error, VF_ERROR, VF_ERROR_BAD_INPUT))
        vf_error_hint(&error, "%s", remedy);

    pthread_mutex_lock(&work->lock);
    const bool first = source->error == NULL;
    if (first)
        source->error = error;
    work->doomed = work->doomed || !work->allow_partial;
    pthread_mutex_unlock(&work->lock);
    if (!first)
        g_error_free(error);
}

bool
worker_is_doomed(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const bool doomed = work->doomed;
    pthread_mutex_unlock(&work->lock);
    return doomed;
}

bool
worker_is_paying(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const bool paying = work->paying;
    pthread_mutex_unlock(&work->lock);
    return paying;
}

void
worker_set_paying(Work *work, bool paying)
{
    pthread_mutex_lock(&work->lock);
    work->paying = paying;
    pthread_mutex_unlock(&work->lock);
}
