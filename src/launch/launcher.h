/*
 * launcher.h - who embeds a bot: a process on this machine, later an ECS task.
 *
 * A launcher starts workers and hears what they say.  It belongs to one thread.
 */
#pragma once

#include "base/cancel.h"
#include "base/intent.h"
#include "model/event.h"
#include "model/work_order.h"

typedef enum
{
    LAUNCHER_SAID,  /* a worker said `event` */
    LAUNCHER_ENDED, /* a worker is gone; `how` says how, NULL when it ended well */
    LAUNCHER_QUIET, /* nothing happened in the given time */
} LauncherNews;

typedef struct
{
    LauncherNews news;
    gint64 intent; /* whose */
    WorkEvent event;
    char *how; /* "killed by signal 9", "exit status 1: last words on stderr" */
} LauncherReport;

void launcher_report_clear(LauncherReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(LauncherReport, launcher_report_clear)

typedef struct Launcher Launcher;
struct Launcher
{
    /* Starts a worker; `task` gets a name for people, yours.  Takes an intent: what is started
     * was written down. */
    bool (*launch)(
        Launcher *self, const Intent *intent, const WorkOrder *order, char **task, GError **error);

    /* Waits for the next news, at most so long, or until the stop is asked for (then quiet). */
    bool (*next)(
        Launcher *self, Cancel *cancel, int timeout_ms, LauncherReport *report, GError **error);

    /* Asks a worker to keep what it has paid for and to end. */
    void (*ask_to_stop)(Launcher *self, gint64 intent);

    /* Ends a worker at once; LAUNCHER_ENDED follows. */
    void (*stop)(Launcher *self, gint64 intent);

    void (*free)(Launcher *self); /* ends what still runs */
};

void launcher_free(Launcher *launcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Launcher, launcher_free)

/* Workers as child processes: `PROGRAM embed --order-fd N`.  They die with this process. */
Launcher *local_launcher_new(const char *program);
