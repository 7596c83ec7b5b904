/*
 * event.h - what a worker says while it embeds a bot: one JSON object a line.
 *
 *   {"event":"started","worker":…}
 *   {"event":"source","source":…,"chunks":n}
 *   {"event":"source-failed","source":…,"code":…,"reason":…}
 *   {"event":"progress","chunks":n,"reused":n,"tokens":n}
 *   {"event":"throttled","wait_ms":n}
 *   {"event":"waiting","reason":…}
 *   {"event":"final","state":"succeeded"|"failed","code":…,"reason":…,"chunks":n,"reused":n,
 *    "tokens":n}
 *
 * Other members and other events are passed over, so that a newer worker can say more.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum
{
    EVENT_STARTED,
    EVENT_SOURCE,
    EVENT_SOURCE_FAILED,
    EVENT_PROGRESS,
    EVENT_THROTTLED,
    EVENT_WAITING,
    EVENT_FINAL,
    EVENT_OTHER, /* something this version does not know */
} EventKind;

typedef struct
{
    EventKind kind;
    bool succeeded; /* of the final event */
    char *worker;
    char *source;
    char *code; /* vf_error_name() */
    char *reason;
    gint64 chunks;
    gint64 reused;
    gint64 tokens;
    gint64 wait_ms; /* nobody calls the provider for so long */
} WorkEvent;

void work_event_clear(WorkEvent *event);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(WorkEvent, work_event_clear)

/* Hears what the worker has to say; called from one thread at a time. */
typedef struct
{
    void (*say)(void *data, const WorkEvent *event);
    void *data;
} WorkListener;

/* One line without its end.  Yours. */
char *work_event_to_line(const WorkEvent *event);

/* VF_ERROR_BAD_INPUT when the line is no event at all. */
bool work_event_from_line(const char *line, WorkEvent *event, GError **error);
