#include "flow/ask_store.h"

#include "base/retry.h"
#include "flow/stages.h"

/* How often a question is asked again when the session with the store was lost over it. */
#define MAX_QUESTIONS 5

bool
reach_store(Apply *apply, GError **error)
{
    static const RetryPolicy REACH = {.attempts = 60, .first_ms = 250, .longest_ms = 2000};
    Retry retry = {.policy = &REACH};

    while (apply->store == NULL || !pg_alive(apply->store->pg))
    {
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;
        g_clear_pointer(&apply->store, store_close);
        apply->store = stage_new_store(
            apply->settings, "vecferry apply", &apply->map, &apply->notes, apply->cancel, &problem);
        if (apply->store != NULL)
            break;
        if (retry_again(&retry, problem, &wait_ms) && cancel_sleep(apply->cancel, wait_ms))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

bool
ask_store_again(const Apply *apply, int tries)
{
    return !pg_alive(apply->store->pg) && tries < MAX_QUESTIONS;
}

bool
ask_store(Apply *apply, const Job *job, WorkersMark *mark, GError **error)
{
    for (int tries = 0;; tries++)
    {
        g_autoptr(GError) problem = NULL;
        if (!reach_store(apply, error))
            return false;
        if (mark_by_worker(
                apply->store, job->planned->id, job->attempt.intent.name, mark, &problem))
            return true;
        if (ask_store_again(apply, tries))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}

bool
ask_for_newer(Apply *apply, const Job *job, bool *found, gint64 *rows, GError **error)
{
    const MarkWish wish = {apply->plan->space, apply->plan->splitter, job->planned->fingerprint};

    for (int tries = 0;; tries++)
    {
        g_autoptr(GError) problem = NULL;
        if (!reach_store(apply, error))
            return false;
        if (mark_is_newer(
                apply->store, job->planned->id, &wish, job->planned->marked_ms, found, rows,
                &problem))
            return true;
        if (ask_store_again(apply, tries))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}
