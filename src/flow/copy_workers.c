#include "flow/copy_workers.h"

#include "base/error.h"
#include "base/retry.h"
#include "table/connect.h"
#include "table/move.h"

#include <pthread.h>

/* How often the waiting thread tells the news. */
#define NEWS_MS 100

static const RetryPolicy POLICY = {.attempts = 8, .first_ms = 250, .longest_ms = 10000};

typedef struct Worker Worker;

/* Does the job with that number; false when it failed, and the sessions are to be closed. */
typedef bool (*Job)(Worker *worker, guint number, GError **error);

typedef struct
{
    const CopyWork *work;
    Job job;
    const GArray *parts;   /* NULL when the jobs are not parts */
    const CopyJobs *jobs;  /* NULL when they are not of others */
    guint count;           /* of jobs */
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t ended;
    guint next;
    guint running;
    GError *failure; /* the first one */
} Crew;

struct Worker
{
    Crew *crew;
    Pg *source; /* NULL until needed, as the next one */
    Pg *target;
    TableProgress *table; /* that the part under way belongs to */
    gint64 passed;        /* bytes of the part under way */
};

static gint64
now_ms(void)
{
    return g_get_real_time() / 1000;
}

static void
close_sessions(Worker *worker)
{
    g_clear_pointer(&worker->source, pg_close);
    g_clear_pointer(&worker->target, pg_close);
}

/* --- one part ------------------------------------------------------------------------------ */

static bool
open_sessions(Worker *worker, GError **error)
{
    const CopyWork *work = worker->crew->work;
    bool as_replica = false;

    if (worker->source == NULL)
        worker->source = snapshot_reader(work->snapshot, error);
    if (worker->source != NULL && worker->target == NULL)
        worker->target = connect_target(work->target, &as_replica, work->stop, error);
    return worker->target != NULL;
}

static void
count_passed(void *data, gint64 bytes)
{
    Worker *worker = data;
    CopyNews *news = worker->crew->work->news;

    copy_news_lock(news);
    worker->passed += bytes;
    worker->table->bytes += bytes;
    copy_news_unlock(news);
}

static void
begin_part(Worker *worker, const Part *part)
{
    CopyNews *news = worker->crew->work->news;

    worker->table = copy_news_lock(news)->tables->pdata[part->table];
    worker->passed = 0;
    if (worker->table->started_ms == 0)
        worker->table->started_ms = now_ms();
    copy_news_unlock(news);
}

/* What was passed on in vain is not counted. */
static void
drop_part(Worker *worker)
{
    CopyNews *news = worker->crew->work->news;

    copy_news_lock(news);
    worker->table->bytes -= worker->passed;
    copy_news_unlock(news);
}

static void
end_part(Worker *worker, const Part *part, const Moved *moved)
{
    CopyNews *news = worker->crew->work->news;

    copy_news_lock(news);
    worker->table->rows += moved->rows;
    worker->table->weight_done += part->bytes;
    worker->table->parts_done++;
    if (worker->table->parts_done == worker->table->parts)
        worker->table->ended_ms = now_ms();
    copy_news_unlock(news);
}

static bool
do_part(Worker *worker, guint number, GError **error)
{
    const CopyWork *work = worker->crew->work;
    const Part *part = &g_array_index(worker->crew->parts, Part, number);
    const PipeListener listener = {count_passed, worker};
    const Move move = {
        .table = work->tables->pdata[part->table],
        .target = work->targets->pdata[part->table],
        .part = part,
        .origin = work->origin,
    };
    Moved moved = {0};

    if (!open_sessions(worker, error))
        return false;
    begin_part(worker, part);
    if (!move_part(worker->source, worker->target, work->run, &move, &listener, &moved, error))
    {
        drop_part(worker);
        return false;
    }
    end_part(worker, part, &moved);
    return true;
}

/* --- one table ----------------------------------------------------------------------------- */

static bool
do_vacuum(Worker *worker, guint number, GError **error)
{
    const CopyWork *work = worker->crew->work;
    const Table *table = work->targets->pdata[number];
    g_autofree char *sql = g_strdup_printf("VACUUM (FREEZE, ANALYZE) %s", table->quoted);
    bool as_replica = false;

    if (worker->target == NULL)
        worker->target = connect_target(work->target, &as_replica, work->stop, error);
    if (worker->target != NULL && pg_run(worker->target, sql, error))
        return true;
    g_prefix_error(error, "could not vacuum %s: ", table->quoted);
    return false;
}

/* --- one job of others --------------------------------------------------------------------- */

static bool
do_others_job(Worker *worker, guint number, GError **error)
{
    const CopyWork *work = worker->crew->work;
    const CopyJobs *jobs = worker->crew->jobs;
    bool as_replica = false;

    if (worker->target == NULL)
        worker->target = connect_target(work->target, &as_replica, work->stop, error);
    return worker->target != NULL && jobs->job(jobs->data, number, worker->target, error);
}

/* --- the crew ------------------------------------------------------------------------------ */

/* Waits before the next attempt; false when there is none. */
static bool
may_try_again(Worker *worker, Retry *retry, const GError *failure)
{
    const CopyWork *work = worker->crew->work;
    gint64 wait_ms = 0;

    if (!retry_again(retry, failure, &wait_ms) ||
        (work->snapshot != NULL && !snapshot_check(work->snapshot, NULL)))
        return false;
    g_autofree char *note = g_strdup_printf("%s; trying again", failure->message);
    copy_news_note(work->news, note);
    return cancel_sleep(work->stop, wait_ms);
}

static bool
do_job(Worker *worker, guint number, GError **error)
{
    Retry retry = {.policy = &POLICY};

    for (;;)
    {
        g_autoptr(GError) failure = NULL;
        if (worker->crew->job(worker, number, &failure))
            return true;
        close_sessions(worker);
        if (!may_try_again(worker, &retry, failure))
        {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
    }
}

static bool
take_job(Crew *crew, guint *number)
{
    pthread_mutex_lock(&crew->mutex);
    const bool is_left =
        crew->failure == NULL && crew->next < crew->count && !cancel_requested(crew->work->stop);
    if (is_left)
        *number = crew->next++;
    pthread_mutex_unlock(&crew->mutex);
    return is_left;
}

/* The first failure counts; those that it causes elsewhere do not. */
static void
take_failure(Crew *crew, GError *failure)
{
    pthread_mutex_lock(&crew->mutex);
    if (crew->failure == NULL)
        crew->failure = failure;
    else
        g_error_free(failure);
    pthread_mutex_unlock(&crew->mutex);
    cancel_request(crew->work->stop);
}

static void *
work(void *data)
{
    Worker worker = {.crew = data};
    guint number = 0;

    while (take_job(worker.crew, &number))
    {
        GError *failure = NULL;
        if (!do_job(&worker, number, &failure))
            take_failure(worker.crew, failure);
    }
    close_sessions(&worker);

    pthread_mutex_lock(&worker.crew->mutex);
    worker.crew->running--;
    pthread_cond_signal(&worker.crew->ended);
    pthread_mutex_unlock(&worker.crew->mutex);
    return NULL;
}

static struct timespec
next_news(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += NEWS_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

/* Tells the news until all threads have ended. */
static void
watch(Crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    while (crew->running > 0)
    {
        const struct timespec until = next_news();
        pthread_cond_timedwait(&crew->ended, &crew->mutex, &until);
        pthread_mutex_unlock(&crew->mutex);
        if (cancel_requested(crew->work->cancel))
            cancel_request(crew->work->stop);
        if (crew->jobs != NULL && crew->jobs->tick != NULL)
            crew->jobs->tick(crew->jobs->data);
        copy_news_tell(crew->work->news);
        pthread_mutex_lock(&crew->mutex);
    }
    pthread_mutex_unlock(&crew->mutex);
}

static bool
run_crew(Crew *crew, GError **error)
{
    const guint size = MIN(crew->work->connections, crew->count);
    g_autofree pthread_t *threads = g_new0(pthread_t, MAX(size, 1));

    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->ended, NULL);
    crew->running = size;
    for (guint i = 0; i < size; i++)
        if (pthread_create(&threads[i], NULL, work, crew) != 0)
            g_error("could not start a thread");
    watch(crew);
    for (guint i = 0; i < size; i++)
        pthread_join(threads[i], NULL);
    pthread_cond_destroy(&crew->ended);
    pthread_mutex_destroy(&crew->mutex);

    if (!cancel_check(crew->work->cancel, error))
    {
        g_clear_error(&crew->failure);
        return false;
    }
    if (crew->failure == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&crew->failure));
    return false;
}

bool
copy_parts(const CopyWork *work, const GArray *parts, GError **error)
{
    Crew crew = {.work = work, .job = do_part, .parts = parts, .count = parts->len};
    return run_crew(&crew, error);
}

bool
copy_vacuum(const CopyWork *work, GError **error)
{
    Crew crew = {.work = work, .job = do_vacuum, .count = work->targets->len};
    return run_crew(&crew, error);
}

bool
copy_jobs(const CopyWork *work, const CopyJobs *jobs, GError **error)
{
    Crew crew = {.work = work, .job = do_others_job, .jobs = jobs, .count = jobs->count};
    return run_crew(&crew, error);
}
