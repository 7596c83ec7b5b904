#include "cli/verify_stores.h"

#include "base/error.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/show_comparison.h"
#include "flow/verify_stores.h"
#include "model/comparison_json.h"
#include "progress/comparison_renderer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USUAL_DIFFERENCES 20
#define MOST_DIFFERENCES 100000

bool
asks_for_stores(char *const *arguments)
{
    for (char *const *at = arguments; *at != NULL; at++)
    {
        const bool names_side = strcmp(*at, "--source") == 0 || strcmp(*at, "--target") == 0 ||
                                g_str_has_prefix(*at, "--source=") ||
                                g_str_has_prefix(*at, "--target=");
        const bool is_level = strcmp(*at, "--level=rows") == 0 ||
                              (strcmp(*at, "--level") == 0 && g_strcmp0(at[1], "rows") == 0);
        if (names_side || is_level)
            return true;
    }
    return false;
}

static bool
check_level(const char *level, GError **error)
{
    if (level == NULL || strcmp(level, "rows") == 0 || strcmp(level, "counts") == 0)
        return true;
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "there is no level \"%s\"", level);
    vf_error_hint(error, "the levels are \"counts\" and \"rows\"");
    return false;
}

static bool
check_numbers(int most, double throttle, GError **error)
{
    if (most < 0 || most > MOST_DIFFERENCES)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "--max-differences should be 0 to %d",
            MOST_DIFFERENCES);
    else if (!(throttle >= 0 && throttle < 1e9))
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "--throttle should be megabytes per second, or 0");
    else
        return true;
    return false;
}

static void
show_progress(void *data, const Comparison *comparison)
{
    comparison_renderer_show(data, comparison);
}

static void
show_note(void *data, const char *text)
{
    comparison_renderer_note(data, text);
}

static Comparison *
compare_with_progress(
    const Invocation *invocation, const Settings *settings, const VerifyStoresOptions *options,
    GError **error)
{
    ComparisonRenderer *renderer = comparison_renderer_new(STDERR_FILENO);
    const VerifyListener listener = {show_progress, show_note, renderer};
    Comparison *comparison =
        flow_verify_stores(settings, options, &listener, invocation->cancel, error);

    comparison_renderer_end(renderer);
    return comparison;
}

static void
print(const Comparison *comparison, bool as_json, bool all)
{
    if (!as_json)
    {
        show_comparison(comparison, all);
        return;
    }
    g_autoptr(Json) json = comparison_to_json(comparison);
    json_dumpf(json, stdout, JSON_INDENT(2));
    puts("");
}

static ExitStatus
status_of(const Comparison *comparison, GError **error)
{
    const guint unproven = comparison_count_unproven(comparison);

    if (comparison_count_different(comparison) > 0)
        return STATUS_DIFFERENT;
    if (unproven == 0)
        return STATUS_DONE;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "%u of %u tables could not be compared", unproven,
        comparison->tables->len);
    return STATUS_FAILED;
}

bool
command_verify_stores(const Invocation *invocation, ExitStatus *status, GError **error)
{
    gboolean as_json = FALSE;
    gboolean all = FALSE;
    int most = USUAL_DIFFERENCES;
    double throttle = 0;
    g_autofree char *level = NULL;
    g_auto(GStrv) tables = NULL;
    g_auto(GStrv) schemas = NULL;
    g_auto(GStrv) excluded = NULL;
    const GOptionEntry own[] = {
        {.long_name = "level",
         .arg = G_OPTION_ARG_STRING,
         .arg_data = &level,
         .description = "how much is compared: the rows, or only their counts (default: rows)",
         .arg_description = "counts|rows"},
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
        {.long_name = "max-differences",
         .arg = G_OPTION_ARG_INT,
         .arg_data = &most,
         .description = "rows that are named of each table (default: 20)",
         .arg_description = "N"},
        {.long_name = "throttle",
         .arg = G_OPTION_ARG_DOUBLE,
         .arg_data = &throttle,
         .description = "read no more of each side in a second (default: 0, no limit)",
         .arg_description = "MB"},
        {.long_name = "all",
         .short_name = 'a',
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &all,
         .description = "show tables that are equal, too"},
        {.long_name = "json",
         .arg = G_OPTION_ARG_NONE,
         .arg_data = &as_json,
         .description = "print everything as one JSON object"},
        {.long_name = NULL},
    };
    const OptionsInfo info = {
        .summary = "Compares the tables of two databases: every row by a hash of all its columns, "
                   "computed inside\nboth servers.  Where they differ, the rows are named: missing "
                   "in the target, extra, or changed,\nand in which columns.  Reads only.",
        .description = "Exit status 0 when all is equal, 3 when anything differs, 1 when a table "
                       "could not be compared.",
        .settings = SETTINGS_OF_COPY,
        .own = own,
    };
    g_autoptr(Settings) settings = options_parse(invocation, &info, NULL, error);
    if (settings == NULL || !check_level(level, error) || !check_numbers(most, throttle, error))
        return false;

    const VerifyStoresOptions options = {
        .rows = g_strcmp0(level, "counts") != 0,
        .tables = tables,
        .schemas = schemas,
        .excluded = excluded,
        .most_differences = (guint) most,
        .throttle = throttle * 1e6,
    };
    g_autoptr(Comparison) comparison = compare_with_progress(invocation, settings, &options, error);
    if (comparison == NULL)
        return false;
    print(comparison, as_json, all);
    *status = status_of(comparison, error);
    return true;
}
