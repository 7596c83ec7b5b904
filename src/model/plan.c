#include "model/plan.h"

static const char *const ACTIONS[ACTION_COUNT] = {
    [ACTION_KEEP] = "keep",     [ACTION_COPY] = "copy",       [ACTION_EMBED] = "embed",
    [ACTION_NONE] = "none",     [ACTION_BLOCKED] = "blocked", [ACTION_ORPHAN] = "orphan",
    [ACTION_REMOVE] = "remove",
};

const char *
action_name(Action action)
{
    return ACTIONS[action];
}

bool
action_from_name(const char *name, Action *action)
{
    for (int i = 0; i < ACTION_COUNT; i++)
    {
        if (g_strcmp0(ACTIONS[i], name) != 0)
            continue;
        *action = (Action) i;
        return true;
    }
    return false;
}

static void
planned_source_free(void *data)
{
    PlannedSource *source = data;
    g_free(source->label);
    g_free(source->reason);
    g_free(source);
}

PlannedSource *
planned_source_new(const char *label, Action action, const char *reason)
{
    PlannedSource *source = g_new0(PlannedSource, 1);
    source->label = g_strdup(label);
    source->action = action;
    source->reason = g_strdup(reason);
    source->bytes = -1;
    return source;
}

PlannedBot *
planned_bot_new(const char *user, const char *id, const char *title)
{
    PlannedBot *bot = g_new0(PlannedBot, 1);
    bot->user = g_strdup(user);
    bot->id = g_strdup(id);
    bot->title = g_strdup(title);
    bot->sources = g_ptr_array_new_with_free_func(planned_source_free);
    return bot;
}

void
planned_bot_free(PlannedBot *bot)
{
    if (bot == NULL)
        return;
    bot_unref(bot->bot);
    g_free(bot->user);
    g_free(bot->id);
    g_free(bot->title);
    g_free(bot->fingerprint);
    g_free(bot->reason);
    g_ptr_array_unref(bot->sources);
    g_free(bot);
}

Plan *
plan_new(void)
{
    Plan *plan = g_new0(Plan, 1);
    plan->bots = g_ptr_array_new_with_free_func((GDestroyNotify) planned_bot_free);
    plan->methods = g_array_new(FALSE, TRUE, sizeof(Method));
    return plan;
}

void
plan_free(Plan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->id);
    g_free(plan->run);
    g_free(plan->catalogue);
    g_free(plan->new_store);
    g_free(plan->store_identity);
    g_free(plan->space);
    g_free(plan->splitter);
    g_free(plan->price);
    g_ptr_array_unref(plan->bots);
    g_array_unref(plan->methods);
    g_free(plan);
}

guint
plan_count(const Plan *plan, Action action)
{
    guint count = 0;
    for (guint i = 0; i < plan->bots->len; i++)
        if (((const PlannedBot *) plan->bots->pdata[i])->action == action)
            count++;
    return count;
}

GHashTable *
plan_index(const Plan *plan)
{
    GHashTable *index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < plan->bots->len; i++)
    {
        PlannedBot *bot = plan->bots->pdata[i];
        g_hash_table_insert(index, bot_key(bot->user, bot->id), bot);
    }
    return index;
}

PlannedBot *
plan_find(GHashTable *index, const char *user, const char *id)
{
    g_autofree char *key = bot_key(user, id);
    return g_hash_table_lookup(index, key);
}
