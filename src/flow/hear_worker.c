#include "flow/hear_worker.h"

static void
count(Job *job, const WorkEvent *event)
{
    BotProgress *progress = job->progress;

    progress->chunks = event->chunks;
    progress->reused = event->reused;
    progress->tokens = MAX(progress->tokens, job->attempt.tokens_before + event->tokens);
}

/* All workers share the pause and each tells of it; the user hears once. */
static void
hear_of_pause(Apply *apply, gint64 pause_ms)
{
    const gint64 end_us = g_get_monotonic_time() + 1000 * pause_ms;

    if (end_us - apply->pause_end_us > 1000 * pause_ms / 2)
        apply_note(
            apply, "throttled by the provider: waiting %" G_GINT64_FORMAT " s",
            (pause_ms + 999) / 1000);
    apply->pause_end_us = MAX(apply->pause_end_us, end_us);
}

/* A worker waits again and again; the user hears when it is for something else. */
static void
hear_of_wait(Apply *apply, Job *job, const WorkEvent *event)
{
    const char *reason = event->reason == NULL ? "waiting" : event->reason;

    if (g_strcmp0(job->waits_for, reason) == 0)
        return;
    apply_note(apply, "%s: %s", job->progress->title, reason);
    g_free(job->waits_for);
    job->waits_for = g_strdup(reason);
}

bool
hear_worker(Apply *apply, Job *job, const WorkEvent *event, GError **error)
{
    BotProgress *progress = job->progress;

    switch (event->kind)
    {
    case EVENT_STARTED:
        progress->state = BOT_RUNNING;
        break;
    case EVENT_PROGRESS:
        count(job, event);
        break;
    case EVENT_FINAL:
        job->attempt.final_said = true;
        g_free(job->last_words);
        job->last_words = g_strdup(event->reason);
        count(job, event);
        bot_progress_set_reason(
            progress, event->code,
            event->reason == NULL && !event->succeeded ? "the worker gave no reason"
                                                       : event->reason);
        break;
    case EVENT_SOURCE_FAILED:
        apply_note(
            apply, "%s: %s: %s", progress->title, event->source == NULL ? "?" : event->source,
            event->reason == NULL ? "?" : event->reason);
        return true;
    case EVENT_THROTTLED:
        hear_of_pause(apply, event->wait_ms);
        return true;
    case EVENT_WAITING:
        hear_of_wait(apply, job, event);
        return true;
    case EVENT_SOURCE:
    case EVENT_OTHER:
        return true;
    }
    return apply_write_bot(apply, progress, error);
}
