#include "model/work_order.h"

#include "base/error.h"
#include "base/json.h"
#include "model/bot_json.h"

#include <stdlib.h>

void
work_order_clear(WorkOrder *order)
{
    g_free(order->run);
    g_free(order->worker);
    g_free(order->store_identity);
    g_free(order->meter);
    g_free(order->settings);
    bot_unref(order->bot);
    *order = (WorkOrder){0};
}

char *
work_order_to_text(const WorkOrder *order)
{
    g_autoptr(Json) object = json_pack(
        "{s:s, s:s, s:s, s:s*, s:s, s:i, s:I, s:o}", "run", order->run, "worker", order->worker,
        "store", order->store_identity, "meter", order->meter, "settings", order->settings,
        "dimensions", order->dimensions, "marked", (json_int_t) order->marked_ms, "bot",
        bot_to_json(order->bot));
    g_assert(object != NULL);

    char *text = json_dumps(object, JSON_COMPACT);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

gboolean
work_order_from_text(const char *text, WorkOrder *order, GError **error)
{
    json_error_t problem;
    g_autoptr(Json) object = json_loads(text, JSON_REJECT_DUPLICATES, &problem);
    const char *run = json_text(object, "run");
    const char *worker = json_text(object, "worker");
    const char *store = json_text(object, "store");
    const char *settings = json_text(object, "settings");

    if (run == NULL || worker == NULL || store == NULL || settings == NULL)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the work order is not complete");
        return FALSE;
    }
    g_autoptr(Bot) bot = bot_from_json(json_object_get(object, "bot"), error);
    if (bot == NULL)
    {
        g_prefix_error(error, "could not read the work order: ");
        return FALSE;
    }
    *order = (WorkOrder){
        .run = g_strdup(run),
        .worker = g_strdup(worker),
        .store_identity = g_strdup(store),
        .meter = g_strdup(json_text(object, "meter")),
        .settings = g_strdup(settings),
        .dimensions = (int) json_integer_value(json_object_get(object, "dimensions")),
        .marked_ms = json_integer_value(json_object_get(object, "marked")),
        .bot = g_steal_pointer(&bot),
    };
    return TRUE;
}
