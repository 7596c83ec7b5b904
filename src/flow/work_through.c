#include "flow/work_through.h"

#include "flow/end_job.h"
#include "flow/hear_worker.h"
#include "flow/start_job.h"

/* How often limits of time are looked at. */
#define TICK_MS 250

/* What a worker gets to stage what it has paid for, before it is killed. */
#define LAST_WORK_US 1400000

static Job *
job_of(const Apply *apply, gint64 intent)
{
    for (guint i = 0; i < apply->jobs->len; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (job->working && job->attempt.intent.id == intent)
            return job;
    }
    return NULL;
}

static bool
start_jobs(Apply *apply, GError **error)
{
    const guint workers = (guint) MAX(settings_count(apply->settings, SETTING_WORKERS), 1);
    const gint64 now = g_get_monotonic_time();

    for (guint i = 0; i < apply->jobs->len && apply->working < workers && apply->stop == NULL; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (job->working || job->progress->state != BOT_PENDING || job->not_before_us > now)
            continue;
        if (apply->read_again_us > g_get_monotonic_time())
            return true;
        if (!start_job(apply, job, error))
            return false;
    }
    return true;
}

static bool
is_over(const Apply *apply)
{
    if (apply->working > 0)
        return false;
    if (apply->stop != NULL || cancel_requested(apply->cancel))
        return true;
    for (guint i = 0; i < apply->jobs->len; i++)
        if (g_array_index(apply->jobs, Job, i).progress->state == BOT_PENDING)
            return false;
    return true;
}

/* Politely at first: what it has paid for need not be paid for again. */
static void
stop_worker(Apply *apply, Job *job, gint64 now_us)
{
    if (job->attempt.asked_us == 0)
    {
        job->attempt.asked_us = now_us;
        apply->launcher->ask_to_stop(apply->launcher, job->attempt.intent.id);
    }
    else if (now_us - job->attempt.asked_us >= LAST_WORK_US)
        apply->launcher->stop(apply->launcher, job->attempt.intent.id);
}

static void
stop_late_workers(Apply *apply)
{
    const gint64 now = g_get_monotonic_time();
    const bool stop_all = cancel_requested(apply->cancel);

    for (guint i = 0; i < apply->jobs->len; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (!job->working || (!stop_all && now < job->attempt.deadline_us))
            continue;
        job->attempt.timed_out = !stop_all;
        stop_worker(apply, job, now);
    }
}

bool
work_through(Apply *apply, GError **error)
{
    while (!is_over(apply))
    {
        g_auto(LauncherReport) report = {0};

        if (!cancel_requested(apply->cancel) && !start_jobs(apply, error))
            return false;
        stop_late_workers(apply);
        if (is_over(apply))
            break;
        Cancel *wakes = cancel_requested(apply->cancel) ? NULL : apply->cancel;
        if (!apply->launcher->next(apply->launcher, wakes, TICK_MS, &report, error))
            return false;
        Job *job = report.news == LAUNCHER_QUIET ? NULL : job_of(apply, report.intent);
        if (job == NULL)
        {
            apply_tell(apply);
            continue;
        }
        if (!(report.news == LAUNCHER_SAID ? hear_worker(apply, job, &report.event, error)
                                           : end_job(apply, job, report.how, error)))
            return false;
    }
    return true;
}
