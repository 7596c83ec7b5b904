#include "flow/ask_store.h"

#include "base/retry.h"
#include "flow/stages.h"

/* How long the store may be away before the user is told that it is waited for. */
#define QUIET_US (5 * G_USEC_PER_SEC)

/* How often a question is asked again when the session with the store was lost over it. */
#define MAX_QUESTIONS 5

bool
reach_store(Apply *apply, GError **error)
{
    static const RetryPolicy REACH = {.attempts = 60, .first_ms = 250, .longest_ms = 2000};
    const gint64 begin_us = g_get_monotonic_time();
    Retry retry = {.policy = &REACH};
    bool told = false;

    while (apply->store == NULL || !pg_alive(apply->store->pg))
    {
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;
        g_clear_pointer(&apply->store, store_close);
        apply->store = stage_new_store(
            apply->settings, "vecferry apply", &apply->map, &apply->notes, apply->cancel, &problem);
        if (apply->store != NULL)
            break;
        if (apply->store_fell || !retry_again(&retry, problem, &wait_ms))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        if (!told && g_get_monotonic_time() - begin_us > QUIET_US)
        {
            notes_say_waiting(&apply->notes, problem);
            told = true;
        }
        if (!cancel_sleep(apply->cancel, wait_ms))
            return cancel_check(apply->cancel, error);
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
