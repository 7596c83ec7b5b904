/*
 * store.c - `vecferry store create`
 */
#include "base/error.h"
#include "cli/notes.h"
#include "cli/options.h"
#include "flow/create_store.h"

#include <stdio.h>
#include <string.h>

bool
command_store(const Invocation *invocation, ExitStatus *status, GError **error)
{
    int dimensions = 1024;
    gboolean dry_run = FALSE;
    const GOptionEntry own[] = {
        {.long_name = "vector-dimensions",
         .arg = G_OPTION_ARG_INT,
         .arg_data = &dimensions,
         .description = "of the vector column (default: 1024, as the guide)",
         .arg_description = "N"},
        {.long_name = "dry-run",
         .short_name = 'n',
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &dry_run,
         .description = "say what would be made and make nothing"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .usage = "create",
        .summary = "Makes the guide's schema in a store that has none: extensions, the table "
                   "items and its index\nby bot.  The vector index is built by `vecferry apply`, "
                   "after the rows.",
        .settings = SETTINGS_OF_A_STORE,
        .own = own,
    };
    g_auto(GStrv) rest = NULL;
    g_autoptr(Settings) settings = options_parse(invocation, &info, &rest, error);
    if (settings == NULL)
        return false;
    if (g_strv_length(rest) != 1 || strcmp(rest[0], "create") != 0)
    {
        const char *word = rest[0] == NULL ? NULL : rest[g_str_equal(rest[0], "create") ? 1 : 0];
        if (word == NULL)
            g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "what to do with the store is missing");
        else
            g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is not expected here", word);
        vf_error_hint(error, "`vecferry store create` makes the guide's schema");
        return false;
    }
    g_autofree char *made = flow_create_store(
        settings, dimensions, dry_run, &NOTES_TO_STDERR, invocation->cancel, error);
    if (made == NULL)
        return false;
    printf(
        "%s the table items (vectors of %d dimensions) in %s\n", dry_run ? "Would make" : "Made",
        dimensions, made);
    *status = STATUS_DONE;
    return true;
}
