#include "model/plan_json.h"

#include "base/error.h"

#include <math.h>

/* JSON has no word for infinity, so a sum that is beyond all measure is not known either. */
static Json *
estimate_to_json(Estimate estimate)
{
    if (estimate.expected < 0 || !isfinite(estimate.low + estimate.expected + estimate.high))
        return json_null();
    return json_pack(
        "{s:f, s:f, s:f}", "low", estimate.low, "expected", estimate.expected, "high",
        estimate.high);
}

static Json *
time_to_json(gint64 ms)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = g_date_time_format_iso8601(time);
    return json_string(text);
}

static Json *
bytes_to_json(gint64 bytes)
{
    return bytes < 0 ? json_null() : json_integer(bytes);
}

static Json *
sources_to_json(const GPtrArray *sources)
{
    Json *list = json_array();
    for (guint i = 0; i < sources->len; i++)
    {
        const PlannedSource *source = sources->pdata[i];
        json_array_append_new(
            list, json_pack(
                      "{s:s, s:s, s:s?, s:o}", "source", source->label, "action",
                      action_name(source->action), "reason", source->reason, "bytes",
                      bytes_to_json(source->bytes)));
    }
    return list;
}

static Json *
bot_plan_to_json(const PlannedBot *bot)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s?, s:s?, s:I, s:o, s:o, s:o, s:o, s:o}", "user", bot->user, "bot",
        bot->id, "title", bot->title, "action", action_name(bot->action), "reason", bot->reason,
        "fingerprint", bot->fingerprint, "rows", (json_int_t) bot->rows, "sources",
        sources_to_json(bot->sources), "chunks", estimate_to_json(bot->chunks), "tokens",
        estimate_to_json(bot->tokens), "usd", estimate_to_json(bot->usd), "seconds",
        estimate_to_json(bot->seconds));
}

static Json *
methods_to_json(const GArray *methods)
{
    Json *list = json_array();
    for (guint i = 0; i < methods->len; i++)
    {
        const Method *method = &g_array_index(methods, Method, i);
        json_array_append_new(
            list, json_pack(
                      "{s:s, s:b, s:b, s:o, s:o, s:s, s:s, s:s}", "method", method->name,
                      "possible", method->possible, "recommended", method->recommended, "usd",
                      estimate_to_json(method->usd), "seconds", estimate_to_json(method->seconds),
                      "stop", method->stop, "risk", method->risk, "needs", method->needs));
    }
    return list;
}

static Json *
total_to_json(const Plan *plan)
{
    Json *actions = json_object();
    for (int i = 0; i < ACTION_COUNT; i++)
        json_object_set_new(
            actions, action_name((Action) i), json_integer(plan_count(plan, (Action) i)));
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "actions", actions, "chunks", estimate_to_json(plan->chunks),
        "tokens", estimate_to_json(plan->tokens), "usd", estimate_to_json(plan->usd), "seconds",
        estimate_to_json(plan->seconds));
}

Json *
plan_to_json(const Plan *plan)
{
    Json *bots = json_array();
    for (guint i = 0; i < plan->bots->len; i++)
        json_array_append_new(bots, bot_plan_to_json(plan->bots->pdata[i]));

    Json *json = json_pack(
        "{s:{s:s, s:o, s:s, s:n, s:s, s:s, s:s, s:s, s:s?, s:b}, s:o, s:o, s:o}", "plan", "id",
        plan->id, "created", time_to_json(plan->created_ms), "catalogue", plan->catalogue,
        "old_store", "new_store", plan->new_store, "store_identity", plan->store_identity, "space",
        plan->space, "splitter", plan->splitter, "price", plan->price, "rehearsal", plan->rehearsal,
        "bots", bots, "methods", methods_to_json(plan->methods), "total", total_to_json(plan));
    g_assert(json != NULL);
    return json;
}

/* What is not there or not such is not known. */
static gint64
integer_or_unknown(const Json *object, const char *key)
{
    const Json *number = json_object_get(object, key);
    return json_is_integer(number) ? (gint64) json_integer_value(number) : -1;
}

static double
highest(const Json *object, const char *key)
{
    const Json *high = json_object_get(json_object_get(object, key), "high");
    return json_is_number(high) ? json_number_value(high) : -1;
}

static void
read_sources(PlannedBot *bot, const Json *list)
{
    for (size_t i = 0; i < json_array_size(list); i++)
    {
        const Json *json = json_array_get(list, i);
        const char *label = json_text(json, "source");
        if (label == NULL)
            continue;
        PlannedSource *source = planned_source_new(label, bot->action, json_text(json, "reason"));
        source->bytes = integer_or_unknown(json, "bytes");
        g_ptr_array_add(bot->sources, source);
    }
}

static bool
read_bot(Plan *plan, const Json *json, GError **error)
{
    const char *user = json_text(json, "user");
    const char *id = json_text(json, "bot");
    Action action = ACTION_NONE;

    if (user == NULL || id == NULL || !action_from_name(json_text(json, "action"), &action))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "bot %u of the plan has no user, bot or known action",
            plan->bots->len + 1);
        return false;
    }
    const char *title = json_text(json, "title");
    PlannedBot *bot = planned_bot_new(user, id, title == NULL ? "" : title);
    bot->action = action;
    bot->reason = g_strdup(json_text(json, "reason"));
    bot->fingerprint = g_strdup(json_text(json, "fingerprint"));
    bot->rows = integer_or_unknown(json, "rows");
    bot->tokens.high = highest(json, "tokens");
    bot->usd.high = highest(json, "usd");
    read_sources(bot, json_object_get(json, "sources"));
    g_ptr_array_add(plan->bots, bot);
    return true;
}

Plan *
plan_from_json(const Json *json, GError **error)
{
    const Json *head = json_object_get(json, "plan");
    const Json *bots = json_object_get(json, "bots");
    const char *id = json_text(head, "id");
    const char *store = json_text(head, "store_identity");
    const char *space = json_text(head, "space");
    const char *splitter = json_text(head, "splitter");

    if (id == NULL || store == NULL || space == NULL || splitter == NULL || !json_is_array(bots))
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "this is not a plan");
        vf_error_hint(error, "a plan is what `vecferry plan -o FILE` wrote");
        return NULL;
    }

    g_autoptr(Plan) plan = plan_new();
    plan->id = g_strdup(id);
    plan->store_identity = g_strdup(store);
    plan->space = g_strdup(space);
    plan->splitter = g_strdup(splitter);
    plan->new_store = g_strdup(json_text(head, "new_store"));
    for (size_t i = 0; i < json_array_size(bots); i++)
        if (!read_bot(plan, json_array_get(bots, i), error))
            return NULL;
    return g_steal_pointer(&plan);
}
