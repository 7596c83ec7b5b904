/*
 * copy.c - `vecferry copy`
 */
#include "flow/copy.h"

#include "base/error.h"
#include "cli/options.h"
#include "cli/show_copy.h"
#include "progress/copy_renderer.h"

#include <stdio.h>
#include <unistd.h>

static void
show_progress(void *data, const CopyProgress *copy)
{
    copy_renderer_show(data, copy);
}

static void
show_note(void *data, const char *text)
{
    copy_renderer_note(data, text);
}

static CopyProgress *
copy_with_progress(
    const Invocation *invocation, const Settings *settings, const CopyOptions *options,
    GError **error)
{
    CopyRenderer *renderer = copy_renderer_new(STDERR_FILENO);
    const CopyListener listener = {show_progress, show_note, renderer};
    CopyProgress *copy = flow_copy(settings, options, &listener, invocation->cancel, error);

    copy_renderer_end(renderer);
    return copy;
}

bool
command_copy(const Invocation *invocation, ExitStatus *status, GError **error)
{
    gboolean as_json = FALSE;
    gboolean data_only = FALSE;
    gboolean replace = FALSE;
    gboolean append = FALSE;
    g_auto(GStrv) tables = NULL;
    g_auto(GStrv) schemas = NULL;
    g_auto(GStrv) excluded = NULL;
    const GOptionEntry own[] = {
        {.long_name = "table",
         .arg = G_OPTION_ARG_STRING_ARRAY,
         .arg_data = &tables,
         .description = "only tables of this name (a pattern, as of pg_dump); may be repeated",
         .arg_description = "[SCHEMA.]TABLE"},
        {.long_name = "schema",
         .arg = G_OPTION_ARG_STRING_ARRAY,
         .arg_data = &schemas,
         .description = "only tables of this schema (a pattern); may be repeated",
         .arg_description = "SCHEMA"},
        {.long_name = "exclude",
         .arg = G_OPTION_ARG_STRING_ARRAY,
         .arg_data = &excluded,
         .description = "not tables of this name (a pattern); may be repeated",
         .arg_description = "[SCHEMA.]TABLE"},
        {.long_name = "data-only",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &data_only,
         .description = "copy rows into tables that are there; no definitions, no indexes"},
        {.long_name = "replace",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &replace,
         .description =
             "empty tables of the target that hold other rows; copy a finished one again"},
        {.long_name = "append",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &append,
         .description = "leave other rows of the target where they are"},
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &as_json,
         .description = "print what was copied as one JSON object at the end"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .summary = "Copies whole tables from one PostgreSQL database to another with their "
                   "definitions, row for row, in\nparallel parts; then keys and indexes.\n"
                   "Interrupted in any way, the same command goes on, and ends "
                   "with every row exactly once.\nThe source is only read.",
        .settings = SETTINGS_OF_COPY,
        .own = own,
    };
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);
    if (settings == NULL)
        return false;
    if (replace && append)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "--replace and --append contradict each other");
        return false;
    }

    const CopyOptions options = {tables, schemas, excluded, replace, append, data_only};
    g_autoptr(GError) problem = NULL;
    g_autoptr(CopyProgress) copy = copy_with_progress(invocation, settings, &options, &problem);
    if (copy == NULL)
    {
        if (g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
            vf_error_hint(&problem, "nothing is lost: the same command goes on from here");
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (as_json)
        print_copy_json(copy);
    else
        show_copy(copy);
    *status = copy->problems->len == 0 ? STATUS_DONE : STATUS_PARTIAL;
    return true;
}
