#include "flow/start_job.h"

#include "base/error.h"
#include "base/fault.h"
#include "flow/ask_store.h"
#include "flow/end_job.h"
#include "flow/remove_rows.h"

/* A catalogue that is being rewritten in place cannot be read for a while. */
#define CATALOGUE_PATIENCE_US (10 * G_USEC_PER_SEC)
#define CATALOGUE_PAUSE_US (G_USEC_PER_SEC / 2)

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

/* Somebody may be writing the catalogue: it gets a while, then the bot has had its turn. */
static bool
wait_for_catalogue(Apply *apply, Job *job, const GError *problem, GError **error)
{
    const gint64 now = g_get_monotonic_time();

    if (apply->unreadable_since_us == 0)
    {
        apply->unreadable_since_us = now;
        apply_note(apply, "%s; trying again", problem->message);
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
        .worker = g_strdup(job->attempt.intent.name),
        .store_identity = g_strdup(apply->plan->store_identity),
        .meter = g_strdup(apply->meter),
        .settings = g_strdup(apply->settings_text),
        .dimensions = apply->plan->dimensions,
        .marked_ms = job->planned->marked_ms,
        .bot = bot_ref(bot),
    };
    g_autofree char *task = NULL;

    if (!apply->launcher->launch(apply->launcher, &job->attempt.intent, &order, &task, error))
        return false;
    fault_point(FAULT_AFTER_LAUNCH);
    g_free(job->progress->task);
    job->progress->task = g_strdup(task);
    return ledger_launched(apply->ledger, &job->attempt.intent, task, error);
}

/* Written down before anything is started. */
static bool
begin_attempt(Apply *apply, Job *job, GError **error)
{
    const gint64 limit_s = settings_count(apply->settings, SETTING_TIME_LIMIT);
    BotProgress *progress = job->progress;
    Attempt attempt = {
        .deadline_us =
            limit_s == 0 ? G_MAXINT64 : g_get_monotonic_time() + limit_s * G_USEC_PER_SEC,
        .tokens_before = progress->tokens,
    };

    if (!ledger_intend(apply->ledger, progress->user, progress->bot, &attempt.intent, error))
        return false;
    fault_point(FAULT_AFTER_INTENT);
    job->attempt = attempt;
    progress->attempts++;
    progress->state = BOT_LAUNCHED;
    progress->started_ms = g_get_real_time() / 1000;
    progress->ended_ms = 0;
    bot_progress_set_reason(progress, NULL, NULL);
    return true;
}

/* From now on its worker is heard, and its end waited for. */
static void
count_worker(Apply *apply, Job *job)
{
    job->working = true;
    apply->working++;
    apply_tell(apply);
}

/* The bot's turn, if it is still the one that was planned. */
static bool
begin_job(Apply *apply, Job *job, GError **error)
{
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
    if (job->planned->action == ACTION_REMOVE)
        return remove_rows(apply, job, error);
    if (!begin_attempt(apply, job, error) || !launch_worker(apply, job, bot, error))
        return false;
    count_worker(apply, job);
    return true;
}

/* Unless somebody was faster, a worker gets it. */
bool
start_job(Apply *apply, Job *job, GError **error)
{
    bool done = false;
    gint64 rows = 0;

    if (job->planned->action == ACTION_REMOVE)
        return begin_job(apply, job, error);
    if (!ask_for_newer(apply, job, &done, &rows, error))
        return false;
    if (!done)
        return begin_job(apply, job, error);
    succeed_job(job, true, rows);
    return apply_write_bot(apply, job->progress, error);
}
