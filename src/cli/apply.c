/*
 * apply.c - `vecferry apply`
 */
#include "flow/apply.h"

#include "base/error.h"
#include "cli/options.h"
#include "cli/show_plan.h"
#include "cli/show_run.h"
#include "cli/text.h"
#include "flow/make_plan.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_EVERY_US (2 * G_USEC_PER_SEC)

typedef struct
{
    bool dry_run;
    bool asked_nobody; /* there was no terminal to ask at */
    gint64 shown_us;
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

    show_plan(plan);
    fflush(stdout);
    if (talk->dry_run)
        return false;
    talk->asked_nobody = !isatty(STDIN_FILENO);
    return !talk->asked_nobody && ask_on_terminal();
}

static void
show_progress(void *data, const RunProgress *run)
{
    Talk *talk = data;
    const gint64 now = g_get_monotonic_time();

    if (now - talk->shown_us < LINE_EVERY_US)
        return;
    talk->shown_us = now;
    gint64 chunks = 0;
    for (guint i = 0; i < run->bots->len; i++)
        chunks += ((const BotProgress *) run->bots->pdata[i])->chunks;
    g_autofree char *count = text_count((double) chunks);
    fprintf(
        stderr, "%u of %u bots done, %u failed or skipped, %s chunks\n",
        run_progress_count(run, BOT_SUCCEEDED), run->bots->len,
        run_progress_count(run, BOT_FAILED) + run_progress_count(run, BOT_SKIPPED), count);
}

static void
show_note(void *data, const char *text)
{
    (void) data;
    g_autofree char *safe = text_safe(text);
    fprintf(stderr, "note: %s\n", safe);
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

bool
command_apply(const Invocation *invocation, ExitStatus *status, GError **error)
{
    gboolean yes = FALSE;
    gboolean dry_run = FALSE;
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
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .usage = "[PLAN]",
        .summary = "Carries out a plan: the one in the file PLAN, or one made now.  Asks once.  "
                   "Interrupted in any\nway, the same command resumes.  Exit status 4 when some "
                   "bots failed or were skipped.",
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
    g_autoptr(Plan) agreed = rest[0] == NULL ? NULL : flow_load_plan(rest[0], error);
    if (rest[0] != NULL && agreed == NULL)
        return false;

    Talk talk = {.dry_run = dry_run};
    const ApplyOptions options = {.agreed = agreed, .assume_yes = yes, .dry_run = dry_run};
    const ApplyListener listener = {confirm, show_progress, show_note, &talk};
    g_autoptr(GError) problem = NULL;
    g_autoptr(RunProgress) run =
        flow_apply(settings, &options, &listener, invocation->cancel, &problem);
    if (run == NULL && problem == NULL)
        return explain_nothing(&talk, status, error);
    if (run == NULL)
    {
        if (g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
            vf_error_hint(&problem, "nothing is lost: the same command goes on from here");
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    show_run(run);
    *status = run->state == RUN_DONE ? STATUS_DONE : STATUS_PARTIAL;
    return true;
}
