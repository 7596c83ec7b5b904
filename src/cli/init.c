/*
 * init.c - `vecferry init`
 */
#include "flow/init.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/options.h"

#include <stdio.h>

static void
show(const Init *init, const char *path)
{
    for (guint i = 0; i < init->notes->len; i++)
    {
        g_autofree char *line = text_safe(init->notes->pdata[i]);
        fprintf(stderr, "note: %s\n", line);
    }
    g_autofree char *stack = text_safe(init->stack);
    g_autofree char *name = text_safe(path);
    printf(
        "Bedrock Chat %s, stack %s in region %s\nWrote %s; `vecferry plan` shows what would be "
        "done.\n",
        init->version, stack, init->region, name);
}

bool
command_init(const Invocation *invocation, ExitStatus *status, GError **error)
{
    g_autofree char *stack = NULL;
    g_autofree char *output = NULL;
    gboolean force = FALSE;
    const GOptionEntry own[] = {
        {.long_name = "stack",
         .arg = G_OPTION_ARG_STRING,
         .arg_data = &stack,
         .description = "the application's stack in CloudFormation, usually BedrockChatStack",
         .arg_description = "NAME"},
        {.long_name = "output",
         .short_name = 'o',
         .arg = G_OPTION_ARG_FILENAME,
         .arg_data = &output,
         .description = "the file to write (default: vecferry.conf)",
         .arg_description = "FILE"},
        {.long_name = "force",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &force,
         .description = "replace a file that is there"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .summary = "Reads the outputs of a stack of Bedrock Chat and writes vecferry.conf.  What "
                   "is given by\nhand is not looked for.  Changes nothing else.",
        .settings = SETTINGS_OF_INIT,
        .own = own,
        .reads_no_file = true,
    };
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);
    if (settings == NULL)
        return false;
    if (stack == NULL || *stack == '\0')
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE, "--stack is missing: the application's stack");
        vf_error_hint(error, "its usual name is BedrockChatStack");
        return false;
    }
    const InitOptions options = {stack, output != NULL ? output : "vecferry.conf", force};
    g_autoptr(Init) init = flow_init(settings, &options, invocation->cancel, error);
    if (init == NULL)
        return false;
    show(init, options.path);
    *status = STATUS_DONE;
    return true;
}
