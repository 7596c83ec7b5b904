#include "flow/status.h"

#include "base/error.h"
#include "state/ledger.h"

#include <string.h>

#define LOOK_EVERY_MS 500

/* The latest run that was begun. */
static char *
latest_run(const char *folder, GError **error)
{
    g_auto(GStrv) runs = ledger_runs(folder);

    for (size_t i = 0; runs[i] != NULL; i++)
    {
        g_autoptr(GError) problem = NULL;
        g_autoptr(RunProgress) run = ledger_read(folder, runs[i], &problem);
        if (!g_error_matches(problem, VF_ERROR, VF_ERROR_USAGE))
            return g_strdup(runs[i]);
    }
    g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "there is no run in %s", folder);
    vf_error_hint(
        error, "`vecferry apply` begins one; --state names the folder in which it keeps its runs");
    return NULL;
}

/* A run's name is that of a file in the folder, and nowhere else. */
static char *
named_run(const char *folder, const char *name, GError **error)
{
    if (*name != '\0' && strchr(name, '/') == NULL)
        return g_strdup(name);
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "there is no run \"%s\" in %s", name, folder);
    vf_error_hint(error, "`vecferry status` without a name shows the latest");
    return NULL;
}

static char *
chosen_run(const char *folder, const char *name, GError **error)
{
    return name == NULL ? latest_run(folder, error) : named_run(folder, name, error);
}

RunProgress *
flow_status(const Settings *settings, const char *name, GError **error)
{
    g_autofree char *folder = ledger_folder(settings_text(settings, SETTING_STATE));
    g_autofree char *run = chosen_run(folder, name, error);

    return run == NULL ? NULL : ledger_read(folder, run, error);
}

RunProgress *
flow_watch(
    const Settings *settings, const char *name, const WatchListener *listener, Cancel *cancel,
    GError **error)
{
    g_autofree char *folder = ledger_folder(settings_text(settings, SETTING_STATE));
    g_autofree char *run = chosen_run(folder, name, error);

    while (run != NULL)
    {
        g_autoptr(RunProgress) progress = ledger_read(folder, run, error);
        if (progress == NULL)
            return NULL;
        listener->show(listener->data, progress);
        if (progress->state != RUN_RUNNING)
            return g_steal_pointer(&progress);
        if (!cancel_sleep(cancel, LOOK_EVERY_MS) && !cancel_check(cancel, error))
            return NULL;
    }
    return NULL;
}
