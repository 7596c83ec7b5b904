#include "flow/worker_session.h"

#include "base/error.h"
#include "base/retry.h"

#include <string.h>

/* How long a lost session is opened again. */
#define REOPEN_S 60

/* After how much of it the user is told. */
#define QUIET_S 5

static const RetryPolicy LOCK_POLICY = {.attempts = 40, .first_ms = 100, .longest_ms = 1000};
static const RetryPolicy REOPEN_POLICY = {.attempts = 1000, .first_ms = 250, .longest_ms = 2000};

/* Waits for another worker at the bot, such as one whose death its server has not noticed yet. */
static bool
lock_bot(Work *work, GError **error)
{
    Retry retry = {.policy = &LOCK_POLICY};

    for (;;)
    {
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;
        work->staging = staging_begin(
            work->store, work->order->bot->id, work->space, work->embedder->info.dimensions,
            &problem);
        if (work->staging != NULL)
            return true;
        if (retry_is_busy(problem) && retry_again(&retry, problem, &wait_ms) &&
            cancel_sleep(work->keep, wait_ms))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}

bool
worker_open_store(Work *work, GError **error)
{
    work->store = stage_new_store(
        work->settings, work->order->worker, &work->map, &work->notes, work->keep, error);
    if (work->store == NULL || !store_check(work->store, work->embedder->info.dimensions, error))
        return false;
    if (*work->order->store_identity != '\0' &&
        !g_str_equal(work->store->identity, work->order->store_identity))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "%s is not the store that was planned",
            work->store->address);
        return false;
    }
    return store_prepare(work->store, error) && lock_bot(work, error);
}

void
worker_close_store(Work *work)
{
    g_clear_pointer(&work->staging, staging_free);
    g_clear_pointer(&work->store, store_close);
}

bool
worker_reopen_store(Work *work, GError **error)
{
    const gint64 end_us = g_get_monotonic_time() + REOPEN_S * G_USEC_PER_SEC;
    const gint64 tell_us = end_us - (REOPEN_S - QUIET_S) * G_USEC_PER_SEC;
    Retry retry = {.policy = &REOPEN_POLICY};
    bool told = false;

    for (;;)
    {
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;
        worker_close_store(work);
        if (worker_open_store(work, &problem))
        {
            staging_expect_rows(work->staging);
            return true;
        }
        if (!told && g_get_monotonic_time() > tell_us)
        {
            notes_say_waiting(&work->notes, problem);
            told = true;
        }
        if (g_get_monotonic_time() < end_us && retry_again(&retry, problem, &wait_ms) &&
            cancel_sleep(work->keep, wait_ms))
            continue;
        worker_close_store(work);
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}
