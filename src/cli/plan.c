/*
 * plan.c - `vecferry plan`
 */
#include "base/error.h"
#include "base/json.h"
#include "cli/notes.h"
#include "cli/options.h"
#include "cli/plan_file.h"
#include "cli/show_plan.h"
#include "flow/make_plan.h"
#include "model/plan_json.h"

#include <stdio.h>

bool
command_plan(const Invocation *invocation, ExitStatus *status, GError **error)
{
    gboolean as_json = FALSE;
    g_autofree char *output = NULL;
    const GOptionEntry own[] = {
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &as_json,
         .description = "print the plan as one JSON object"},
        {.long_name = "output",
         .short_name = 'o',
         .arg = G_OPTION_ARG_FILENAME,
         .arg_data = &output,
         .description = "keep the plan, for `vecferry apply FILE`",
         .arg_description = "FILE"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .summary = "Compares what should be with what the new store holds, and shows for every "
                   "bot what would\nbe done, why, how long it takes and what it costs.  Changes "
                   "nothing.",
        .settings = SETTINGS_OF_A_RUN,
        .own = own,
    };
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);
    if (settings == NULL)
        return false;
    g_autoptr(Plan) plan =
        flow_make_plan(settings, NULL, &NOTES_TO_STDERR, invocation->cancel, error);
    if (plan == NULL)
        return false;

    g_autoptr(Json) json = plan_to_json(plan);
    if (output != NULL && !plan_file_write(json, output, error))
        return false;
    if (as_json)
    {
        json_dumpf(json, stdout, JSON_INDENT(2));
        puts("");
    }
    else
        show_plan(plan, stdout);
    if (plan->bots->len == 0 && settings_switch(settings, SETTING_ONLY_FAILED))
        fputs("No bot is left that did not succeed (--only-failed).\n", stderr);
    *status = STATUS_DONE;
    return true;
}
