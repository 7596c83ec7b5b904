/*
 * verify.c - `vecferry verify`
 */
#include "flow/verify.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/notes.h"
#include "cli/options.h"
#include "cli/show_verification.h"
#include "cli/verify_stores.h"
#include "model/verification_json.h"

#include <stdio.h>
#include <string.h>

static bool
check_level(const char *level, GError **error)
{
    if (level == NULL || strcmp(level, "counts") == 0)
        return true;
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "there is no level \"%s\"", level);
    vf_error_hint(
        error, "the level is \"counts\"; \"rows\" compares two databases, --source and --target");
    return false;
}

bool
command_verify(const Invocation *invocation, ExitStatus *status, GError **error)
{
    if (asks_for_stores(invocation->arguments))
        return command_verify_stores(invocation, status, error);

    gboolean as_json = FALSE;
    gboolean all = FALSE;
    g_autofree char *level = NULL;
    const GOptionEntry own[] = {
        {.long_name = "level",
         .arg = G_OPTION_ARG_STRING,
         .arg_data = &level,
         .description = "how much is compared; counts: rows by bot and source (default: counts)",
         .arg_description = "counts"},
        {.long_name = "all",
         .short_name = 'a',
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &all,
         .description = "show bots that are as they should be, and remarks, too"},
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &as_json,
         .description = "print everything as one JSON object"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .summary = "Compares the new store with what it should hold, bot by bot and source by "
                   "source: knowledge\nwithout rows, rows without a bot or of sources that it does "
                   "not name, rows that were loaded\ntwice, rows without text, vector or bot, "
                   "vectors of zeros, of other dimensions or lengths\nthan the rest, and rows that "
                   "are not as many as `vecferry apply` marked.  Without a catalogue\nonly what "
                   "the store tells of itself is checked.  Reads only.",
        .description = "Exit status 0 when all is as it should be, 3 when anything differs.\n\n"
                       "With --source and --target the tables of two databases are compared, row "
                       "by row:\n`vecferry verify --level rows --help` lists the options of that.",
        .settings = SETTINGS_OF_VERIFY,
        .own = own,
    };
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);
    if (settings == NULL || !check_level(level, error))
        return false;
    g_autoptr(Verification) verification =
        flow_verify(settings, &NOTES_TO_STDERR, invocation->cancel, error);
    if (verification == NULL)
        return false;

    if (as_json)
    {
        g_autoptr(Json) json = verification_to_json(verification);
        json_dumpf(json, stdout, JSON_INDENT(2));
        puts("");
    }
    else
        show_verification(verification, all);
    *status = verification->differences == 0 ? STATUS_DONE : STATUS_DIFFERENT;
    return true;
}
