#include "flow/end_job.h"

#include "base/error.h"
#include "base/fault.h"
#include "flow/ask_store.h"

static gint64
now_ms(void)
{
    return g_get_real_time() / 1000;
}

/* The failure of an attempt as an error again, so that the retry rules can look at it. */
static GError *
failure_of(const Job *job, const char *how)
{
    const BotProgress *progress = job->progress;

    if (job->attempt.timed_out)
        return g_error_new(
            VF_ERROR, VF_ERROR_FAILED, "it took longer than its time limit (--time-limit)");
    if (job->attempt.final_said && progress->reason != NULL)
    {
        const VfError code = vf_error_from_name(progress->code == NULL ? "" : progress->code);
        /* It was not us who asked it to stop. */
        if (code == VF_ERROR_CANCELLED)
            return g_error_new(
                VF_ERROR, VF_ERROR_FAILED, "somebody else asked the worker to stop (SIGTERM)");
        return g_error_new_literal(
            VF_ERROR, (int) code, job->last_words != NULL ? job->last_words : progress->reason);
    }
    return g_error_new(
        VF_ERROR, VF_ERROR_FAILED, "the worker ended without a word: %s",
        how == NULL ? "exit status 0, but nothing arrived in the store" : how);
}

/* Failures that every other bot would meet too. */
static bool
ends_the_run(const GError *failure)
{
    return g_error_matches(failure, VF_ERROR, VF_ERROR_DENIED) ||
           g_error_matches(failure, VF_ERROR, VF_ERROR_USAGE) ||
           g_error_matches(failure, VF_ERROR, VF_ERROR_MISMATCH);
}

/* What ends the run is told in full at its end, with its remedy. */
static void
shorten_reason(BotProgress *progress, const GError *failure)
{
    g_auto(GStrv) lines = g_strsplit(failure->message, "\n", 2);
    bot_progress_set_reason(progress, vf_error_name(failure), lines[0]);
}

void
fail_job(Apply *apply, Job *job, const GError *failure)
{
    BotProgress *progress = job->progress;
    gint64 wait_ms = 0;

    bot_progress_set_reason(progress, vf_error_name(failure), failure->message);
    if (!cancel_requested(apply->cancel) && retry_again(&job->retry, failure, &wait_ms))
    {
        apply_note(apply, "%s: %s; trying again", progress->title, progress->reason);
        progress->state = BOT_PENDING;
        job->not_before_us = g_get_monotonic_time() + 1000 * wait_ms;
        return;
    }
    progress->state = BOT_FAILED;
    progress->ended_ms = now_ms();
    if (!ends_the_run(failure))
        return;
    shorten_reason(progress, failure);
    if (apply->stop == NULL)
        apply->stop = g_error_copy(failure);
}

void
succeed_job(Job *job, bool complete, gint64 rows)
{
    BotProgress *progress = job->progress;

    progress->state = complete ? BOT_SUCCEEDED : BOT_FAILED;
    progress->evidence = EVIDENCE_PROVEN;
    progress->chunks = rows;
    progress->ended_ms = now_ms();
    if (complete)
        bot_progress_set_reason(progress, NULL, NULL);
}

/* The mark knows the reason of a bot loaded in part, even when its worker had no time to say it. */
static void
arrive_job(Job *job, const WorkersMark *mark)
{
    succeed_job(job, mark->complete, mark->rows);
    if (!mark->complete && (!job->attempt.final_said || job->progress->reason == NULL))
        bot_progress_set_reason(
            job->progress, "bad-input", mark->failure == NULL ? "loaded in part" : mark->failure);
}

/*
 * A server that falls may tell one worker why, and nobody after.  What that worker heard ends the
 * run then, and not that nobody answers.
 */
static bool
ask_store_or_tell(
    Apply *apply, const Job *job, const GError *failure, WorkersMark *mark, GError **error)
{
    g_autoptr(GError) problem = NULL;

    apply->store_fell = ends_the_run(failure);
    if (ask_store(apply, job, mark, &problem))
    {
        apply->store_fell = false;
        return true;
    }
    if (apply->store_fell && g_error_matches(problem, VF_ERROR, VF_ERROR_CONNECT))
        g_propagate_error(error, g_error_copy(failure));
    else
        g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

bool
end_job(Apply *apply, Job *job, const char *how, GError **error)
{
    g_auto(WorkersMark) mark = {0};

    job->working = false;
    apply->working--;
    if (cancel_requested(apply->cancel))
    {
        job->progress->state = BOT_PENDING;
        return apply_write_bot(apply, job->progress, error);
    }
    g_autoptr(GError) failure = failure_of(job, how);
    if (!ask_store_or_tell(apply, job, failure, &mark, error))
        return false;
    fault_point(FAULT_BEFORE_LEDGER_DONE);
    if (mark.arrived)
        arrive_job(job, &mark);
    else
        fail_job(apply, job, failure);
    return apply_write_bot(apply, job->progress, error);
}

bool
skip_job(Apply *apply, Job *job, const GError *why, GError **error)
{
    bot_progress_set_reason(job->progress, vf_error_name(why), why->message);
    job->progress->state = BOT_SKIPPED;
    job->progress->ended_ms = now_ms();
    return apply_write_bot(apply, job->progress, error);
}
