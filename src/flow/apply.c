#include "flow/apply.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/retry.h"
#include "base/text.h"
#include "flow/make_plan.h"
#include "flow/stages.h"
#include "launch/launcher.h"
#include "state/ledger.h"
#include "store/mark.h"

#include <string.h>
#include <unistd.h>

/* Of the stop's reason, behind each bot that it left without a turn. */
#define MAX_SHORT_COLUMNS 60

/* How often limits of time are looked at. */
#define TICK_MS 250

/* What a worker gets to stage what it has paid for, before it is killed. */
#define LAST_WORK_US 1400000

/* A catalogue that is being rewritten in place cannot be read for a while. */
#define CATALOGUE_PATIENCE_US (10 * G_USEC_PER_SEC)
#define CATALOGUE_PAUSE_US (G_USEC_PER_SEC / 2)

/* How often a question is asked again when the session with the store was lost over it. */
#define MAX_QUESTIONS 5

typedef struct
{
    const PlannedBot *planned;
    BotProgress *progress; /* the run's */
    Intent intent;         /* of the attempt under way */
    bool working;
    bool final_said;
    bool timed_out;
    gint64 deadline_us;
    gint64 asked_us;      /* when the worker was asked to stop; 0: it was not */
    gint64 not_before_us; /* a retry waits */
    gint64 tokens_before; /* billed to the bot by earlier attempts */
    char *last_words;     /* the reason of the last attempt, its hint included; NULL */
    Retry retry;
} Job;

typedef struct
{
    const Settings *settings;
    const ApplyListener *listener;
    Cancel *cancel;
    Plan *plan;
    RunProgress *run;
    Ledger *ledger;
    Launcher *launcher;
    Catalogue *catalogue;
    gint64 unreadable_since_us; /* 0: the catalogue could be read the last time */
    gint64 read_again_us;       /* not before */
    StoreMap map;
    Store *store; /* reopened when its session is lost */
    RetryPolicy policy;
    char *meter;
    char *settings_text;
    GArray *jobs; /* of Job, in the plan's order */
    guint working;
    gint64 pause_end_us; /* of the provider's pause that the user was told of */
    GError *stop;        /* what ends the whole run: no key, cap reached, full disk */
} Apply;

static void G_GNUC_PRINTF(2, 3) note(const Apply *apply, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    apply->listener->note(apply->listener->data, text);
}

static gint64
now_ms(void)
{
    return g_get_real_time() / 1000;
}

/* --- what run is this ---------------------------------------------------------------------- */

static void
checksum_list(GChecksum *checksum, const char *name, char *const *list)
{
    g_checksum_update(checksum, (const guchar *) name, -1);
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
    {
        g_checksum_update(checksum, (const guchar *) list[i], -1);
        g_checksum_update(checksum, (const guchar *) "\n", 1);
    }
}

/* Command, source, target and selection: the same command resumes the same run. */
static char *
run_id(const Apply *apply)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *catalogue = g_canonicalize_filename(apply->plan->catalogue, NULL);
    g_autofree char *head = g_strdup_printf(
        "apply\n%s\n%s\n%s\n%s\n", catalogue, apply->plan->store_identity, apply->plan->space,
        apply->plan->splitter);

    g_checksum_update(checksum, (const guchar *) head, -1);
    checksum_list(checksum, "bot", settings_list(apply->settings, SETTING_BOT));
    checksum_list(checksum, "user", settings_list(apply->settings, SETTING_USER));
    checksum_list(checksum, "exclude", settings_list(apply->settings, SETTING_EXCLUDE));
    return g_strndup(g_checksum_get_string(checksum), 10);
}

/* --- the plan, now and as agreed ----------------------------------------------------------- */

static bool
check_agreed(const Plan *agreed, const Plan *now, GError **error)
{
    const char *what = NULL;
    if (!g_str_equal(agreed->store_identity, now->store_identity))
        what = "another store";
    else if (!g_str_equal(agreed->space, now->space))
        what = "another embedder";
    else if (!g_str_equal(agreed->splitter, now->splitter))
        what = "another splitter";
    if (what == NULL)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "the plan %s was made for %s", agreed->id, what);
    vf_error_hint(error, "make a new one with `vecferry plan -o FILE`");
    return false;
}

/* Why a bot that may be embedded now is not what was agreed; NULL when it is. */
static const char *
disagreement(GHashTable *agreed, const PlannedBot *bot)
{
    const PlannedBot *was = plan_find(agreed, bot->user, bot->id);
    if (was == NULL || was->action != ACTION_EMBED)
        return "the plan did not embed it";
    if (g_strcmp0(was->fingerprint, bot->fingerprint) != 0)
        return "its knowledge was edited after the plan was made; plan again";
    return NULL;
}

/* --- the run and its bots ------------------------------------------------------------------ */

static void
set_reason(BotProgress *progress, const char *code, const char *reason)
{
    g_free(progress->code);
    g_free(progress->reason);
    progress->code = g_strdup(code);
    progress->reason = reason == NULL ? NULL : g_strdelimit(g_strdup(reason), "\n", ' ');
}

static BotProgress *
begin_bot(const PlannedBot *planned, GHashTable *agreed)
{
    BotProgress *progress = bot_progress_new(planned->user, planned->id, planned->title);
    const char *skip =
        planned->action == ACTION_EMBED && agreed != NULL ? disagreement(agreed, planned) : NULL;

    if (planned->action == ACTION_EMBED)
    {
        progress->expected_chunks = (gint64) planned->chunks.expected;
        progress->expected_usd = planned->usd.expected;
    }
    if (planned->action == ACTION_KEEP)
    {
        progress->state = BOT_SUCCEEDED;
        progress->evidence = EVIDENCE_PROVEN;
        progress->chunks = planned->rows;
    }
    if (planned->action == ACTION_BLOCKED || skip != NULL)
    {
        progress->state = BOT_SKIPPED;
        set_reason(progress, "bad-input", skip != NULL ? skip : planned->reason);
    }
    return progress;
}

static bool
has_a_turn(const PlannedBot *planned)
{
    return planned->action == ACTION_EMBED || planned->action == ACTION_KEEP ||
           planned->action == ACTION_BLOCKED;
}

/* The run as it begins: one line for each bot that has a turn. */
static RunProgress *
begin_run(const Apply *apply, const Plan *agreed)
{
    RunProgress *run = run_progress_new();
    g_autoptr(GHashTable) index = agreed == NULL ? NULL : plan_index(agreed);

    run->id = run_id(apply);
    run->kind = g_strdup("apply");
    run->store = g_strdup(apply->plan->new_store);
    run->embedder = g_strdup(apply->plan->space);
    run->expected_usd = apply->plan->usd.expected;
    run->created_ms = now_ms();
    for (guint i = 0; i < apply->plan->bots->len; i++)
    {
        const PlannedBot *planned = apply->plan->bots->pdata[i];
        if (has_a_turn(planned))
            g_ptr_array_add(run->bots, begin_bot(planned, index));
    }
    return run;
}

static void
clear_job(void *data)
{
    Job *job = data;
    g_free(job->last_words);
}

static void
make_jobs(Apply *apply)
{
    guint next = 0;

    apply->jobs = g_array_new(FALSE, TRUE, sizeof(Job));
    g_array_set_clear_func(apply->jobs, clear_job);
    for (guint i = 0; i < apply->plan->bots->len; i++)
    {
        const PlannedBot *planned = apply->plan->bots->pdata[i];
        if (!has_a_turn(planned))
            continue;
        BotProgress *progress = apply->run->bots->pdata[next++];
        if (progress->state != BOT_PENDING)
            continue;
        const Job job = {
            .planned = planned, .progress = progress, .retry = {.policy = &apply->policy}};
        g_array_append_val(apply->jobs, job);
    }
}

static void
checksum_sources(GChecksum *checksum, const GPtrArray *sources)
{
    for (guint i = 0; i < sources->len; i++)
    {
        const PlannedSource *source = sources->pdata[i];
        g_autofree char *line =
            g_strdup_printf("%s %" G_GINT64_FORMAT "\n", source->label, source->bytes);
        g_checksum_update(checksum, (const guchar *) line, -1);
    }
}

/*
 * One hash over what the user agrees to: what is going to be embedded, and how large it is.  A bot
 * that was embedded meanwhile is kept, or blocked when it was loaded in part, and still counts.
 */
static char *
agreement(const Apply *apply)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    const bool partial = settings_switch(apply->settings, SETTING_ALLOW_PARTIAL);

    g_checksum_update(checksum, (const guchar *) (partial ? "partial" : "whole"), -1);
    for (guint i = 0; i < apply->plan->bots->len; i++)
    {
        const PlannedBot *planned = apply->plan->bots->pdata[i];
        if (planned->action != ACTION_EMBED && planned->action != ACTION_KEEP &&
            !(partial && planned->action == ACTION_BLOCKED && planned->marked_ms >= 0))
            continue;
        g_checksum_update(checksum, (const guchar *) planned->fingerprint, -1);
        checksum_sources(checksum, planned->sources);
    }
    return g_strdup(g_checksum_get_string(checksum));
}

/* --- hearing workers ----------------------------------------------------------------------- */

static void
tell(Apply *apply)
{
    apply->listener->progress(apply->listener->data, apply->run);
}

static void
read_meter(Apply *apply)
{
    const MeterTotals totals = meter_read(apply->meter);
    apply->run->tokens = totals.tokens;
    apply->run->usd = totals.usd;
}

static bool
write_bot(Apply *apply, const BotProgress *progress, GError **error)
{
    read_meter(apply);
    if (!ledger_update(apply->ledger, progress, error))
        return false;
    tell(apply);
    return true;
}

static Job *
job_of(const Apply *apply, gint64 intent)
{
    for (guint i = 0; i < apply->jobs->len; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (job->working && job->intent.id == intent)
            return job;
    }
    return NULL;
}

static void
count(Job *job, const WorkEvent *event)
{
    BotProgress *progress = job->progress;

    progress->chunks = event->chunks;
    progress->reused = event->reused;
    progress->tokens = MAX(progress->tokens, job->tokens_before + event->tokens);
}

/* All workers share the pause and each tells of it; the user hears once. */
static void
hear_of_pause(Apply *apply, gint64 pause_ms)
{
    const gint64 end_us = g_get_monotonic_time() + 1000 * pause_ms;

    if (end_us - apply->pause_end_us > 1000 * pause_ms / 2)
        note(
            apply, "throttled by the provider: waiting %" G_GINT64_FORMAT " s",
            (pause_ms + 999) / 1000);
    apply->pause_end_us = MAX(apply->pause_end_us, end_us);
}

static bool
hear(Apply *apply, Job *job, const WorkEvent *event, GError **error)
{
    BotProgress *progress = job->progress;

    switch (event->kind)
    {
    case EVENT_STARTED:
        progress->state = BOT_RUNNING;
        break;
    case EVENT_PROGRESS:
        count(job, event);
        break;
    case EVENT_FINAL:
        job->final_said = true;
        g_free(job->last_words);
        job->last_words = g_strdup(event->reason);
        count(job, event);
        set_reason(
            progress, event->code,
            event->reason == NULL && !event->succeeded ? "the worker gave no reason"
                                                       : event->reason);
        break;
    case EVENT_SOURCE_FAILED:
        note(
            apply, "%s: %s: %s", progress->title, event->source == NULL ? "?" : event->source,
            event->reason == NULL ? "?" : event->reason);
        return true;
    case EVENT_THROTTLED:
        hear_of_pause(apply, event->wait_ms);
        return true;
    case EVENT_SOURCE:
    case EVENT_OTHER:
        return true;
    }
    return write_bot(apply, progress, error);
}

/* --- what came of a worker ----------------------------------------------------------------- */

/* The session with the store, opened again when it was lost. */
static bool
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
            apply->settings, "vecferry apply", &apply->map, apply->cancel, &problem);
        if (apply->store != NULL)
            break;
        if (retry_again(&retry, problem, &wait_ms) && cancel_sleep(apply->cancel, wait_ms))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return true;
}

/* The store knows whether the worker's rows arrived, whatever the worker said or could not say. */
static bool
ask_store(Apply *apply, const Job *job, bool *arrived, bool *complete, gint64 *rows, GError **error)
{
    for (int tries = 0;; tries++)
    {
        g_autoptr(GError) problem = NULL;
        if (!reach_store(apply, error))
            return false;
        if (mark_is_by(
                apply->store, job->planned->id, job->intent.name, arrived, complete, rows,
                &problem))
            return true;
        if (!pg_alive(apply->store->pg) && tries < MAX_QUESTIONS)
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}

/* Another run may have loaded the bot after this one's plan was made. */
static bool
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
        if (!pg_alive(apply->store->pg) && tries < MAX_QUESTIONS)
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}

/* The failure of an attempt as an error again, so that the retry rules can look at it. */
static GError *
failure_of(const Job *job, const char *how)
{
    const BotProgress *progress = job->progress;

    if (job->timed_out)
        return g_error_new(
            VF_ERROR, VF_ERROR_FAILED, "it took longer than its time limit (--time-limit)");
    if (job->final_said && progress->reason != NULL)
        return g_error_new_literal(
            VF_ERROR, (int) vf_error_from_name(progress->code == NULL ? "" : progress->code),
            job->last_words != NULL ? job->last_words : progress->reason);
    return g_error_new(
        VF_ERROR, VF_ERROR_FAILED, "the worker ended without a word: %s",
        how == NULL ? "exit status 0, but nothing arrived in the store" : how);
}

/* Failures that every other bot would meet too. */
static bool
ends_the_run(const GError *failure)
{
    return g_error_matches(failure, VF_ERROR, VF_ERROR_DENIED) ||
           g_error_matches(failure, VF_ERROR, VF_ERROR_USAGE) ||
           g_error_matches(failure, VF_ERROR, VF_ERROR_MISMATCH);
}

static void
fail_job(Apply *apply, Job *job, GError *failure)
{
    BotProgress *progress = job->progress;
    gint64 wait_ms = 0;

    set_reason(progress, vf_error_name(failure), failure->message);
    if (!cancel_requested(apply->cancel) && retry_again(&job->retry, failure, &wait_ms))
    {
        note(apply, "%s: %s; trying again", progress->title, progress->reason);
        progress->state = BOT_PENDING;
        job->not_before_us = g_get_monotonic_time() + 1000 * wait_ms;
        return;
    }
    progress->state = BOT_FAILED;
    progress->ended_ms = now_ms();
    if (ends_the_run(failure) && apply->stop == NULL)
        apply->stop = g_error_copy(failure);
}

static void
succeed_job(Job *job, bool complete, gint64 rows)
{
    BotProgress *progress = job->progress;

    progress->state = complete ? BOT_SUCCEEDED : BOT_FAILED;
    progress->evidence = EVIDENCE_PROVEN;
    progress->chunks = rows;
    progress->ended_ms = now_ms();
    if (complete)
        set_reason(progress, NULL, NULL);
}

static bool
end_job(Apply *apply, Job *job, const char *how, GError **error)
{
    bool arrived = false;
    bool complete = false;
    gint64 rows = 0;

    job->working = false;
    apply->working--;
    if (cancel_requested(apply->cancel))
    {
        job->progress->state = BOT_PENDING;
        return write_bot(apply, job->progress, error);
    }
    if (!ask_store(apply, job, &arrived, &complete, &rows, error))
        return false;
    fault_point(FAULT_BEFORE_LEDGER_DONE);
    if (arrived)
        succeed_job(job, complete, rows);
    else
    {
        g_autoptr(GError) failure = failure_of(job, how);
        fail_job(apply, job, failure);
    }
    return write_bot(apply, job->progress, error);
}

/* --- starting workers ---------------------------------------------------------------------- */

/* The bot as the catalogue has it now; one that changed is skipped. */
static Bot *
read_again(Apply *apply, Job *job, GError **error)
{
    g_autoptr(Bot) bot = apply->catalogue->read(
        apply->catalogue, job->planned->user, job->planned->id, apply->cancel, error);
    if (bot != NULL || g_error_matches(*error, VF_ERROR, VF_ERROR_MISMATCH))
        apply->unreadable_since_us = 0;
    if (bot == NULL)
        return NULL;
    if (g_str_equal(bot->fingerprint, job->planned->fingerprint))
        return g_steal_pointer(&bot);
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "its knowledge was edited after the plan was made");
    return NULL;
}

static bool
skip_job(Apply *apply, Job *job, const GError *why, GError **error)
{
    set_reason(job->progress, vf_error_name(why), why->message);
    job->progress->state = BOT_SKIPPED;
    job->progress->ended_ms = now_ms();
    return write_bot(apply, job->progress, error);
}

/* Somebody may be writing the catalogue: it gets a while, then the bot has had its turn. */
static bool
wait_for_catalogue(Apply *apply, Job *job, const GError *problem, GError **error)
{
    const gint64 now = g_get_monotonic_time();

    if (apply->unreadable_since_us == 0)
    {
        apply->unreadable_since_us = now;
        note(apply, "%s; trying again", problem->message);
    }
    if (now - apply->unreadable_since_us > CATALOGUE_PATIENCE_US)
        return skip_job(apply, job, problem, error);
    apply->read_again_us = now + CATALOGUE_PAUSE_US;
    return true;
}

static bool
launch_worker(Apply *apply, Job *job, Bot *bot, GError **error)
{
    g_auto(WorkOrder) order = {
        .run = g_strdup(apply->run->id),
        .worker = g_strdup(job->intent.name),
        .store_identity = g_strdup(apply->plan->store_identity),
        .meter = g_strdup(apply->meter),
        .settings = g_strdup(apply->settings_text),
        .dimensions = apply->plan->dimensions,
        .marked_ms = job->planned->marked_ms,
        .bot = bot_ref(bot),
    };
    g_autofree char *task = NULL;

    if (!apply->launcher->launch(apply->launcher, &job->intent, &order, &task, error))
        return false;
    fault_point(FAULT_AFTER_LAUNCH);
    g_free(job->progress->task);
    job->progress->task = g_strdup(task);
    return ledger_launched(apply->ledger, &job->intent, task, error);
}

static bool
send_worker(Apply *apply, Job *job, GError **error)
{
    BotProgress *progress = job->progress;
    g_autoptr(GError) change = NULL;
    g_autoptr(Bot) bot = read_again(apply, job, &change);

    if (bot == NULL)
    {
        if (g_error_matches(change, VF_ERROR, VF_ERROR_CANCELLED))
        {
            g_propagate_error(error, g_steal_pointer(&change));
            return false;
        }
        return g_error_matches(change, VF_ERROR, VF_ERROR_MISMATCH)
                   ? skip_job(apply, job, change, error)
                   : wait_for_catalogue(apply, job, change, error);
    }
    if (!ledger_intend(apply->ledger, progress->user, progress->bot, &job->intent, error))
        return false;
    fault_point(FAULT_AFTER_INTENT);
    progress->attempts++;
    progress->state = BOT_LAUNCHED;
    progress->started_ms = now_ms();
    progress->ended_ms = 0;
    set_reason(progress, NULL, NULL);
    job->final_said = job->timed_out = false;
    job->asked_us = 0;
    job->tokens_before = progress->tokens;
    const gint64 limit_s = settings_count(apply->settings, SETTING_TIME_LIMIT);
    job->deadline_us =
        limit_s == 0 ? G_MAXINT64 : g_get_monotonic_time() + limit_s * G_USEC_PER_SEC;
    if (!launch_worker(apply, job, bot, error))
        return false;
    job->working = true;
    apply->working++;
    tell(apply);
    return true;
}

/* The job's turn: unless somebody was faster, a worker gets it. */
static bool
start_job(Apply *apply, Job *job, GError **error)
{
    bool done = false;
    gint64 rows = 0;

    if (!ask_for_newer(apply, job, &done, &rows, error))
        return false;
    if (!done)
        return send_worker(apply, job, error);
    succeed_job(job, true, rows);
    return write_bot(apply, job->progress, error);
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
    if (job->asked_us == 0)
    {
        job->asked_us = now_us;
        apply->launcher->ask_to_stop(apply->launcher, job->intent.id);
    }
    else if (now_us - job->asked_us >= LAST_WORK_US)
        apply->launcher->stop(apply->launcher, job->intent.id);
}

static void
stop_late_workers(Apply *apply)
{
    const gint64 now = g_get_monotonic_time();
    const bool stop_all = cancel_requested(apply->cancel);

    for (guint i = 0; i < apply->jobs->len; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (!job->working || (!stop_all && now < job->deadline_us))
            continue;
        job->timed_out = !stop_all;
        stop_worker(apply, job, now);
    }
}

static bool
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
            tell(apply);
            continue;
        }
        if (!(report.news == LAUNCHER_SAID ? hear(apply, job, &report.event, error)
                                           : end_job(apply, job, report.how, error)))
            return false;
    }
    return true;
}

/* --- the end ------------------------------------------------------------------------------- */

static bool
wants_index(const Apply *apply, const char *kind)
{
    return apply->store->made_by_us && !apply->store->has_vector_index &&
           !g_str_equal(kind, "none") && run_progress_count(apply->run, BOT_SUCCEEDED) > 0;
}

static bool
build_index(Apply *apply, GError **error)
{
    const char *kind = settings_text(apply->settings, SETTING_INDEX);

    for (int tries = 0;; tries++)
    {
        g_autoptr(GError) problem = NULL;
        g_autofree char *advice = NULL;
        if (!reach_store(apply, error))
            return false;
        if (!wants_index(apply, kind))
            return true;
        note(apply, "building the %s index", kind);
        const bool built = store_build_index(apply->store, kind, &advice, &problem);
        if (advice != NULL)
            note(apply, "%s", advice);
        if (built)
            return true;
        if (!pg_alive(apply->store->pg) && tries < MAX_QUESTIONS)
            continue;
        if (!g_error_matches(problem, VF_ERROR, VF_ERROR_FAILED))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        /* The rows are all there; only the way to them is slow. */
        note(apply, "%s; the next apply tries again", problem->message);
        return true;
    }
}

/* Bots whose turn never came because the run was stopped; the whole story is told once, at the end.
 */
static bool
skip_the_rest(Apply *apply, GError **error)
{
    g_autofree char *first_line =
        g_strndup(apply->stop->message, strcspn(apply->stop->message, "\n"));
    g_autofree char *short_reason = text_cut(first_line, MAX_SHORT_COLUMNS);
    g_autoptr(GError) why = g_error_new(
        apply->stop->domain, apply->stop->code, "the run was stopped: %s", short_reason);

    for (guint i = 0; i < apply->jobs->len; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (job->progress->state == BOT_PENDING && !skip_job(apply, job, why, error))
            return false;
    }
    return true;
}

static bool
end_run(Apply *apply, GError **error)
{
    if (apply->stop != NULL && !skip_the_rest(apply, error))
        return false;
    if (apply->stop == NULL && !build_index(apply, error))
        return false;
    read_meter(apply);
    const guint good = run_progress_count(apply->run, BOT_SUCCEEDED);
    apply->run->state = good == apply->run->bots->len ? RUN_DONE : RUN_FAILED;
    apply->run->ended_ms = now_ms();
    if (!ledger_end(apply->ledger, apply->run->state, error))
        return false;
    tell(apply);
    if (apply->stop != NULL)
        apply->listener->stopped(apply->listener->data, apply->stop);
    return true;
}

/* --- the beginning ------------------------------------------------------------------------- */

/* A resume of what was agreed asks nobody again. */
static bool
is_agreed(Apply *apply, const ApplyOptions *options, bool *agreed, GError **error)
{
    g_autofree char *now = agreement(apply);
    g_autoptr(GError) problem = NULL;
    g_autofree char *before = ledger_agreed(apply->ledger, &problem);

    if (problem != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    *agreed = options->assume_yes || apply->jobs->len == 0 || g_strcmp0(now, before) == 0 ||
              apply->listener->confirm(apply->listener->data, apply->plan);
    return true;
}

static bool
open_ledger(Apply *apply, GError **error)
{
    g_autofree char *folder = ledger_folder(settings_text(apply->settings, SETTING_STATE));

    apply->ledger = ledger_open(folder, apply->run->id, error);
    apply->meter = ledger_meter_path(folder, apply->run->id);
    return apply->ledger != NULL;
}

static bool
open_world(Apply *apply, GError **error)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", error);
    if (program == NULL)
        return false;

    apply->policy = (RetryPolicy){
        .attempts = (int) MAX(settings_count(apply->settings, SETTING_ATTEMPTS), 1),
        .first_ms = 500,
        .longest_ms = 60000,
        .failed_too = true,
    };
    apply->settings_text = settings_to_text(apply->settings);
    apply->launcher = local_launcher_new(program);
    apply->catalogue = stage_catalogue(apply->settings, error);
    return apply->catalogue != NULL && reach_store(apply, error) &&
           store_prepare(apply->store, error);
}

/* Planning may have asked the provider something; that counts towards the cap too. */
static bool
charge_planning(const Apply *apply, GError **error)
{
    MeterLimits limits = {0};

    g_autoptr(Embedder) embedder = stage_embedder(apply->settings, apply->plan->dimensions, error);
    if (embedder == NULL || !stage_meter_limits(apply->settings, &embedder->info, &limits, error))
        return false;
    apply->run->usd_per_token = limits.usd_per_token;
    g_autoptr(Meter) meter = meter_open(apply->meter, &limits, error);
    if (meter == NULL)
        return false;
    const gint64 tokens = apply->plan->spent_tokens;
    return tokens == 0 || meter_charge(meter, tokens, error);
}

static bool
carry_out(Apply *apply, const ApplyOptions *options, bool *agreed, GError **error)
{
    make_jobs(apply);
    if (!open_ledger(apply, error) || !is_agreed(apply, options, agreed, error))
        return false;
    if (!*agreed)
        return true;
    fault_point(FAULT_AFTER_PLAN);

    g_autofree char *hash = agreement(apply);
    if (!charge_planning(apply, error) || !open_world(apply, error) ||
        !ledger_begin(apply->ledger, apply->run, error) ||
        !ledger_agree(apply->ledger, hash, error))
        return false;
    read_meter(apply);
    tell(apply);
    if (!work_through(apply, error))
        return false;
    if (cancel_check(apply->cancel, error))
        return end_run(apply, error);
    apply->run->state = RUN_INTERRUPTED;
    ledger_end(apply->ledger, RUN_INTERRUPTED, NULL);
    tell(apply);
    return false;
}

static void
apply_clear(Apply *apply)
{
    launcher_free(apply->launcher);
    catalogue_free(apply->catalogue);
    store_close(apply->store);
    ledger_close(apply->ledger);
    plan_free(apply->plan);
    run_progress_free(apply->run);
    g_clear_pointer(&apply->jobs, g_array_unref);
    g_clear_error(&apply->stop);
    g_free(apply->meter);
    g_free(apply->settings_text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Apply, apply_clear)

RunProgress *
flow_apply(
    const Settings *settings, const ApplyOptions *options, const ApplyListener *listener,
    Cancel *cancel, GError **error)
{
    g_auto(Apply) apply = {.settings = settings, .listener = listener, .cancel = cancel};
    bool agreed = false;

    apply.plan = flow_make_plan(settings, options->agreed, cancel, error);
    if (apply.plan == NULL ||
        (options->agreed != NULL && !check_agreed(options->agreed, apply.plan, error)))
        return NULL;
    if (options->dry_run)
    {
        listener->confirm(listener->data, apply.plan);
        return NULL;
    }
    if (apply.plan->bots->len == 0 && settings_switch(settings, SETTING_ONLY_FAILED))
        note(&apply, "no bot is left that did not succeed (--only-failed)");
    apply.run = begin_run(&apply, options->agreed);
    if (!carry_out(&apply, options, &agreed, error) || !agreed)
        return NULL;
    return g_steal_pointer(&apply.run);
}
