#include "base/error.h"
#include "base/json.h"
#include "model/work_order.h"

#include <stdlib.h>
#include <string.h>

static WorkOrder
sample_order(void)
{
    Bot *bot = bot_new("ann", "01BOT");
    g_ptr_array_add(bot->sources, source_new(SOURCE_FILE, "a \"b\" é.pdf"));
    bot_seal(bot);
    return (WorkOrder){
        .run = g_strdup("run"),
        .worker = g_strdup("vecferry-run-7"),
        .store_identity = g_strdup("7/chat/items"),
        .meter = g_strdup("/state/run.meter"),
        .settings = g_strdup("[run]\nworkers=2\n"),
        .dimensions = 1024,
        .bot = bot,
    };
}

static void
test_comes_back_the_same(void)
{
    g_auto(WorkOrder) order = sample_order();
    g_auto(WorkOrder) again = {0};
    g_autofree char *text = work_order_to_text(&order);
    g_autoptr(GError) error = NULL;

    g_assert_true(work_order_from_text(text, &again, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(again.run, ==, order.run);
    g_assert_cmpstr(again.worker, ==, order.worker);
    g_assert_cmpstr(again.store_identity, ==, order.store_identity);
    g_assert_cmpstr(again.meter, ==, order.meter);
    g_assert_cmpstr(again.settings, ==, order.settings);
    g_assert_cmpint(again.dimensions, ==, order.dimensions);
    g_assert_cmpstr(again.bot->user, ==, "ann");
    g_assert_cmpstr(again.bot->id, ==, "01BOT");
    g_assert_cmpstr(again.bot->fingerprint, ==, order.bot->fingerprint);
}

static void
test_a_worker_may_have_a_meter_of_its_own(void)
{
    g_auto(WorkOrder) order = sample_order();
    g_auto(WorkOrder) again = {0};

    g_clear_pointer(&order.meter, g_free);
    g_autofree char *text = work_order_to_text(&order);
    g_assert_true(work_order_from_text(text, &again, NULL));
    g_assert_null(again.meter);
}

static void
assert_refused(const char *text)
{
    WorkOrder order = {0};
    g_autoptr(GError) error = NULL;

    g_assert_false(work_order_from_text(text, &order, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_null(order.run);
    g_assert_null(order.bot);
}

static void
test_what_is_no_order_is_bad_input(void)
{
    static const char *const TEXTS[] = {"", "order", "[]", "null", "{}", "{\"run\":", "\xff"};
    for (guint i = 0; i < G_N_ELEMENTS(TEXTS); i++)
        assert_refused(TEXTS[i]);
}

/* The sample's text with one member replaced by that, or taken out. */
static char *
changed_order(const char *member, Json *value)
{
    g_auto(WorkOrder) order = sample_order();
    g_autofree char *text = work_order_to_text(&order);
    g_autoptr(Json) object = json_loads(text, 0, NULL);

    if (value == NULL)
        json_object_del(object, member);
    else
        json_object_set_new(object, member, value);
    char *dumped = json_dumps(object, JSON_COMPACT);
    char *copy = g_strdup(dumped);
    free(dumped);
    return copy;
}

static void
test_every_member_is_needed(void)
{
    static const char *const MEMBERS[] = {"run", "worker", "store", "settings", "bot"};
    for (guint i = 0; i < G_N_ELEMENTS(MEMBERS); i++)
    {
        g_autofree char *without = changed_order(MEMBERS[i], NULL);
        g_autofree char *wrong = changed_order(MEMBERS[i], json_integer(1));
        assert_refused(without);
        assert_refused(wrong);
    }
}

static void
test_a_bot_that_was_changed_on_the_way_is_refused(void)
{
    g_auto(WorkOrder) order = sample_order();
    g_autofree char *text = work_order_to_text(&order);
    char *name = strstr(text, ".pdf");

    name[1] = 'P';
    assert_refused(text);
}

static void
test_a_cut_order_is_refused(void)
{
    g_auto(WorkOrder) order = sample_order();
    g_autofree char *text = work_order_to_text(&order);

    for (size_t length = strlen(text) - 1; length > 0; length--)
    {
        text[length] = '\0';
        assert_refused(text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/work-order/" #name, test_##name)
    TEST(comes_back_the_same);
    TEST(a_worker_may_have_a_meter_of_its_own);
    TEST(what_is_no_order_is_bad_input);
    TEST(every_member_is_needed);
    TEST(a_bot_that_was_changed_on_the_way_is_refused);
    TEST(a_cut_order_is_refused);
    return g_test_run();
}
