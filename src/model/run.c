#include "model/run.h"

#include "base/error.h"

static const char *const BOT_STATES[] = {
    [BOT_PENDING] = "pending",     [BOT_LAUNCHED] = "launched", [BOT_RUNNING] = "running",
    [BOT_SUCCEEDED] = "succeeded", [BOT_FAILED] = "failed",     [BOT_SKIPPED] = "skipped",
};

static const char *const RUN_STATES[] = {
    [RUN_RUNNING] = "running",
    [RUN_INTERRUPTED] = "interrupted",
    [RUN_DONE] = "done",
    [RUN_FAILED] = "failed",
};

BotProgress *
bot_progress_new(const char *user, const char *bot, const char *title)
{
    BotProgress *progress = g_new0(BotProgress, 1);
    progress->user = g_strdup(user);
    progress->bot = g_strdup(bot);
    progress->title = g_strdup(title);
    progress->expected_chunks = -1;
    progress->expected_usd = -1;
    return progress;
}

void
bot_progress_free(BotProgress *progress)
{
    if (progress == NULL)
        return;
    g_free(progress->user);
    g_free(progress->bot);
    g_free(progress->title);
    g_free(progress->task);
    g_free(progress->code);
    g_free(progress->reason);
    g_free(progress);
}

void
bot_progress_set_reason(BotProgress *progress, const char *code, const char *reason)
{
    g_free(progress->code);
    g_free(progress->reason);
    progress->code = g_strdup(code);
    progress->reason = reason == NULL ? NULL : vf_error_one_line(reason);
}

RunProgress *
run_progress_new(void)
{
    RunProgress *progress = g_new0(RunProgress, 1);
    progress->bots = g_ptr_array_new_with_free_func((GDestroyNotify) bot_progress_free);
    progress->usd = -1;
    progress->expected_usd = -1;
    progress->usd_per_token = -1;
    return progress;
}

void
run_progress_free(RunProgress *progress)
{
    if (progress == NULL)
        return;
    g_free(progress->id);
    g_free(progress->kind);
    g_free(progress->stop);
    g_free(progress->store);
    g_free(progress->embedder);
    g_ptr_array_unref(progress->bots);
    g_free(progress);
}

guint
run_progress_count(const RunProgress *progress, BotState state)
{
    guint count = 0;
    for (guint i = 0; i < progress->bots->len; i++)
        if (((const BotProgress *) progress->bots->pdata[i])->state == state)
            count++;
    return count;
}

gint64
run_progress_chunks(const RunProgress *progress)
{
    gint64 chunks = 0;
    for (guint i = 0; i < progress->bots->len; i++)
        chunks += ((const BotProgress *) progress->bots->pdata[i])->chunks;
    return chunks;
}

void
run_progress_set_spent(RunProgress *progress, gint64 tokens, double usd)
{
    const double others = (double) progress->other_tokens * MAX(progress->usd_per_token, 0);

    progress->tokens = MAX(tokens - progress->other_tokens, 0);
    progress->usd = usd < 0 ? usd : MAX(usd - others, 0);
}

double
run_progress_usd_of(const RunProgress *progress, const BotProgress *bot)
{
    return progress->usd_per_token < 0 ? -1 : (double) bot->tokens * progress->usd_per_token;
}

const char *
bot_state_name(BotState state)
{
    return BOT_STATES[state];
}

BotState
bot_state_from_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(BOT_STATES); i++)
        if (g_strcmp0(BOT_STATES[i], name) == 0)
            return (BotState) i;
    return BOT_PENDING;
}

bool
bot_state_is_final(BotState state)
{
    return state == BOT_SUCCEEDED || state == BOT_FAILED || state == BOT_SKIPPED;
}

const char *
run_state_name(RunState state)
{
    return RUN_STATES[state];
}

const char *
evidence_name(Evidence evidence)
{
    switch (evidence)
    {
    case EVIDENCE_NONE:
        return NULL;
    case EVIDENCE_REPORTED:
        return "reported";
    case EVIDENCE_PROVEN:
        return "proven";
    }
    g_assert_not_reached();
}

Evidence
evidence_from_name(const char *name)
{
    if (g_strcmp0(name, "proven") == 0)
        return EVIDENCE_PROVEN;
    return g_strcmp0(name, "reported") == 0 ? EVIDENCE_REPORTED : EVIDENCE_NONE;
}
