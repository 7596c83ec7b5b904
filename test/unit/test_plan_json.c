#include "base/error.h"
#include "model/plan_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static PlannedBot *
sample_bot(Plan *plan, const char *id, Action action)
{
    PlannedBot *bot = planned_bot_new("ann", id, "A \"title\" é\n");
    bot->action = action;
    bot->reason = g_strdup("because");
    bot->fingerprint = g_strdup("f00d");
    bot->rows = 12;
    g_ptr_array_add(plan->bots, bot);
    return bot;
}

static Plan *
sample_plan(void)
{
    Plan *plan = plan_new();
    plan->id = g_strdup("abc");
    plan->created_ms = 1719900000000;
    plan->catalogue = g_strdup("bots.json");
    plan->new_store = g_strdup("database \"chat\" at host");
    plan->store_identity = g_strdup("7/chat/items");
    plan->space = g_strdup("openai/m/1024");
    plan->splitter = g_strdup("guide");
    plan->price = g_strdup("--price");

    PlannedBot *bot = sample_bot(plan, "01", ACTION_EMBED);
    PlannedSource *source = planned_source_new("s3://b/a.pdf", ACTION_EMBED, "no rows");
    source->bytes = 1000;
    g_ptr_array_add(bot->sources, source);
    g_ptr_array_add(bot->sources, planned_source_new("https://x/", ACTION_KEEP, NULL));
    bot->chunks = (Estimate){1, 2, 3};
    bot->usd = (Estimate){-1, -1, -1};
    sample_bot(plan, "02", ACTION_BLOCKED);
    sample_bot(plan, "03", ACTION_EMBED);
    return plan;
}

/* Through a text, as in a file. */
static Json *
dumped(const Plan *plan)
{
    g_autoptr(Json) json = plan_to_json(plan);
    char *text = json_dumps(json, JSON_COMPACT);
    Json *again = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    g_assert_nonnull(again);
    return again;
}

static const Json *
at(const Json *json, const char *path)
{
    g_auto(GStrv) steps = g_strsplit(path, ".", -1);
    for (char **step = steps; *step != NULL; step++)
        json = g_ascii_isdigit(**step) ? json_array_get(json, (size_t) atoi(*step))
                                       : json_object_get(json, *step);
    return json;
}

static void
assert_value(const Json *json, const char *path, const char *expected)
{
    char *text = json_dumps(at(json, path), JSON_COMPACT | JSON_ENCODE_ANY);
    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void
test_keeps_the_promised_keys(void)
{
    g_autoptr(Plan) plan = sample_plan();
    g_autoptr(Json) json = dumped(plan);

    assert_value(json, "plan.id", "\"abc\"");
    assert_value(json, "plan.created", "\"2024-07-02T06:00:00Z\"");
    assert_value(json, "plan.catalogue", "\"bots.json\"");
    assert_value(json, "plan.old_store", "null");
    assert_value(json, "bots.0.user", "\"ann\"");
    assert_value(json, "bots.0.bot", "\"01\"");
    assert_value(json, "bots.0.title", "\"A \\\"title\\\" é\\n\"");
    assert_value(json, "bots.0.action", "\"embed\"");
    assert_value(json, "bots.0.reason", "\"because\"");
    assert_value(json, "bots.0.sources.0.source", "\"s3://b/a.pdf\"");
    assert_value(json, "bots.0.sources.0.action", "\"embed\"");
    assert_value(json, "bots.0.sources.0.bytes", "1000");
    assert_value(json, "bots.0.chunks", "{\"low\":1.0,\"expected\":2.0,\"high\":3.0}");
    assert_value(json, "total.actions.embed", "2");
    assert_value(json, "total.actions.blocked", "1");
    assert_value(json, "total.actions.keep", "0");
    g_assert_cmpuint(json_array_size(at(json, "bots")), ==, 3);
}

static void
test_what_is_not_known_is_null(void)
{
    g_autoptr(Plan) plan = sample_plan();
    plan->usd = (Estimate){-1, -1, -1};
    g_autoptr(Json) json = dumped(plan);

    assert_value(json, "bots.0.usd", "null");
    assert_value(json, "bots.0.sources.1.bytes", "null");
    assert_value(json, "bots.0.sources.1.reason", "null");
    assert_value(json, "total.usd", "null");
}

static void
test_every_bot_is_told_whatever_its_figures(void)
{
    g_autoptr(Plan) plan = sample_plan();
    PlannedBot *bot = plan->bots->pdata[0];

    bot->seconds = (Estimate){1, 2, HUGE_VAL};
    bot->tokens = (Estimate){NAN, NAN, NAN};
    plan->seconds = (Estimate){1, 2, HUGE_VAL};
    g_autoptr(Json) json = dumped(plan);
    g_assert_cmpuint(json_array_size(at(json, "bots")), ==, 3);
}

static void
test_comes_back_with_what_was_agreed(void)
{
    g_autoptr(Plan) plan = sample_plan();
    g_autoptr(Json) json = dumped(plan);
    g_autoptr(GError) error = NULL;
    g_autoptr(Plan) again = plan_from_json(json, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(again->id, ==, plan->id);
    g_assert_cmpstr(again->store_identity, ==, plan->store_identity);
    g_assert_cmpstr(again->space, ==, plan->space);
    g_assert_cmpstr(again->splitter, ==, plan->splitter);
    g_assert_cmpstr(again->new_store, ==, plan->new_store);
    g_assert_cmpuint(again->bots->len, ==, 3);
    g_autoptr(GHashTable) index = plan_index(again);
    for (guint i = 0; i < 3; i++)
    {
        const PlannedBot *was = plan->bots->pdata[i];
        const PlannedBot *bot = plan_find(index, "ann", was->id);
        g_assert_nonnull(bot);
        g_assert_null(bot->bot);
        g_assert_cmpint((int) bot->action, ==, (int) was->action);
        g_assert_cmpint(bot->rows, ==, was->rows);
        g_assert_cmpstr(bot->title, ==, was->title);
        g_assert_cmpstr(bot->reason, ==, was->reason);
        g_assert_cmpstr(bot->fingerprint, ==, was->fingerprint);
    }
}

static void
test_every_action_has_a_name_that_leads_back(void)
{
    for (int i = 0; i < ACTION_COUNT; i++)
    {
        Action action = ACTION_COUNT;
        g_assert_true(action_from_name(action_name((Action) i), &action));
        g_assert_cmpint((int) action, ==, i);
    }
    Action action = ACTION_KEEP;
    g_assert_false(action_from_name("destroy", &action));
    g_assert_false(action_from_name(NULL, &action));
}

static void
test_what_it_may_cost_comes_back(void)
{
    g_autoptr(Plan) plan = sample_plan();
    ((PlannedBot *) plan->bots->pdata[0])->tokens = (Estimate){4, 5, 6};
    g_autoptr(Json) json = dumped(plan);
    g_autoptr(Plan) again = plan_from_json(json, NULL);
    const PlannedBot *bot = again->bots->pdata[0];
    const PlannedSource *file = bot->sources->pdata[0];
    const PlannedSource *page = bot->sources->pdata[1];

    g_assert_cmpfloat(bot->tokens.high, ==, 6);
    g_assert_cmpfloat(bot->usd.high, ==, -1);
    g_assert_cmpstr(file->label, ==, "s3://b/a.pdf");
    g_assert_cmpint(file->bytes, ==, 1000);
    g_assert_cmpint(page->bytes, ==, -1);
}

static void
test_an_empty_plan_is_one(void)
{
    g_autoptr(Plan) plan = sample_plan();
    g_ptr_array_set_size(plan->bots, 0);
    g_autoptr(Json) json = dumped(plan);
    g_autoptr(Plan) again = plan_from_json(json, NULL);
    g_assert_cmpuint(again->bots->len, ==, 0);
}

/* --- hostile ------------------------------------------------------------------------------- */

static void
assert_refused(const Json *json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Plan) plan = plan_from_json(json, &error);

    g_assert_null(plan);
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_what_is_no_plan_is_refused(void)
{
    static const char *const TEXTS[] = {
        "{}",
        "[]",
        "1",
        "null",
        "\"plan\"",
        "{\"plan\":{},\"bots\":[]}",
        "{\"plan\":[],\"bots\":[]}",
        "{\"plan\":{\"id\":\"a\",\"store_identity\":\"b\",\"space\":\"c\",\"splitter\":\"d\"}}",
        ("{\"plan\":{\"id\":1,\"store_identity\":\"b\",\"space\":\"c\",\"splitter\":\"d\"},"
         "\"bots\":[]}"),
        ("{\"plan\":{\"id\":\"a\",\"store_identity\":\"b\",\"space\":\"c\",\"splitter\":\"d\"},"
         "\"bots\":{}}"),
    };
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++)
    {
        g_autoptr(Json) json = json_loads(TEXTS[i], JSON_DECODE_ANY, NULL);
        g_assert_nonnull(json);
        assert_refused(json);
    }
    assert_refused(NULL);
}

static void
test_a_bot_of_any_other_shape_is_refused(void)
{
    static const char *const BOTS[] = {
        "1",
        "null",
        "[]",
        "{}",
        "{\"user\":\"ann\",\"bot\":\"x\"}",
        "{\"user\":\"ann\",\"bot\":\"x\",\"action\":\"destroy\"}",
        "{\"user\":\"ann\",\"bot\":\"x\",\"action\":1}",
        "{\"user\":1,\"bot\":\"x\",\"action\":\"embed\"}",
        "{\"user\":\"ann\",\"bot\":null,\"action\":\"embed\"}",
    };
    for (guint i = 0; i < G_N_ELEMENTS(BOTS); i++)
    {
        g_autoptr(Plan) plan = sample_plan();
        g_autoptr(Json) json = plan_to_json(plan);
        Json *bot = json_loads(BOTS[i], JSON_DECODE_ANY, NULL);
        g_autoptr(GError) error = NULL;

        json_array_set_new(json_object_get(json, "bots"), 1, bot);
        g_assert_null(plan_from_json(json, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
        g_assert_cmpstr(error->message, ==, "bot 2 of the plan has no user, bot or known action");
    }
}

/* Takes out every member of the plan, one after the other, at every depth. */
static void
test_no_missing_member_does_harm(void)
{
    g_autoptr(Plan) plan = sample_plan();
    g_autoptr(Json) json = plan_to_json(plan);
    const char *part = NULL;
    Json *value = NULL;

    json_object_foreach(json, part, value)
    {
        g_autoptr(Json) without = json_deep_copy(json);
        json_object_del(without, part);
        g_autoptr(Plan) read = plan_from_json(without, NULL);

        const char *key = NULL;
        Json *member = NULL;
        Json *bots = json_is_array(value) ? json_array_get(value, 0) : value;
        json_object_foreach(bots, key, member)
        {
            g_autoptr(Json) less = json_deep_copy(json);
            Json *target = json_object_get(less, part);
            target = json_is_array(target) ? json_array_get(target, 0) : target;
            json_object_del(target, key);
            g_autoptr(Plan) poor = plan_from_json(less, NULL);
            json_object_set_new(target, key, json_array());
            g_autoptr(Plan) strange = plan_from_json(less, NULL);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/plan-json/" #name, test_##name)
    TEST(keeps_the_promised_keys);
    TEST(what_is_not_known_is_null);
    TEST(every_bot_is_told_whatever_its_figures);
    TEST(comes_back_with_what_was_agreed);
    TEST(every_action_has_a_name_that_leads_back);
    TEST(what_it_may_cost_comes_back);
    TEST(an_empty_plan_is_one);
    TEST(what_is_no_plan_is_refused);
    TEST(a_bot_of_any_other_shape_is_refused);
    TEST(no_missing_member_does_harm);
    return g_test_run();
}
