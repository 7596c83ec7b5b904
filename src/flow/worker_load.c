#include "flow/worker_load.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/retry.h"
#include "flow/worker_session.h"
#include "store/mark.h"

#include <stdlib.h>

/* Another bot's rows may go into an HNSW index for long; the bot's time limit ends the wait. */
static const RetryPolicy REPLACE_POLICY = {.attempts = 720, .first_ms = 200, .longest_ms = 5000};

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

bool
worker_adopt(Work *work, bool *adopted, GError **error)
{
    const MarkFacts facts = mark_facts(work, 0, NULL);
    return staging_adopt(work->staging, &facts, work->order->marked_ms, adopted, error);
}

static char *
outcome_json(const Work *work)
{
    g_autoptr(Json) list = json_array();
    for (guint i = 0; i < work->source_count; i++)
    {
        const SourceWork *source = &work->sources[i];
        json_array_append_new(
            list, json_pack(
                      "{s:s, s:i, s:I, s:I, s:s*, s:s*, s:s*}", "source", source->label, "chunks",
                      source->error == NULL ? source->chunks : 0, "bytes",
                      (json_int_t) source->facts.bytes, "modified_ms",
                      (json_int_t) source->facts.modified_ms, "text",
                      source->error == NULL ? source->text_hash : NULL, "xid",
                      source->unchanged ? source->stands->xid : NULL, "reason",
                      source->error == NULL ? NULL : source->error->message));
    }
    char *text = json_dumps(list, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

/* What becomes of the sources' rows. */
typedef struct
{
    GPtrArray *whole; /* labels of those that were embedded */
    GPtrArray *kept;
    GPtrArray *kept_xids; /* for each of them */
    GPtrArray *failed;
    gint64 chunks; /* of the whole ones */
    gint64 kept_rows;
} Fates;

static void
fates_clear(Fates *fates)
{
    g_clear_pointer(&fates->whole, g_ptr_array_unref);
    g_clear_pointer(&fates->kept, g_ptr_array_unref);
    g_clear_pointer(&fates->kept_xids, g_ptr_array_unref);
    g_clear_pointer(&fates->failed, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fates, fates_clear)

/* Stale numbers of what is staged go. */
static bool
list_fates(Work *work, Fates *fates, GError **error)
{
    fates->whole = g_ptr_array_new_null_terminated(1, NULL, true);
    fates->kept = g_ptr_array_new_null_terminated(1, NULL, true);
    fates->kept_xids = g_ptr_array_new_null_terminated(1, NULL, true);
    fates->failed = g_ptr_array_new_null_terminated(1, NULL, true);
    for (guint i = 0; i < work->source_count; i++)
    {
        const SourceWork *source = &work->sources[i];
        if (source->error != NULL)
            g_ptr_array_add(fates->failed, source->label);
        else if (source->unchanged)
        {
            g_ptr_array_add(fates->kept, source->label);
            g_ptr_array_add(fates->kept_xids, source->stands->xid);
            fates->kept_rows += source->chunks;
        }
        else
        {
            g_ptr_array_add(fates->whole, source->label);
            fates->chunks += source->chunks;
            if (!staging_trim(work->staging, source->label, source->chunks, error))
                return false;
        }
    }
    return true;
}

static bool
try_to_load(Work *work, const MarkFacts *facts, gint64 *chunks, GError **error)
{
    g_auto(Fates) fates = {0};
    if (!list_fates(work, &fates, error))
        return false;

    const Replacement wish = {
        .sources = (char *const *) fates.whole->pdata,
        .failed = (char *const *) fates.failed->pdata,
        .kept = (char *const *) fates.kept->pdata,
        .kept_xids = (char *const *) fates.kept_xids->pdata,
        .kept_rows = fates.kept_rows,
        .rows = fates.chunks,
    };
    *chunks = fates.chunks + fates.kept_rows;
    return staging_replace(work->staging, &wish, facts, error);
}

/* After a lost session: whether the replacement had been committed before. */
static bool
reopen_and_look(Work *work, bool *arrived, GError **error)
{
    g_auto(WorkersMark) mark = {0};
    if (!worker_reopen_store(work, error) ||
        !mark_by_worker(work->store, work->order->bot->id, work->order->worker, &mark, error))
        return false;
    *arrived = mark.arrived;
    return true;
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

static void
tell_source(Work *work, const SourceWork *source)
{
    worker_say(
        work,
        &(WorkEvent){.kind = EVENT_SOURCE, .source = source->label, .chunks = source->chunks});
}

static bool
has_failed(Work *work, const SourceWork *source)
{
    pthread_mutex_lock(&work->lock);
    const bool failed = source->error != NULL;
    pthread_mutex_unlock(&work->lock);
    return failed;
}

/* How each one fared; how many failed, and the first of them. */
static guint
tell_sources(Work *work, const SourceWork **first)
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
        worker_say(
            work, &(WorkEvent){
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
    g_auto(GStrv) lines = g_strsplit(first->error->message, "\n", 2);
    g_set_error(
        error, first->error->domain, first->error->code, "%s%s: %s%s",
        partial ? "loaded in part; " : "", first->label, lines[0], more == NULL ? "" : more);
    if (lines[0] != NULL && lines[1] != NULL)
        vf_error_hint(error, "%s", lines[1]);
}

bool
worker_load(Work *work, GError **error)
{
    const SourceWork *first = NULL;

    if (work->failure != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&work->failure));
        return false;
    }
    if (!cancel_check(work->outer, error))
        return false;
    const guint failed = tell_sources(work, &first);
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
