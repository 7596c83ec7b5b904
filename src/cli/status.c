/*
 * status.c - `vecferry status`
 */
#include "flow/status.h"

#include "base/error.h"
#include "cli/options.h"
#include "cli/run_status.h"
#include "cli/show_run.h"
#include "progress/renderer.h"

#include <stdio.h>
#include <unistd.h>

static void
show_progress(void *data, const RunProgress *run)
{
    Renderer *renderer = data;
    renderer->show(renderer, run);
}

static RunProgress *
watch(const Settings *settings, const char *name, Cancel *cancel, GError **error)
{
    Renderer *renderer = renderer_new(STDERR_FILENO);
    const WatchListener listener = {show_progress, renderer};
    g_autoptr(GError) problem = NULL;
    g_autoptr(RunProgress) run = flow_watch(settings, name, &listener, cancel, &problem);

    renderer_end(renderer);
    if (run != NULL)
        return g_steal_pointer(&run);
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
        vf_error_hint(&problem, "only the watching ended; the run goes on");
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

bool
command_status(const Invocation *invocation, ExitStatus *status, GError **error)
{
    gboolean as_json = FALSE;
    gboolean watched = FALSE;
    const GOptionEntry own[] = {
        {.long_name = "watch",
         .short_name = 'w',
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &watched,
         .description = "follow the run until it ends, or until Ctrl-C"},
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &as_json,
         .description = "print the run as one JSON object"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .usage = "[RUN]",
        .summary =
            "Shows where a run stands, the latest one unless RUN names another: every bot with\n"
            "state, evidence, attempts, chunks, tokens, cost, rate and time left, and the run in "
            "all.",
        .description =
            "The exit status is 0 whatever the state of the run.  With --watch it is that of the\n"
            "run, as apply gave it, and 1 when the run was interrupted; 130 when Ctrl-C ended the\n"
            "watching, which does not touch the run.",
        .settings = SETTINGS_OF_STATE,
        .own = own,
    };
    g_auto(GStrv) rest = NULL;
    g_autoptr(Settings) settings = options_parse(invocation, &info, &rest, error);
    if (settings == NULL)
        return false;
    if (g_strv_length(rest) > 1)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is not expected here", rest[1]);
        return false;
    }
    g_autoptr(RunProgress) run = watched ? watch(settings, rest[0], invocation->cancel, error)
                                         : flow_status(settings, rest[0], error);
    if (run == NULL)
        return false;
    if (as_json)
        print_run_json(run);
    else
        show_status(run);
    *status = watched ? status_of_run(run) : STATUS_DONE;
    return true;
}
