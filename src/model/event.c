#include "model/event.h"

#include "base/error.h"
#include "base/json.h"

#include <stdlib.h>

static const char *const NAMES[] = {
    [EVENT_STARTED] = "started",
    [EVENT_SOURCE] = "source",
    [EVENT_SOURCE_FAILED] = "source-failed",
    [EVENT_PROGRESS] = "progress",
    [EVENT_THROTTLED] = "throttled",
    [EVENT_WAITING] = "waiting",
    [EVENT_FINAL] = "final",
    [EVENT_OTHER] = "other",
};

void
work_event_clear(WorkEvent *event)
{
    g_free(event->worker);
    g_free(event->source);
    g_free(event->code);
    g_free(event->reason);
    *event = (WorkEvent){0};
}

/* Reasons may be a server's or the system's own words, in whatever encoding. */
static void
put_text(Json *object, const char *key, const char *text)
{
    if (text == NULL)
        return;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    json_object_set_new(object, key, json_string(valid));
}

char *
work_event_to_line(const WorkEvent *event)
{
    g_autoptr(Json) object = json_object();

    put_text(object, "event", NAMES[event->kind]);
    if (event->kind == EVENT_FINAL)
        put_text(object, "state", event->succeeded ? "succeeded" : "failed");
    put_text(object, "worker", event->worker);
    put_text(object, "source", event->source);
    put_text(object, "code", event->code);
    put_text(object, "reason", event->reason);
    if (event->kind == EVENT_THROTTLED)
        json_object_set_new(object, "wait_ms", json_integer(event->wait_ms));
    if (event->kind == EVENT_SOURCE || event->kind == EVENT_PROGRESS || event->kind == EVENT_FINAL)
        json_object_set_new(object, "chunks", json_integer(event->chunks));
    if (event->kind == EVENT_PROGRESS || event->kind == EVENT_FINAL)
    {
        json_object_set_new(object, "reused", json_integer(event->reused));
        json_object_set_new(object, "tokens", json_integer(event->tokens));
    }

    char *text = json_dumps(object, JSON_COMPACT);
    char *line = g_strdup(text);
    free(text);
    return line;
}

static EventKind
kind_from_name(const char *name)
{
    for (int kind = 0; kind < EVENT_OTHER; kind++)
        if (g_strcmp0(NAMES[kind], name) == 0)
            return (EventKind) kind;
    return EVENT_OTHER;
}

static gint64
number(const Json *object, const char *key)
{
    return MAX(json_integer_value(json_object_get(object, key)), 0);
}

bool
work_event_from_line(const char *line, WorkEvent *event, GError **error)
{
    json_error_t problem;
    g_autoptr(Json) object = json_loads(line, JSON_REJECT_DUPLICATES, &problem);

    if (!json_is_object(object) || json_text(object, "event") == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT,
            "the worker said something else than an event: %.200s", line);
        return false;
    }
    *event = (WorkEvent){
        .kind = kind_from_name(json_text(object, "event")),
        .succeeded = g_strcmp0(json_text(object, "state"), "succeeded") == 0,
        .worker = g_strdup(json_text(object, "worker")),
        .source = g_strdup(json_text(object, "source")),
        .code = g_strdup(json_text(object, "code")),
        .reason = g_strdup(json_text(object, "reason")),
        .chunks = number(object, "chunks"),
        .reused = number(object, "reused"),
        .tokens = number(object, "tokens"),
        .wait_ms = number(object, "wait_ms"),
    };
    return true;
}
