#include "flow/embed_bot.h"

#include "base/error.h"
#include "flow/worker_begin.h"
#include "flow/worker_embed.h"
#include "flow/worker_foresee.h"
#include "flow/worker_load.h"
#include "flow/worker_read.h"
#include "flow/worker_stage.h"
#include "flow/worker_watch.h"

/* While one of them calls, the other prepares its batch or writes down what it brought. */
#define CALLERS_A_CALL 2

static GError *
thread_error(int number)
{
    return g_error_new(VF_ERROR, VF_ERROR_BUSY, "could not start a thread: %s", g_strerror(number));
}

static guint
calls_in_flight(const Work *work)
{
    return (guint) MAX(settings_count(work->settings, SETTING_CALLS), 1);
}

/* A caller fewer makes the bot slower; it fails when there is none, or no reader. */
static void
run_threads(Work *work)
{
    const guint callers = CALLERS_A_CALL * calls_in_flight(work);
    g_autofree pthread_t *threads = g_new0(pthread_t, callers);
    pthread_t reader;
    guint started = 0;

    work->callers_left = (int) callers;
    int problem = pthread_create(&reader, NULL, worker_read, work);
    const bool reading = problem == 0;
    for (guint i = 0; i < callers; i++)
    {
        if (reading)
            problem = pthread_create(&threads[started], NULL, worker_embed, work);
        if (problem == 0)
            started++;
        else
            worker_leave_callers(work);
    }
    if (started == 0)
        worker_fail(work, thread_error(problem));
    worker_stage(work);
    if (reading)
        pthread_join(reader, NULL);
    for (guint i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* All that waits for servers; the watcher sees to it that no wait outlasts the user's wish. */
static bool
embed_watched(Work *work, GError **error)
{
    bool adopted = false;

    if (!worker_begin(work, error))
        return false;
    worker_say(work, &(WorkEvent){.kind = EVENT_STARTED, .worker = work->order->worker});
    if (!worker_adopt(work, &adopted, error) || adopted)
        return adopted;

    worker_foresee(work);
    worker_set_paying(work, true);
    run_threads(work);
    worker_set_paying(work, false);
    worker_tell_progress(work);
    return worker_load(work, error);
}

static bool
embed(Work *work, GError **error)
{
    pthread_t watcher;

    if (!settings_load_text(work->settings, work->order->settings, "the work order", error))
        return false;
    const guint calls = calls_in_flight(work);
    work->gate = gate_new(calls);
    work->to_embed = queue_new(calls, (GDestroyNotify) batch_free);
    work->to_stage = queue_new(calls, (GDestroyNotify) batch_free);
    const int problem = pthread_create(&watcher, NULL, worker_watch, work);
    if (problem != 0)
    {
        g_propagate_error(error, thread_error(problem));
        return false;
    }
    const bool embedded = embed_watched(work, error);
    cancel_request(work->over);
    pthread_join(watcher, NULL);
    return embedded;
}

static void
say_waiting(void *data, const char *text)
{
    worker_say(data, &(WorkEvent){.kind = EVENT_WAITING, .reason = (char *) (gsize) text});
}

bool
flow_embed_bot(const WorkOrder *order, const WorkListener *listener, Cancel *cancel, GError **error)
{
    g_autoptr(Cancel) enough = cancel_new();
    g_autoptr(Cancel) calls = cancel_new();
    g_autoptr(Cancel) keep = cancel_new();
    g_autoptr(Cancel) over = cancel_new();
    g_autoptr(GError) problem = NULL;
    Work work = {
        .order = order,
        .listener = listener,
        .outer = cancel,
        .notes = {say_waiting, &work},
        .enough = enough,
        .calls = calls,
        .keep = keep,
        .over = over,
        .settings = settings_new(),
    };

    pthread_mutex_init(&work.lock, NULL);
    pthread_mutex_init(&work.saying, NULL);
    const bool embedded = embed(&work, &problem);
    worker_say(
        &work, &(WorkEvent){
                   .kind = EVENT_FINAL,
                   .succeeded = embedded,
                   .code = embedded ? NULL : (char *) (gsize) vf_error_name(problem),
                   .reason = embedded ? NULL : problem->message,
                   .chunks = work.chunks,
                   .reused = work.reused,
                   .tokens = work.tokens,
               });
    worker_end(&work);
    if (!embedded)
        g_propagate_error(error, g_steal_pointer(&problem));
    return embedded;
}
