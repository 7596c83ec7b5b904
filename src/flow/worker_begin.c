#include "flow/worker_begin.h"

#include "flow/worker_session.h"

#include <string.h>

#define PAUSE_WORTH_TELLING_MS 5000

/* Which sources' rows may stay.  Asked when it is known that the bot's id fits into the table. */
static bool
find_standing(Work *work, GError **error)
{
    const Bot *bot = work->order->bot;
    const MarkWish wish = {
        work->space, settings_text(work->settings, SETTING_SPLITTER), bot->fingerprint};

    work->standing = kept_sources(work->store, bot->id, &wish, error);
    if (work->standing == NULL)
        return false;
    for (guint i = 0; i < work->source_count; i++)
        work->sources[i].stands = g_hash_table_lookup(work->standing, work->sources[i].label);
    return true;
}

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
    return staging_try(work->staging, longest, error) && find_standing(work, error);
}

static void
tell_pause(void *data, gint64 pause_ms)
{
    if (pause_ms >= PAUSE_WORTH_TELLING_MS)
        worker_say(data, &(WorkEvent){.kind = EVENT_THROTTLED, .wait_ms = pause_ms});
}

bool
worker_begin(Work *work, GError **error)
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
    if (work->meter == NULL || !worker_open_store(work, error) || !list_sources(work, error))
        return false;

    const EstimateRules rules = stage_estimate_rules(work->settings, &work->embedder->info);
    work->caller = (Caller){
        .embedder = work->embedder,
        .meter = work->meter,
        .gate = work->gate,
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

void
worker_end(Work *work)
{
    queue_free(work->to_embed);
    queue_free(work->to_stage);
    gate_free(work->gate);
    for (guint i = 0; i < work->source_count; i++)
    {
        g_free(work->sources[i].label);
        g_free(work->sources[i].text_hash);
        g_clear_pointer(&work->sources[i].known, g_array_unref);
        g_clear_error(&work->sources[i].error);
    }
    g_free(work->sources);
    g_clear_pointer(&work->standing, g_hash_table_unref);
    worker_close_store(work);
    meter_free(work->meter);
    embedder_free(work->embedder);
    document_source_free(work->documents);
    settings_free(work->settings);
    g_clear_error(&work->failure);
    g_free(work->space);
    pthread_mutex_destroy(&work->lock);
    pthread_mutex_destroy(&work->saying);
}
