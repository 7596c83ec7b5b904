/*
 * apply.c - `vecferry apply`
 */
#include "flow/apply.h"

#include "base/error.h"
#include "cli/options.h"
#include "cli/run_status.h"
#include "cli/show_plan.h"
#include "cli/show_run.h"
#include "flow/make_plan.h"
#include "flow/status.h"
#include "progress/renderer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
    bool dry_run;
    bool asked_nobody; /* there was no terminal to ask at */
    FILE *plan_goes_to;
    Renderer *renderer; /* NULL until there is progress */
    GError *stop;       /* NULL: all bots had their turn */
} Talk;

static bool
ask_on_terminal(void)
{
    char answer[16] = "";

    fputs("Carry out this plan? [y/N] ", stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    return answer[0] == 'y' || answer[0] == 'Y';
}

static bool
confirm(void *data, const Plan *plan)
{
    Talk *talk = data;

    show_plan(plan, talk->plan_goes_to);
    fflush(talk->plan_goes_to);
    if (talk->dry_run)
        return false;
    talk->asked_nobody = !isatty(STDIN_FILENO);
    return !talk->asked_nobody && ask_on_terminal();
}

/* Made when there is something to show: until then the terminal belongs to the question. */
static Renderer *
renderer_of(Talk *talk)
{
    if (talk->renderer == NULL)
        talk->renderer = renderer_new(STDERR_FILENO);
    return talk->renderer;
}

static void
show_progress(void *data, const RunProgress *run)
{
    Renderer *renderer = renderer_of(data);
    renderer->show(renderer, run);
}

static void
show_note(void *data, const char *text)
{
    Renderer *renderer = renderer_of(data);
    renderer->note(renderer, text);
}

static void
keep_stop(void *data, const GError *why)
{
    Talk *talk = data;
    talk->stop = g_error_copy(why);
}

/* Nothing was done and nothing went wrong: say why. */
static bool
explain_nothing(const Talk *talk, ExitStatus *status, GError **error)
{
    if (talk->dry_run)
    {
        fputs("This was a dry run; nothing was changed.\n", stderr);
        return true;
    }
    if (talk->asked_nobody)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "there is no terminal to ask for agreement at");
        vf_error_hint(error, "--yes agrees");
        return false;
    }
    fputs("Nothing was changed.\n", stderr);
    *status = STATUS_FAILED;
    return true;
}

/* As JSON it is what the ledger says, as `status --json` prints it. */
static bool
show_result(const Settings *settings, const RunProgress *run, bool as_json, GError **error)
{
    if (!as_json)
    {
        show_run(run);
        return true;
    }
    g_autoptr(RunProgress) written = flow_status(settings, run->id, error);
    if (written != NULL)
        print_run_json(written);
    return written != NULL;
}

bool
command_apply(const Invocation *invocation, ExitStatus *status, GError **error)
{
    gboolean yes = FALSE;
    gboolean dry_run = FALSE;
    gboolean as_json = FALSE;
    const GOptionEntry own[] = {
        {.long_name = "yes",
         .short_name = 'y',
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &yes,
         .description = "agree to the plan without being asked"},
        {.long_name = "dry-run",
         .short_name = 'n',
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &dry_run,
         .description = "show the plan and change nothing"},
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &as_json,
         .description = "print the run as one JSON object at its end; the plan goes to stderr"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .usage = "[PLAN]",
        .summary = "Carries out a plan: the one in the file PLAN, or one made now.  Asks once.  "
                   "Interrupted in any\nway, the same command resumes.  Exit status 4 when some "
                   "bots failed or were skipped,\n1 when the run was stopped before any succeeded.",
        .settings = SETTINGS_OF_A_RUN,
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
    if (as_json && dry_run)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "--json tells of a run, --dry-run makes none");
        vf_error_hint(error, "`vecferry plan --json` prints the plan");
        return false;
    }
    g_autoptr(Plan) agreed = rest[0] == NULL ? NULL : flow_load_plan(rest[0], error);
    if (rest[0] != NULL && agreed == NULL)
        return false;

    Talk talk = {.dry_run = dry_run, .plan_goes_to = as_json ? stderr : stdout};
    const ApplyOptions options = {.agreed = agreed, .assume_yes = yes, .dry_run = dry_run};
    const ApplyListener listener = {confirm, show_progress, show_note, keep_stop, &talk};
    g_autoptr(GError) problem = NULL;
    g_autoptr(RunProgress) run =
        flow_apply(settings, &options, &listener, invocation->cancel, &problem);
    renderer_end(talk.renderer);
    if (run == NULL && problem == NULL)
        return cancel_check(invocation->cancel, error) && explain_nothing(&talk, status, error);
    if (run == NULL)
    {
        if (g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
            vf_error_hint(&problem, "nothing is lost: the same command goes on from here");
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    *status = status_of_run(run);
    if (!show_result(settings, run, as_json, error))
    {
        g_clear_error(&talk.stop);
        return false;
    }
    if (talk.stop != NULL)
        g_propagate_error(error, talk.stop);
    return true;
}
