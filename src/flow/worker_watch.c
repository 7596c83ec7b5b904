#include "flow/worker_watch.h"

#include "base/error.h"

/* How long a failed bot waits for calls that are under way. */
#define LAST_CALLS_MS 15000

/* When the user stops us: how long calls under way are waited for, then the staging of what they
 * brought, in all.  Whoever asked us to stop kills us a little later. */
#define STOPPED_CALLS_MS 800
#define STOPPED_STORE_MS 1200

#define WATCH_MS 50

void *
worker_watch(void *data)
{
    Work *work = data;
    gint64 calls_end_us = G_MAXINT64;
    gint64 store_end_us = G_MAXINT64;

    while (!cancel_requested(work->over))
    {
        const bool told = store_end_us < G_MAXINT64;
        cancel_sleep(told ? work->over : work->outer, WATCH_MS);
        const gint64 now_us = g_get_monotonic_time();
        if (!told && cancel_requested(work->outer))
        {
            worker_fail(work, g_error_new_literal(VF_ERROR, VF_ERROR_CANCELLED, "interrupted"));
            calls_end_us = MIN(calls_end_us, now_us + STOPPED_CALLS_MS * 1000);
            store_end_us = worker_is_paying(work) ? now_us + STOPPED_STORE_MS * 1000 : now_us;
        }
        if (calls_end_us == G_MAXINT64 && cancel_requested(work->enough))
            calls_end_us = now_us + LAST_CALLS_MS * G_GINT64_CONSTANT(1000);
        if (now_us >= calls_end_us)
            cancel_request(work->calls);
        if (now_us >= store_end_us)
            cancel_request(work->keep);
    }
    return NULL;
}
