#include "plan/make.h"

#include "plan/actions.h"
#include "plan/methods.h"

static void
source_look_free(void *data)
{
    SourceLook *look = data;
    g_free(look->label);
    g_free(look->problem);
    g_free(look);
}

SourceLook *
source_look_new(const char *label)
{
    SourceLook *look = g_new0(SourceLook, 1);
    look->label = g_strdup(label);
    look->facts = (DocumentFacts){.bytes = -1, .modified_ms = -1};
    return look;
}

BotLook *
bot_look_new(void)
{
    BotLook *look = g_new0(BotLook, 1);
    look->sources = g_ptr_array_new_with_free_func(source_look_free);
    return look;
}

void
bot_look_free(BotLook *look)
{
    if (look == NULL)
        return;
    g_ptr_array_unref(look->sources);
    g_free(look);
}

static Estimate
characters_to_embed(const PlannedBot *planned, const Bot *bot, const EstimateRules *rules)
{
    Estimate sum = {0};
    for (guint i = 0; i < planned->sources->len; i++)
    {
        const PlannedSource *decided = planned->sources->pdata[i];
        const Source *source = bot->sources->pdata[i];
        if (decided->action == ACTION_BLOCKED || decided->stands)
            continue;
        Estimate characters =
            estimate_characters(source->name, source->kind, decided->bytes, rules);
        if (decided->may_stand)
            characters.low = 0;
        sum = estimate_sum(sum, characters);
    }
    return sum;
}

static PlannedBot *
plan_bot(Bot *bot, const BotLook *look, const PlanInput *input)
{
    PlannedBot *planned = planned_bot_new(bot->user, bot->id, bot->title);
    const BotRows *rows = observation_find(input->store, bot->id);

    planned->bot = bot_ref(bot);
    planned->fingerprint = g_strdup(bot->fingerprint);
    planned->rows = rows == NULL ? 0 : rows->rows;
    planned->marked_ms = rows == NULL || rows->mark == NULL ? -1 : rows->mark->marked_ms;
    decide_bot(planned, bot, look, input);
    if (planned->action == ACTION_EMBED)
        estimate_bot(
            planned, characters_to_embed(planned, bot, &input->rules), look->chunk_size,
            look->chunk_overlap, &input->rules);
    return planned;
}

static void
block_twin(PlannedBot *bot, const Bot *other)
{
    bot->action = ACTION_BLOCKED;
    bot->chunks = bot->tokens = bot->usd = bot->seconds = (Estimate){0};
    g_free(bot->reason);
    bot->reason = g_strdup_printf("user %s has a bot of the same id", other->user);
}

/*
 * The store names rows by the bot's id alone: two users' bots of one id cannot be told apart, not
 * even when only one of them is selected.
 */
static void
block_twins(Plan *plan, const GPtrArray *all)
{
    g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) second = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < all->len; i++)
    {
        Bot *bot = all->pdata[i];
        g_hash_table_insert(g_hash_table_contains(first, bot->id) ? second : first, bot->id, bot);
    }
    for (guint i = 0; i < plan->bots->len; i++)
    {
        PlannedBot *bot = plan->bots->pdata[i];
        const Bot *one = g_hash_table_lookup(first, bot->id);
        const Bot *other = g_hash_table_lookup(second, bot->id);
        if (other != NULL)
            block_twin(bot, one == bot->bot ? other : one);
    }
}

static int
by_id(const void *a, const void *b)
{
    return g_strcmp0(*(char *const *) a, *(char *const *) b);
}

static void
add_orphans(Plan *plan, const PlanInput *input)
{
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    GHashTableIter iter;
    void *id = NULL;

    g_hash_table_iter_init(&iter, input->store->bots);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (!g_hash_table_contains(input->known, id))
            g_ptr_array_add(ids, id);
    g_ptr_array_sort(ids, by_id);

    for (guint i = 0; i < ids->len; i++)
    {
        const BotRows *rows = observation_find(input->store, ids->pdata[i]);
        if (rows->rows == 0)
            continue;
        PlannedBot *planned = planned_bot_new("", ids->pdata[i], "");
        planned->action = ACTION_ORPHAN;
        planned->rows = rows->rows;
        planned->reason =
            g_strdup_printf("%" G_GINT64_FORMAT " rows of no bot in the catalogue", rows->rows);
        g_ptr_array_add(plan->bots, planned);
    }
}

/* The same question gets the same id. */
static char *
plan_id(const PlanInput *input)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *head = g_strdup_printf(
        "%s\n%s\n%s\n%s\n", input->catalogue, input->store->identity, input->space,
        input->splitter);

    g_checksum_update(checksum, (const guchar *) head, -1);
    for (guint i = 0; i < input->bots->len; i++)
    {
        const Bot *bot = input->bots->pdata[i];
        g_checksum_update(checksum, (const guchar *) bot->fingerprint, -1);
    }
    return g_strndup(g_checksum_get_string(checksum), 12);
}

Plan *
plan_make(const PlanInput *input)
{
    Plan *plan = plan_new();

    plan->id = plan_id(input);
    plan->created_ms = input->now_ms;
    plan->catalogue = g_strdup(input->catalogue);
    plan->new_store = g_strdup(input->store->address);
    plan->store_identity = g_strdup(input->store->identity);
    plan->space = g_strdup(input->space);
    plan->splitter = g_strdup(input->splitter);
    plan->price = g_strdup(input->price_origin);
    plan->rehearsal = input->rehearsal;
    for (guint i = 0; i < input->bots->len; i++)
        g_ptr_array_add(plan->bots, plan_bot(input->bots->pdata[i], input->looks->pdata[i], input));
    block_twins(plan, input->all);
    if (input->known != NULL)
        add_orphans(plan, input);
    estimate_plan(plan, &input->rules);
    compare_methods(plan);
    return plan;
}
