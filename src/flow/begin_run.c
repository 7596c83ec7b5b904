#include "flow/begin_run.h"

#include "flow/agreement.h"

/* Only what changes a store must have been agreed to. */
static bool
may_change(const PlannedBot *planned)
{
    return planned->action == ACTION_EMBED || planned->action == ACTION_REMOVE;
}

static BotProgress *
begin_bot(const PlannedBot *planned, GHashTable *agreed)
{
    BotProgress *progress = bot_progress_new(planned->user, planned->id, planned->title);
    g_autofree char *skip =
        may_change(planned) && agreed != NULL ? agreement_objection(agreed, planned) : NULL;

    if (may_change(planned))
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
        /* What an earlier load left is still there. */
        progress->evidence = planned->rows > 0 ? EVIDENCE_PROVEN : EVIDENCE_NONE;
        progress->chunks = planned->rows;
        progress->state = BOT_SKIPPED;
        bot_progress_set_reason(progress, "bad-input", skip != NULL ? skip : planned->reason);
    }
    return progress;
}

static bool
has_a_turn(const PlannedBot *planned)
{
    return may_change(planned) || planned->action == ACTION_KEEP ||
           planned->action == ACTION_BLOCKED;
}

RunProgress *
begin_run(const Apply *apply, const Plan *agreed)
{
    RunProgress *run = run_progress_new();
    g_autoptr(GHashTable) index = agreed == NULL ? NULL : plan_index(agreed);

    run->id = g_strdup(apply->plan->run);
    run->kind = g_strdup("apply");
    run->store = g_strdup(apply->plan->new_store);
    run->embedder = g_strdup(apply->plan->space);
    run->expected_usd = apply->plan->usd.expected;
    run->created_ms = g_get_real_time() / 1000;
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
    g_free(job->waits_for);
}

void
begin_jobs(Apply *apply)
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
