#include "flow/embed_bot.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/retry.h"
#include "flow/batch.h"
#include "flow/call.h"
#include "flow/stages.h"
#include "store/mark.h"
#include "store/staging.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* How many chunks one COPY takes at most when the writer lags behind. */
#define MAX_ROWS_TO_STAGE 1000

#define SAY_EVERY_US 300000
#define PAUSE_WORTH_TELLING_MS 5000

/* How long a failed bot waits for calls that are under way. */
#define LAST_CALLS_MS 15000

/* When the user stops us: how long calls under way are waited for, then the staging of what they
 * brought, in all.  Whoever asked us to stop kills us a little later. */
#define STOPPED_CALLS_MS 800
#define STOPPED_STORE_MS 1200

#define WATCH_MS 50

/* How long a lost session is opened again, and how many the same rows may lose. */
#define REOPEN_S 60
#define MAX_SESSIONS_A_BATCH 5

static const RetryPolicy LOCK_POLICY = {.attempts = 40, .first_ms = 100, .longest_ms = 1000};
static const RetryPolicy REOPEN_POLICY = {.attempts = 1000, .first_ms = 250, .longest_ms = 2000};
/* Another bot's rows may go into an HNSW index for long; the bot's time limit ends the wait. */
static const RetryPolicy REPLACE_POLICY = {.attempts = 720, .first_ms = 200, .longest_ms = 5000};

/* One source on its way; written by the reader, its error by whoever meets it first. */
typedef struct
{
    const Source *source;
    char *label;
    GArray *known;       /* of TextHash: what an earlier worker staged */
    DocumentFacts facts; /* as they were when it was opened */
    int chunks;          /* known when the reader is through with it */
    GError *error;
} SourceWork;

typedef struct
{
    const WorkOrder *order;
    const WorkListener *listener;
    Cancel *outer;  /* the user's wish */
    Cancel *enough; /* after a failure nothing new is begun */
    Cancel *calls;  /* ends the calls under way */
    Cancel *keep;   /* gives the store up, when the user stops us and nothing is left to keep */
    Cancel *over;   /* the watcher has nothing more to watch */

    /* the stages */
    Settings *settings;
    DocumentSource *documents;
    Embedder *embedder;
    Meter *meter;
    StoreMap map;
    Store *store;
    Staging *staging;
    ExtractOptions extract;
    SplitOptions split;
    Caller caller;
    char *space;
    bool allow_partial;

    /* between the threads */
    Queue *to_embed; /* of Batch */
    Queue *to_stage; /* of Batch */
    SourceWork *sources;
    guint source_count;

    pthread_mutex_t saying;

    /* shared by the threads, under the lock */
    pthread_mutex_t lock;
    int callers_left;
    GError *failure; /* what ends the whole bot */
    bool doomed;     /* a source failed and the bot must be whole: nothing more is paid for */
    bool paying;     /* vectors are under way that are worth keeping */
    gint64 tokens;
    gint64 chunks; /* staged, now or before */
    gint64 reused; /* of them, before */
} Work;

static void
say(Work *work, const WorkEvent *event)
{
    pthread_mutex_lock(&work->saying);
    work->listener->say(work->listener->data, event);
    pthread_mutex_unlock(&work->saying);
}

/*
 * The first failure counts; all others follow from it.  No call is begun any more, but those under
 * way are paid for, so their vectors are still staged.  Takes the error.
 */
static void
fail(Work *work, GError *error)
{
    pthread_mutex_lock(&work->lock);
    if (work->failure == NULL)
        work->failure = error;
    else
        g_error_free(error);
    pthread_mutex_unlock(&work->lock);

    cancel_request(work->enough);
    queue_close(work->to_embed);
}

/* There is nowhere to put vectors: the calls under way are not waited for either. */
static void
abandon_calls(Work *work)
{
    cancel_request(work->calls);
    queue_close(work->to_stage);
}

/* One source cannot be loaded; the others go on.  Takes the error. */
static void
fail_source(Work *work, SourceWork *source, GError *error)
{
    pthread_mutex_lock(&work->lock);
    const bool first = source->error == NULL;
    if (first)
        source->error = error;
    work->doomed = work->doomed || !work->allow_partial;
    pthread_mutex_unlock(&work->lock);
    if (!first)
        g_error_free(error);
}

static bool
is_doomed(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const bool doomed = work->doomed;
    pthread_mutex_unlock(&work->lock);
    return doomed;
}

static bool
has_failed(Work *work, const SourceWork *source)
{
    pthread_mutex_lock(&work->lock);
    const bool failed = source->error != NULL;
    pthread_mutex_unlock(&work->lock);
    return failed;
}

/* --- the store and its session ------------------------------------------------------------------
 */

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

/* The store is the one that was planned, and takes what this embedder makes. */
static bool
open_store(Work *work, GError **error)
{
    work->store =
        stage_new_store(work->settings, work->order->worker, &work->map, work->keep, error);
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

static void
close_store(Work *work)
{
    g_clear_pointer(&work->staging, staging_free);
    g_clear_pointer(&work->store, store_close);
}

/* A new session instead of a lost one.  Without it the store and the staging are NULL. */
static bool
reopen_store(Work *work, GError **error)
{
    const gint64 end_us = g_get_monotonic_time() + REOPEN_S * G_USEC_PER_SEC;
    Retry retry = {.policy = &REOPEN_POLICY};

    for (;;)
    {
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;
        close_store(work);
        if (open_store(work, &problem))
        {
            staging_expect_rows(work->staging);
            return true;
        }
        if (g_get_monotonic_time() < end_us && retry_again(&retry, problem, &wait_ms) &&
            cancel_sleep(work->keep, wait_ms))
            continue;
        close_store(work);
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}

/* --- the reader: documents to chunks ------------------------------------------------------- */

static bool
is_known(const SourceWork *source, int number, const char *text)
{
    if ((guint) number >= source->known->len)
        return false;
    const TextHash hash = text_hash(text);
    return memcmp(&hash, &g_array_index(source->known, TextHash, number), sizeof hash) == 0;
}

static bool
is_full(const Work *work, const Batch *batch, size_t next_bytes)
{
    const EmbedderInfo *info = &work->embedder->info;
    const size_t prefixes = (batch->chunks->len + 1) * info->prefix_bytes;
    return batch->chunks->len >= info->max_texts ||
           (info->max_call_bytes > 0 && batch->chunks->len > 0 &&
            batch->bytes + next_bytes + prefixes > info->max_call_bytes);
}

/* False when the queue was closed. */
static bool
send_batch(Work *work, Batch **batch)
{
    Batch *full = *batch;
    *batch = batch_new();
    if (full->chunks->len > 0)
        return queue_push(work->to_embed, full);
    batch_free(full);
    return true;
}

static bool
send_chunk(Work *work, guint index, int number, char *text, Batch **batch)
{
    if (is_known(&work->sources[index], number, text))
    {
        g_free(text);
        pthread_mutex_lock(&work->lock);
        work->chunks++;
        work->reused++;
        pthread_mutex_unlock(&work->lock);
        return true;
    }
    if (is_doomed(work))
    {
        g_free(text);
        return true;
    }
    if (is_full(work, *batch, strlen(text)) && !send_batch(work, batch))
    {
        g_free(text);
        return false;
    }
    batch_add(*batch, index, number, text);
    return true;
}

static bool
split_source(Work *work, guint index, const char *text, Batch **batch, GError **error)
{
    g_autoptr(Split) split = split_begin(text, &work->split, error);
    int number = 0;

    if (split == NULL)
        return false;
    for (char *chunk; (chunk = split_next(split)) != NULL; number++)
    {
        if (!cancel_check(work->enough, error))
        {
            g_free(chunk);
            return false;
        }
        if (!send_chunk(work, index, number, chunk, batch))
            return cancel_check(work->enough, error);
    }
    work->sources[index].chunks = number;
    if (number > 0)
        return true;
    g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "there is no text in it");
    return false;
}

static bool
read_source(Work *work, guint index, Batch **batch, GError **error)
{
    g_autoptr(Document) document = work->documents->open(
        work->documents, work->order->bot, work->sources[index].source, work->enough, error);
    if (document == NULL)
        return false;
    work->sources[index].facts = document->facts;
    g_autofree char *text = extract_text(document, &work->extract, work->enough, error);
    return text != NULL && split_source(work, index, text, batch, error);
}

/* What concerns one source only; anything else ends the bot. */
static bool
is_about_the_source(const Work *work, const GError *error)
{
    return !cancel_requested(work->enough) &&
           (g_error_matches(error, VF_ERROR, VF_ERROR_BAD_INPUT) ||
            g_error_matches(error, VF_ERROR, VF_ERROR_DENIED) ||
            g_error_matches(error, VF_ERROR, VF_ERROR_CONNECT) ||
            g_error_matches(error, VF_ERROR, VF_ERROR_BUSY));
}

static void
tell_source(Work *work, const SourceWork *source)
{
    say(work,
        &(WorkEvent){.kind = EVENT_SOURCE, .source = source->label, .chunks = source->chunks});
}

static void *
read_sources(void *data)
{
    Work *work = data;
    Batch *batch = batch_new();

    for (guint i = 0; i < work->source_count && !cancel_requested(work->enough); i++)
    {
        GError *error = NULL;
        if (read_source(work, i, &batch, &error))
            continue;
        if (error == NULL)
            break;
        if (is_about_the_source(work, error))
            fail_source(work, &work->sources[i], error);
        else
            fail(work, error);
    }
    send_batch(work, &batch);
    batch_free(batch);
    queue_finish(work->to_embed);
    return NULL;
}

/* --- the callers: chunks to vectors -------------------------------------------------------- */

static void
tell_pause(void *data, gint64 pause_ms)
{
    if (pause_ms >= PAUSE_WORTH_TELLING_MS)
        say(data, &(WorkEvent){.kind = EVENT_THROTTLED, .wait_ms = pause_ms});
}

static void
blame_chunk(Work *work, const Batch *batch, GError *error)
{
    const BatchChunk *chunk = batch_chunk(batch, 0);
    g_prefix_error(&error, "chunk %d: ", chunk->number + 1);
    fail_source(work, &work->sources[chunk->source], error);
}

/*
 * Embeds a batch.  One that the provider refuses is halved until the text is found that it does not
 * take; the others go on.  Takes the batch.
 */
static bool
embed_batch(Work *work, Batch *taken, GError **error)
{
    g_autoptr(Batch) batch = taken;
    g_autoptr(GError) problem = NULL;
    gint64 tokens = 0;
    const bool embedded = call_embed(&work->caller, batch, &tokens, &problem);

    pthread_mutex_lock(&work->lock);
    work->tokens += tokens;
    pthread_mutex_unlock(&work->lock);

    if (embedded)
        return queue_push(work->to_stage, g_steal_pointer(&batch)) ||
               cancel_check(work->calls, error);
    if (!g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT))
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (batch->chunks->len == 1)
    {
        blame_chunk(work, batch, g_steal_pointer(&problem));
        return true;
    }
    const guint half = batch->chunks->len / 2;
    const guint rest = batch->chunks->len - half;
    Batch *first = batch_take(batch, 0, half);
    Batch *second = batch_take(batch, half, rest);
    const bool first_well = embed_batch(work, first, error);
    if (first_well)
        return embed_batch(work, second, error);
    batch_free(second);
    return false;
}

/* The last one to leave tells the writer that nothing more comes. */
static void
leave_callers(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const bool last = --work->callers_left == 0;
    pthread_mutex_unlock(&work->lock);
    if (last)
        queue_finish(work->to_stage);
}

static void *
embed_batches(void *data)
{
    Work *work = data;

    for (Batch *batch; (batch = queue_pop(work->to_embed)) != NULL;)
    {
        GError *error = NULL;
        if (embed_batch(work, batch, &error))
            continue;
        if (error != NULL)
            fail(work, error);
        break;
    }

    leave_callers(work);
    return NULL;
}

/* --- the writer: vectors to the staging ---------------------------------------------------- */

static void
tell_progress(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const WorkEvent event = {
        .kind = EVENT_PROGRESS,
        .chunks = work->chunks,
        .reused = work->reused,
        .tokens = work->tokens,
    };
    pthread_mutex_unlock(&work->lock);
    say(work, &event);
}

static void
add_rows(const Work *work, const Batch *batch, GArray *rows)
{
    const int dimensions = work->embedder->info.dimensions;
    for (guint i = 0; i < batch->chunks->len; i++)
    {
        const BatchChunk *chunk = batch_chunk(batch, i);
        const StagedRow row = {
            .source = work->sources[chunk->source].label,
            .number = chunk->number,
            .text = chunk->text,
            .vector = batch->vectors + (gsize) i * (gsize) dimensions,
        };
        g_array_append_val(rows, row);
    }
}

/* Commits the rows, in another session when this one is lost. */
static bool
keep_rows(Work *work, const GArray *rows, GError **error)
{
    const StagedRow *first = (const StagedRow *) (const void *) rows->data;

    for (int sessions = 1;; sessions++)
    {
        g_autoptr(GError) problem = NULL;
        if (staging_add(work->staging, first, rows->len, &problem))
            return true;
        if (pg_alive(work->store->pg) || sessions == MAX_SESSIONS_A_BATCH)
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        if (!reopen_store(work, error))
            return false;
    }
}

/* Stages one batch and all that came meanwhile. */
static bool
stage_batches(Work *work, Batch *first, GError **error)
{
    g_autoptr(GPtrArray) batches = g_ptr_array_new_with_free_func((GDestroyNotify) batch_free);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(StagedRow));

    for (Batch *batch = first; batch != NULL;)
    {
        g_ptr_array_add(batches, batch);
        add_rows(work, batch, rows);
        batch = rows->len < MAX_ROWS_TO_STAGE ? queue_try_pop(work->to_stage) : NULL;
    }
    if (!keep_rows(work, rows, error))
        return false;
    fault_point(FAULT_AFTER_STAGE);

    pthread_mutex_lock(&work->lock);
    work->chunks += rows->len;
    pthread_mutex_unlock(&work->lock);
    return true;
}

static void
stage_all(Work *work)
{
    gint64 said_us = 0;

    for (Batch *batch; (batch = queue_pop(work->to_stage)) != NULL;)
    {
        GError *error = NULL;
        if (!stage_batches(work, batch, &error))
        {
            fail(work, error);
            abandon_calls(work);
            return;
        }
        if (g_get_monotonic_time() - said_us < SAY_EVERY_US)
            continue;
        said_us = g_get_monotonic_time();
        tell_progress(work);
    }
}

static GError *
thread_error(int number)
{
    return g_error_new(VF_ERROR, VF_ERROR_BUSY, "could not start a thread: %s", g_strerror(number));
}

/* A caller fewer makes the bot slower; it fails when there is none, or no reader. */
static void
run_threads(Work *work)
{
    const guint callers = (guint) MAX(settings_count(work->settings, SETTING_CALLS), 1);
    g_autofree pthread_t *threads = g_new0(pthread_t, callers);
    pthread_t reader;
    guint started = 0;

    work->callers_left = (int) callers;
    int problem = pthread_create(&reader, NULL, read_sources, work);
    const bool reading = problem == 0;
    for (guint i = 0; i < callers; i++)
    {
        if (reading)
            problem = pthread_create(&threads[started], NULL, embed_batches, work);
        if (problem == 0)
            started++;
        else
            leave_callers(work);
    }
    if (started == 0)
        fail(work, thread_error(problem));
    stage_all(work);
    if (reading)
        pthread_join(reader, NULL);
    for (guint i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* --- the end: staged rows to the bot's rows ------------------------------------------------ */

static char *
outcome_json(const Work *work)
{
    g_autoptr(Json) list = json_array();
    for (guint i = 0; i < work->source_count; i++)
    {
        const SourceWork *source = &work->sources[i];
        json_array_append_new(
            list, json_pack(
                      "{s:s, s:i, s:I, s:I, s:s*}", "source", source->label, "chunks",
                      source->error == NULL ? source->chunks : 0, "bytes",
                      (json_int_t) source->facts.bytes, "modified_ms",
                      (json_int_t) source->facts.modified_ms, "reason",
                      source->error == NULL ? NULL : source->error->message));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

/* Labels of the sources that are whole, how many chunks they have, and labels of the others; stale
 * numbers go. */
static bool
list_labels(Work *work, GPtrArray *whole, GPtrArray *failed, gint64 *chunks, GError **error)
{
    *chunks = 0;
    for (guint i = 0; i < work->source_count; i++)
    {
        const SourceWork *source = &work->sources[i];
        g_ptr_array_add(source->error == NULL ? whole : failed, source->label);
        if (source->error != NULL)
            continue;
        if (!staging_trim(work->staging, source->label, source->chunks, error))
            return false;
        *chunks += source->chunks;
    }
    return true;
}

static MarkFacts
mark_facts(const Work *work, guint failed_sources, const char *outcome)
{
    return (MarkFacts){
        .run = work->order->run,
        .worker = work->order->worker,
        .splitter = split_variant_name(work->split.variant),
        .fingerprint = work->order->bot->fingerprint,
        .outcome = outcome,
        .complete = failed_sources == 0,
    };
}

static bool
try_to_load(Work *work, const MarkFacts *facts, gint64 *chunks, GError **error)
{
    g_autoptr(GPtrArray) whole = g_ptr_array_new_null_terminated(0, NULL, true);
    g_autoptr(GPtrArray) failed = g_ptr_array_new_null_terminated(0, NULL, true);
    if (!list_labels(work, whole, failed, chunks, error))
        return false;

    const Replacement wish = {
        .sources = (char *const *) whole->pdata,
        .failed = (char *const *) failed->pdata,
        .rows = *chunks,
    };
    return staging_replace(work->staging, &wish, facts, error);
}

/* After a lost session: whether the replacement had been committed before. */
static bool
reopen_and_look(Work *work, bool *arrived, GError **error)
{
    bool complete = false;
    gint64 rows = 0;
    return reopen_store(work, error) && mark_is_by(
                                            work->store, work->order->bot->id, work->order->worker,
                                            arrived, &complete, &rows, error);
}

/* Tries again while other writers hold the table, and when the session is lost. */
static bool
replace_rows(Work *work, const MarkFacts *facts, gint64 *chunks, GError **error)
{
    Retry retry = {.policy = &REPLACE_POLICY};

    for (bool arrived = false; !arrived;)
    {
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;
        if (try_to_load(work, facts, chunks, &problem))
            return true;
        if (!retry_again(&retry, problem, &wait_ms) || !cancel_sleep(work->outer, wait_ms))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        if (!pg_alive(work->store->pg) && !reopen_and_look(work, &arrived, error))
            return false;
    }
    return true;
}

static bool
load_bot(Work *work, guint failed_sources, GError **error)
{
    gint64 chunks = 0;
    g_autofree char *outcome = outcome_json(work);
    const MarkFacts facts = mark_facts(work, failed_sources, outcome);

    fault_point(FAULT_BEFORE_REPLACE);
    if (!replace_rows(work, &facts, &chunks, error))
        return false;
    fault_point(FAULT_AFTER_REPLACE);
    work->chunks = chunks;
    return true;
}

static guint
tell_failed_sources(Work *work, const SourceWork **first)
{
    guint failed = 0;
    for (guint i = 0; i < work->source_count; i++)
    {
        const SourceWork *source = &work->sources[i];
        if (!has_failed(work, source))
        {
            tell_source(work, source);
            continue;
        }
        say(work, &(WorkEvent){
                      .kind = EVENT_SOURCE_FAILED,
                      .source = source->label,
                      .code = (char *) (gsize) vf_error_name(source->error),
                      .reason = source->error->message,
                  });
        if (failed++ == 0)
            *first = source;
    }
    return failed;
}

static void
set_sources_error(const SourceWork *first, guint failed, bool partial, GError **error)
{
    g_autofree char *more = failed > 1 ? g_strdup_printf(" (and %u more)", failed - 1) : NULL;
    g_set_error(
        error, first->error->domain, first->error->code, "%s%s: %s%s",
        partial ? "loaded in part; " : "", first->label, first->error->message,
        more == NULL ? "" : more);
}

static bool
finish(Work *work, GError **error)
{
    const SourceWork *first = NULL;

    if (work->failure != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&work->failure));
        return false;
    }
    if (!cancel_check(work->outer, error))
        return false;
    const guint failed = tell_failed_sources(work, &first);
    if (failed > 0 && (!work->allow_partial || failed == work->source_count))
    {
        set_sources_error(first, failed, false, error);
        return false;
    }
    if (!load_bot(work, failed, error))
        return false;
    if (failed == 0)
        return true;
    set_sources_error(first, failed, true, error);
    return false;
}

/* --- the beginning ------------------------------------------------------------------------- */

static bool
list_sources(Work *work, GError **error)
{
    const Bot *bot = work->order->bot;
    const char *longest = "";

    work->source_count = bot->sources->len;
    work->sources = g_new0(SourceWork, work->source_count);
    for (guint i = 0; i < work->source_count; i++)
    {
        SourceWork *source = &work->sources[i];
        source->source = bot->sources->pdata[i];
        source->facts = (DocumentFacts){.bytes = -1, .modified_ms = -1};
        source->label = work->documents->label(work->documents, bot, source->source);
        source->known = staging_known(work->staging, source->label, error);
        if (source->known == NULL)
            return false;
        if (strlen(source->label) > strlen(longest))
            longest = source->label;
    }
    return staging_try(work->staging, longest, error);
}

static bool
open_stages(Work *work, GError **error)
{
    MeterLimits limits = {0};

    work->documents = stage_documents(work->settings, error);
    if (work->documents == NULL)
        return false;
    work->embedder = stage_embedder(work->settings, work->order->dimensions, error);
    if (work->embedder == NULL ||
        !stage_meter_limits(work->settings, &work->embedder->info, &limits, error))
        return false;
    work->space = embedder_space(work->embedder);
    work->meter = meter_open(work->order->meter, &limits, error);
    if (work->meter == NULL || !open_store(work, error) || !list_sources(work, error))
        return false;

    const EstimateRules rules = stage_estimate_rules(work->settings, &work->embedder->info);
    work->caller = (Caller){
        .embedder = work->embedder,
        .meter = work->meter,
        .characters_per_token = rules.characters_per_token > 0 ? rules.characters_per_token : 3.5,
        .costs_money = limits.usd_per_token > 0,
        .enough = work->enough,
        .cancel = work->calls,
        .throttled = tell_pause,
        .data = work,
    };
    work->extract = stage_extract_options(work->settings);
    work->split = stage_split_options(work->settings, work->order->bot, &work->embedder->info);
    work->allow_partial = settings_switch(work->settings, SETTING_ALLOW_PARTIAL);
    return true;
}

static void
work_clear(Work *work)
{
    queue_free(work->to_embed);
    queue_free(work->to_stage);
    for (guint i = 0; i < work->source_count; i++)
    {
        g_free(work->sources[i].label);
        g_clear_pointer(&work->sources[i].known, g_array_unref);
        g_clear_error(&work->sources[i].error);
    }
    g_free(work->sources);
    close_store(work);
    meter_free(work->meter);
    embedder_free(work->embedder);
    document_source_free(work->documents);
    settings_free(work->settings);
    g_clear_error(&work->failure);
    g_free(work->space);
    pthread_mutex_destroy(&work->lock);
    pthread_mutex_destroy(&work->saying);
}

static bool
is_paying(Work *work)
{
    pthread_mutex_lock(&work->lock);
    const bool paying = work->paying;
    pthread_mutex_unlock(&work->lock);
    return paying;
}

static void
set_paying(Work *work, bool paying)
{
    pthread_mutex_lock(&work->lock);
    work->paying = paying;
    pthread_mutex_unlock(&work->lock);
}

/*
 * Hands the user's wish on: nothing new is begun, what is paid for is kept for as long as that
 * takes, but not longer.  After a failure, too, calls under way are not waited for without end.
 */
static void *
watch_the_end(void *data)
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
            fail(work, g_error_new_literal(VF_ERROR, VF_ERROR_CANCELLED, "interrupted"));
            calls_end_us = MIN(calls_end_us, now_us + STOPPED_CALLS_MS * 1000);
            store_end_us = is_paying(work) ? now_us + STOPPED_STORE_MS * 1000 : now_us;
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

/* All that waits for servers; the watcher sees to it that no wait outlasts the user's wish. */
static bool
embed_watched(Work *work, GError **error)
{
    bool adopted = false;

    if (!open_stages(work, error))
        return false;
    say(work, &(WorkEvent){.kind = EVENT_STARTED, .worker = work->order->worker});
    const MarkFacts facts = mark_facts(work, 0, NULL);
    if (!staging_adopt(work->staging, &facts, work->order->marked_ms, &adopted, error) || adopted)
        return adopted;

    set_paying(work, true);
    run_threads(work);
    set_paying(work, false);
    tell_progress(work);
    return finish(work, error);
}

static bool
embed(Work *work, GError **error)
{
    pthread_t watcher;

    if (!settings_load_text(work->settings, work->order->settings, "the work order", error))
        return false;
    const guint calls = (guint) MAX(settings_count(work->settings, SETTING_CALLS), 1);
    work->to_embed = queue_new(calls, (GDestroyNotify) batch_free);
    work->to_stage = queue_new(calls, (GDestroyNotify) batch_free);
    const int problem = pthread_create(&watcher, NULL, watch_the_end, work);
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
        .enough = enough,
        .calls = calls,
        .keep = keep,
        .over = over,
        .settings = settings_new(),
    };

    pthread_mutex_init(&work.lock, NULL);
    pthread_mutex_init(&work.saying, NULL);
    const bool embedded = embed(&work, &problem);
    say(&work, &(WorkEvent){
                   .kind = EVENT_FINAL,
                   .succeeded = embedded,
                   .code = embedded ? NULL : (char *) (gsize) vf_error_name(problem),
                   .reason = embedded ? NULL : problem->message,
                   .chunks = work.chunks,
                   .reused = work.reused,
                   .tokens = work.tokens,
               });
    work_clear(&work);
    if (!embedded)
        g_propagate_error(error, g_steal_pointer(&problem));
    return embedded;
}
