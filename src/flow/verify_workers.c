#include "flow/verify_workers.h"

#include "base/error.h"
#include "base/retry.h"
#include "compare/find_rows.h"
#include "table/cut.h"
#include "table/range.h"

#include <pthread.h>
#include <string.h>

/* How often the waiting thread tells the news. */
#define NEWS_MS 100

/* With a throttle a part is about what may be read in this time, but not less than that. */
#define THROTTLED_PART_SECONDS 1
#define SMALLEST_PART_BYTES (1024 * 1024)

static const RetryPolicy POLICY = {.attempts = 6, .first_ms = 250, .longest_ms = 10000};

/* What is known of a pair so far. */
typedef struct
{
    const TablePair *pair;
    RowSums *sums[SIDE_COUNT]; /* NULL before the first part, and once they are known to be equal */
    guint left;                /* parts of both sides */
} PairWork;

/* A part of one side, of a piece of a pair. */
typedef struct
{
    PairWork *of;
    const SideTable *piece;
    Part part;
} HashJob;

typedef struct
{
    const VerifyWork *work;
    GPtrArray *pairs;         /* of PairWork */
    GArray *jobs[SIDE_COUNT]; /* of HashJob, the heaviest first */
    GPtrArray *differing;     /* of PairWork, borrowed */
    pthread_mutex_t mutex;    /* of all below, and of the comparison and the sums */
    pthread_cond_t ended;
    guint next[SIDE_COUNT];        /* job of each side */
    guint next_search;             /* of the differing pairs */
    gint64 free_at_us[SIDE_COUNT]; /* when the throttle lets the next part begin */
    GPtrArray *notes;              /* of char *, not told yet */
    guint running;                 /* threads */
    GError *failure;               /* the first one that ends everything */
} Crew;

typedef struct
{
    Crew *crew;
    Side side;
    Pg *sessions[SIDE_COUNT]; /* NULL until needed */
} Worker;

static void
pair_work_free(void *data)
{
    PairWork *pair = data;
    for (int side = 0; side < SIDE_COUNT; side++)
        g_free(pair->sums[side]);
    g_free(pair);
}

static void
crew_clear(Crew *crew)
{
    for (int side = 0; side < SIDE_COUNT; side++)
        g_clear_pointer(&crew->jobs[side], g_array_unref);
    g_clear_pointer(&crew->pairs, g_ptr_array_unref);
    g_clear_pointer(&crew->differing, g_ptr_array_unref);
    g_clear_pointer(&crew->notes, g_ptr_array_unref);
    g_clear_error(&crew->failure);
    pthread_cond_destroy(&crew->ended);
    pthread_mutex_destroy(&crew->mutex);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Crew, crew_clear)

/* --- sessions ------------------------------------------------------------------------------ */

static void
close_sessions(Worker *worker)
{
    for (int side = 0; side < SIDE_COUNT; side++)
        g_clear_pointer(&worker->sessions[side], pg_close);
}

static bool
open_session(Worker *worker, Side side, GError **error)
{
    if (worker->sessions[side] == NULL)
        worker->sessions[side] = verify_side_reader(worker->crew->work->sides[side], error);
    return worker->sessions[side] != NULL;
}

static bool
snapshots_live(const Crew *crew, GError **error)
{
    for (int side = 0; side < SIDE_COUNT; side++)
    {
        g_autoptr(GError) loss = NULL;
        if (snapshot_check(crew->work->sides[side]->snapshot, &loss))
            continue;
        if (!cancel_check(crew->work->cancel, error))
            return false;
        const char *cause = strstr(loss->message, ": ");
        g_set_error(
            error, VF_ERROR, VF_ERROR_CONNECT, "the %s's snapshot is lost%s",
            side_name((Side) side), cause == NULL ? "" : cause);
        return false;
    }
    return true;
}

/* --- failures ------------------------------------------------------------------------------ */

static void
take_failure(Crew *crew, GError *failure)
{
    pthread_mutex_lock(&crew->mutex);
    if (crew->failure == NULL)
        crew->failure = failure;
    else
        g_error_free(failure);
    pthread_mutex_unlock(&crew->mutex);
}

static void
take_problem(Crew *crew, const PairWork *pair, const char *what, const GError *failure)
{
    g_auto(GStrv) lines = g_strsplit(failure->message, "\n", 2);
    g_autofree char *problem = g_strdup_printf("%s: %s", what, lines[0]);

    pthread_mutex_lock(&crew->mutex);
    table_comparison_set_problem(
        pair->pair->comparison, problem, lines[0] == NULL ? NULL : lines[1]);
    pthread_mutex_unlock(&crew->mutex);
}

static bool
is_passing(const GError *failure)
{
    return g_error_matches(failure, VF_ERROR, VF_ERROR_CONNECT) || retry_is_busy(failure);
}

static void
add_note(Crew *crew, const GError *failure)
{
    pthread_mutex_lock(&crew->mutex);
    g_ptr_array_add(crew->notes, g_strdup_printf("%s; trying again", failure->message));
    pthread_mutex_unlock(&crew->mutex);
}

/* Something that is done for a pair, and fails for its own reasons or for everybody's. */
typedef bool (*PairStep)(Worker *worker, const void *job, GError **error);

/* False when nothing more can be done for anybody. */
static bool
try_step(Worker *worker, PairStep step, const void *job, const PairWork *pair, const char *what)
{
    Crew *crew = worker->crew;
    Retry retry = {.policy = &POLICY};

    for (;;)
    {
        g_autoptr(GError) failure = NULL;
        GError *end = NULL;
        gint64 wait_ms = 0;
        if (step(worker, job, &failure))
            return true;
        close_sessions(worker);
        if (!cancel_check(crew->work->cancel, &end) || !snapshots_live(crew, &end))
        {
            take_failure(crew, end);
            return false;
        }
        if (!is_passing(failure) || !retry_again(&retry, failure, &wait_ms))
        {
            take_problem(crew, pair, what, failure);
            return true;
        }
        add_note(crew, failure);
        cancel_sleep(crew->work->cancel, wait_ms);
    }
}

/* --- hashing ------------------------------------------------------------------------------- */

/* Waits until the side may be read again. */
static void
keep_pace(Crew *crew, Side side, gint64 bytes)
{
    const double throttle = crew->work->throttle;
    if (throttle <= 0)
        return;

    pthread_mutex_lock(&crew->mutex);
    const gint64 now = g_get_monotonic_time();
    const gint64 start = MAX(now, crew->free_at_us[side]);
    crew->free_at_us[side] = start + (gint64) ((double) bytes / throttle * G_USEC_PER_SEC);
    pthread_mutex_unlock(&crew->mutex);
    cancel_sleep(crew->work->cancel, (start - now) / 1000);
}

/* The sums of both sides are complete. */
static void
judge(Crew *crew, PairWork *pair)
{
    TableComparison *found = pair->pair->comparison;

    if (pair->sums[SIDE_SOURCE] == NULL || pair->sums[SIDE_TARGET] == NULL)
        return;
    found->rows_differ = !row_sums_equal(pair->sums[SIDE_SOURCE], pair->sums[SIDE_TARGET]);
    if (found->rows_differ)
    {
        g_ptr_array_add(crew->differing, pair);
        crew->work->comparison->differing++;
        return;
    }
    for (int side = 0; side < SIDE_COUNT; side++)
        g_clear_pointer(&pair->sums[side], g_free);
}

static void
add_sums(Crew *crew, Side side, const HashJob *job, const RowSums *sums)
{
    PairWork *pair = job->of;
    TableComparison *found = pair->pair->comparison;

    pthread_mutex_lock(&crew->mutex);
    if (pair->sums[side] == NULL)
        pair->sums[side] = g_new0(RowSums, 1);
    row_sums_add(pair->sums[side], sums);
    found->rows[side] = pair->sums[side]->rows;
    crew->work->comparison->rows_done[side] += sums->rows;
    pthread_mutex_unlock(&crew->mutex);
}

static void
end_part(Crew *crew, Side side, const HashJob *job)
{
    pthread_mutex_lock(&crew->mutex);
    crew->work->comparison->bytes_done[side] += job->part.bytes;
    job->of->left--;
    if (job->of->left == 0 && job->of->pair->comparison->problem == NULL)
        judge(crew, job->of);
    pthread_mutex_unlock(&crew->mutex);
}

static bool
hash_part(Worker *worker, const void *data, GError **error)
{
    const HashJob *job = data;
    const Side side = worker->side;
    g_autofree RowSums *sums = g_new0(RowSums, 1);
    g_autofree char *range = range_condition(job->part.first_block, job->part.end_block);

    if (!open_session(worker, side, error))
        return false;
    Pg *pg = worker->sessions[side];
    const bool summed = worker->crew->work->rows
                            ? row_hash_sum(pg, job->of->pair, side, job->piece, range, sums, error)
                            : row_hash_count(pg, job->piece, range, sums, error);
    if (summed)
        add_sums(worker->crew, side, job, sums);
    return summed;
}

static const HashJob *
take_hash_job(Crew *crew, Side side)
{
    const HashJob *job = NULL;

    pthread_mutex_lock(&crew->mutex);
    if (crew->failure == NULL && crew->next[side] < crew->jobs[side]->len)
        job = &g_array_index(crew->jobs[side], HashJob, crew->next[side]++);
    pthread_mutex_unlock(&crew->mutex);
    return job;
}

static bool
has_problem(Crew *crew, const PairWork *pair)
{
    pthread_mutex_lock(&crew->mutex);
    const bool has = pair->pair->comparison->problem != NULL;
    pthread_mutex_unlock(&crew->mutex);
    return has;
}

static void
hash_parts(Worker *worker)
{
    Crew *crew = worker->crew;
    g_autofree char *what = g_strdup_printf("could not read it in the %s", side_name(worker->side));
    const HashJob *job = NULL;

    while ((job = take_hash_job(crew, worker->side)) != NULL)
    {
        const bool skips = has_problem(crew, job->of);
        if (!skips)
            keep_pace(crew, worker->side, job->part.bytes);
        if (!skips && !try_step(worker, hash_part, job, job->of, what))
            return;
        end_part(crew, worker->side, job);
    }
}

/* --- searching ----------------------------------------------------------------------------- */

static bool
search_pair(Worker *worker, const void *data, GError **error)
{
    const PairWork *pair = data;
    Crew *crew = worker->crew;

    if (!open_session(worker, SIDE_SOURCE, error) || !open_session(worker, SIDE_TARGET, error))
        return false;
    const RowSearch search = {
        .pair = pair->pair,
        .sums = {pair->sums[SIDE_SOURCE], pair->sums[SIDE_TARGET]},
        .sessions = {worker->sessions[SIDE_SOURCE], worker->sessions[SIDE_TARGET]},
        .most = crew->work->most_differences,
    };
    g_autoptr(GPtrArray) found =
        g_ptr_array_new_with_free_func((GDestroyNotify) row_difference_free);
    bool more = false;
    if (!find_rows(&search, found, &more, error))
        return false;

    pthread_mutex_lock(&crew->mutex);
    pair->pair->comparison->more = more;
    g_ptr_array_extend_and_steal(pair->pair->comparison->differences, g_steal_pointer(&found));
    pthread_mutex_unlock(&crew->mutex);
    return true;
}

static const PairWork *
take_search(Crew *crew)
{
    const PairWork *pair = NULL;

    pthread_mutex_lock(&crew->mutex);
    if (crew->failure == NULL && crew->next_search < crew->differing->len)
        pair = crew->differing->pdata[crew->next_search++];
    pthread_mutex_unlock(&crew->mutex);
    return pair;
}

static void
search_pairs(Worker *worker)
{
    Crew *crew = worker->crew;
    const PairWork *pair = NULL;

    while ((pair = take_search(crew)) != NULL)
    {
        if (!try_step(worker, search_pair, pair, pair, "could not look for the rows that differ"))
            return;
        pthread_mutex_lock(&crew->mutex);
        crew->work->comparison->searched++;
        pthread_mutex_unlock(&crew->mutex);
    }
}

/* --- threads ------------------------------------------------------------------------------- */

typedef void (*Labour)(Worker *worker);

typedef struct
{
    Worker worker;
    Labour labour;
} Start;

static void *
run_worker(void *data)
{
    Start *start = data;
    Crew *crew = start->worker.crew;

    start->labour(&start->worker);
    close_sessions(&start->worker);
    pthread_mutex_lock(&crew->mutex);
    crew->running--;
    pthread_cond_signal(&crew->ended);
    pthread_mutex_unlock(&crew->mutex);
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

/* Under the lock. */
static void
tell(Crew *crew)
{
    const VerifyListener *listener = crew->work->listener;

    for (guint i = 0; i < crew->notes->len; i++)
        listener->note(listener->data, crew->notes->pdata[i]);
    g_ptr_array_set_size(crew->notes, 0);
    listener->progress(listener->data, crew->work->comparison);
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
        tell(crew);
    }
    tell(crew);
    pthread_mutex_unlock(&crew->mutex);
}

static void
run_threads(Crew *crew, Start *starts, guint count)
{
    g_autofree pthread_t *threads = g_new0(pthread_t, MAX(count, 1));

    crew->running = count;
    for (guint i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, run_worker, &starts[i]) != 0)
            g_error("could not start a thread");
    watch(crew);
    for (guint i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static bool
take_result(Crew *crew, GError **error)
{
    if (crew->failure == NULL)
        return cancel_check(crew->work->cancel, error);
    g_propagate_error(error, g_steal_pointer(&crew->failure));
    return false;
}

static void
begin_phase(Crew *crew, ComparisonPhase phase)
{
    pthread_mutex_lock(&crew->mutex);
    crew->work->comparison->phase = phase;
    tell(crew);
    pthread_mutex_unlock(&crew->mutex);
}

static bool
hash_all(Crew *crew, GError **error)
{
    g_autofree Start *starts = g_new0(Start, 2 * (gsize) crew->work->connections);
    guint count = 0;

    begin_phase(crew, COMPARISON_HASHING);
    for (int side = 0; side < SIDE_COUNT; side++)
        for (guint i = 0; i < MIN(crew->work->connections, crew->jobs[side]->len); i++)
            starts[count++] = (Start){{.crew = crew, .side = (Side) side}, hash_parts};
    run_threads(crew, starts, count);
    return take_result(crew, error);
}

static bool
search_all(Crew *crew, GError **error)
{
    const guint count = MIN(crew->work->connections, crew->differing->len);
    g_autofree Start *starts = g_new0(Start, MAX(count, 1));

    if (count == 0 || !crew->work->rows || crew->work->most_differences == 0)
        return true;
    begin_phase(crew, COMPARISON_SEARCHING);
    for (guint i = 0; i < count; i++)
        starts[i] = (Start){{.crew = crew}, search_pairs};
    run_threads(crew, starts, count);
    return take_result(crew, error);
}

/* --- jobs ---------------------------------------------------------------------------------- */

static gint64
part_bytes(const VerifyWork *work)
{
    const double throttled = work->throttle * THROTTLED_PART_SECONDS;
    if (throttled <= 0)
        return work->part_bytes;
    return MIN(MAX((gint64) throttled, SMALLEST_PART_BYTES), work->part_bytes);
}

static void
cut_side(Crew *crew, Side side)
{
    const VerifyWork *work = crew->work;
    const CutRules rules = {
        part_bytes(work), pg_server_version(snapshot_keeper(work->sides[side]->snapshot))};
    g_autoptr(GPtrArray) tables = g_ptr_array_new();
    g_autoptr(GPtrArray) pieces = g_ptr_array_new();
    g_autoptr(GPtrArray) owners = g_ptr_array_new();
    g_autoptr(GArray) done = g_array_new(FALSE, FALSE, sizeof(DoneRange));

    for (guint i = 0; i < crew->pairs->len; i++)
    {
        PairWork *pair = crew->pairs->pdata[i];
        const GPtrArray *of_pair = pair->pair->pieces[side];
        for (guint j = 0; j < of_pair->len; j++)
        {
            SideTable *piece = of_pair->pdata[j];
            g_ptr_array_add(tables, (void *) (guintptr) piece->table);
            g_ptr_array_add(pieces, piece);
            g_ptr_array_add(owners, pair);
            pair->pair->comparison->bytes += piece->table->bytes;
        }
    }
    g_autoptr(GArray) parts = cut_parts(tables, done, &rules);
    for (guint i = 0; i < parts->len; i++)
    {
        const Part *part = &g_array_index(parts, Part, i);
        const HashJob job = {owners->pdata[part->table], pieces->pdata[part->table], *part};
        job.of->left++;
        work->comparison->bytes[side] += part->bytes;
        g_array_append_val(crew->jobs[side], job);
    }
}

static void
crew_init(Crew *crew, const VerifyWork *work)
{
    crew->work = work;
    crew->pairs = g_ptr_array_new_with_free_func(pair_work_free);
    crew->differing = g_ptr_array_new();
    crew->notes = g_ptr_array_new_with_free_func(g_free);
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->ended, NULL);
    for (guint i = 0; i < work->pairs->len; i++)
    {
        PairWork *pair = g_new0(PairWork, 1);
        pair->pair = work->pairs->pdata[i];
        g_ptr_array_add(crew->pairs, pair);
    }
    for (int side = 0; side < SIDE_COUNT; side++)
    {
        crew->jobs[side] = g_array_new(FALSE, FALSE, sizeof(HashJob));
        cut_side(crew, (Side) side);
    }
}

bool
verify_work(const VerifyWork *work, GError **error)
{
    g_auto(Crew) crew = {0};
    crew_init(&crew, work);

    /* Only snapshots that were held to the end have kept the tables as they were. */
    return hash_all(&crew, error) && search_all(&crew, error) && snapshots_live(&crew, error);
}
