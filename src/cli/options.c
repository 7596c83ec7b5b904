#include "cli/options.h"

#include "base/error.h"
#include "base/secret.h"

#include <string.h>
#include <sys/stat.h>

#define CONFIG_FILE "vecferry.conf"

/* clang-format off */
#define SEEN_STORE_SETTINGS                                                                        \
    SETTING_NEW_STORE, SETTING_TABLE, SETTING_BOT_COLUMN, SETTING_SOURCE_COLUMN,                   \
    SETTING_TEXT_COLUMN, SETTING_VECTOR_COLUMN
#define STORE_SETTINGS SEEN_STORE_SETTINGS, SETTING_ID_COLUMN, SETTING_DISTANCE
#define EMBEDDER_SETTINGS                                                                          \
    SETTING_EMBEDDER, SETTING_ENDPOINT, SETTING_MODEL, SETTING_DIMENSIONS, SETTING_API_KEY_FILE,   \
    SETTING_DOCUMENT_PREFIX, SETTING_QUERY_PREFIX, SETTING_CA_FILE
#define BOT_SETTINGS SETTING_BOT, SETTING_USER, SETTING_EXCLUDE
/* clang-format on */

const Setting SETTINGS_OF_A_RUN[] = {
    SETTING_CATALOGUE,
    SETTING_DOCUMENTS,
    BOT_SETTINGS,
    SETTING_ONLY_FAILED,
    STORE_SETTINGS,
    SETTING_INDEX,
    EMBEDDER_SETTINGS,
    SETTING_MAX_TEXTS,
    SETTING_MAX_CHARACTERS,
    SETTING_PRICE,
    SETTING_CHARACTERS_PER_TOKEN,
    SETTING_CALL_SECONDS,
    SETTING_OVERLAP_GROWTH,
    SETTING_TEXT_CHARACTERS,
    SETTING_HTML_CHARACTERS,
    SETTING_PDF_CHARACTERS,
    SETTING_DOCX_CHARACTERS,
    SETTING_SPLITTER,
    SETTING_WORKERS,
    SETTING_CALLS,
    SETTING_REQUESTS_PER_MINUTE,
    SETTING_TOKENS_PER_MINUTE,
    SETTING_MAX_USD,
    SETTING_TIME_LIMIT,
    SETTING_ATTEMPTS,
    SETTING_ALLOW_PARTIAL,
    SETTING_BUCKET,
    SETTING_ALLOW_PRIVATE,
    SETTING_CHECK_URLS,
    SETTING_MAX_DOCUMENT_BYTES,
    SETTING_DOCUMENT_TIMEOUT,
    SETTING_SANDBOX,
    SETTING_MAX_TEXT_BYTES,
    SETTING_EXTRACT_TIMEOUT,
    SETTING_STATE,
    SETTING_COUNT,
};

const Setting SETTINGS_OF_A_STORE[] = {SETTING_NEW_STORE, SETTING_COUNT};

const Setting SETTINGS_OF_VERIFY[] = {
    SETTING_CATALOGUE, SETTING_DOCUMENTS,   SETTING_BUCKET,
    BOT_SETTINGS,      SEEN_STORE_SETTINGS, SETTING_COUNT,
};

const Setting SETTINGS_OF_ASK[] = {
    SEEN_STORE_SETTINGS, SETTING_DISTANCE, EMBEDDER_SETTINGS, SETTING_COUNT};

const Setting SETTINGS_OF_STATE[] = {SETTING_STATE, SETTING_COUNT};

/* What the callbacks of one parse share. */
typedef struct
{
    Settings *settings;
    GPtrArray *texts; /* help texts that must live as long as the parse */
} Parse;

static bool
find_option(const char *name, Setting *found)
{
    for (int i = 0; i < SETTING_COUNT; i++)
    {
        if (strcmp(setting_info((Setting) i)->option, name) != 0)
            continue;
        *found = (Setting) i;
        return true;
    }
    return false;
}

static gboolean
take_option(const char *option, const char *value, void *data, GError **error)
{
    const Parse *parse = data;
    Setting setting = SETTING_COUNT;

    if (!find_option(option + strlen("--"), &setting))
        g_assert_not_reached();
    return settings_set(parse->settings, setting, value == NULL ? "yes" : value, option, error);
}

/* A switch that is off by default is turned on by its name alone. */
static bool
takes_no_value(const SettingInfo *info)
{
    return info->kind == SETTING_KIND_SWITCH && info->argument == NULL;
}

static GOptionEntry
entry_of_setting(const SettingInfo *info, GPtrArray *texts)
{
    const bool show_default =
        info->fallback != NULL && *info->fallback != '\0' && !takes_no_value(info);
    char *help = show_default ? g_strdup_printf("%s (default: %s)", info->help, info->fallback)
                              : g_strdup(info->help);

    g_ptr_array_add(texts, help);
    return (GOptionEntry){
        .long_name = info->option,
        .flags = takes_no_value(info) ? G_OPTION_FLAG_NO_ARG : G_OPTION_FLAG_NONE,
        .arg = G_OPTION_ARG_CALLBACK,
        .arg_data = (void *) take_option,
        .description = help,
        .arg_description = info->argument,
    };
}

static void
add_settings(GOptionGroup *group, const Setting *settings, GPtrArray *texts)
{
    for (; settings != NULL && *settings != SETTING_COUNT; settings++)
    {
        const GOptionEntry entries[] = {
            entry_of_setting(setting_info(*settings), texts), {.long_name = NULL}};
        g_option_group_add_entries(group, entries);
    }
}

/* A file with a password is for its owner's eyes only, as ~/.pgpass is for libpq. */
static bool
check_privacy(const Settings *settings, const char *path, GError **error)
{
    g_autofree char *url = g_strdup(settings_text(settings, SETTING_NEW_STORE));
    struct stat facts;

    if (url == NULL || !secret_hide_password(url) || stat(path, &facts) != 0 ||
        (facts.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" holds a password, and others may read it", path);
    vf_error_hint(error, "chmod 600 %s", path);
    return false;
}

static bool
load_config(Settings *settings, const char *config, GError **error)
{
    const char *path = config != NULL ? config : CONFIG_FILE;

    if (config == NULL && !g_file_test(CONFIG_FILE, G_FILE_TEST_EXISTS))
        return true;
    const bool from_option = settings_given(settings, SETTING_NEW_STORE);
    return settings_load(settings, path, error) &&
           (from_option || check_privacy(settings, path, error));
}

static bool
parse_arguments(
    const OptionsInfo *info, Parse *parse, char ***arguments, char **config, GError **error)
{
    const GOptionEntry common[] = {
        {.long_name = "config",
         .short_name = 'c',
         .arg = G_OPTION_ARG_FILENAME,
         .arg_data = config,
         .description = "the settings (default: " CONFIG_FILE " in the current folder)",
         .arg_description = "FILE"},
        {.long_name = NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(info->usage);
    GOptionGroup *group = g_option_group_new("main", "", "", parse, NULL);

    if (info->settings != NULL)
    {
        add_settings(group, info->settings, parse->texts);
        g_option_group_add_entries(group, common);
    }
    if (info->own != NULL)
        g_option_group_add_entries(group, info->own);
    g_option_context_set_summary(context, info->summary);
    g_option_context_set_description(context, info->description);
    g_option_context_set_main_group(context, group);
    return g_option_context_parse_strv(context, arguments, error);
}

static bool
take_rest(char **arguments, char ***rest, GError **error)
{
    if (rest != NULL)
    {
        *rest = g_strdupv(arguments + 1);
        return true;
    }
    if (arguments[1] == NULL)
        return true;
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is not expected here", arguments[1]);
    return false;
}

Settings *
options_parse(const Invocation *invocation, const OptionsInfo *info, char ***rest, GError **error)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *config = NULL;
    g_auto(GStrv) arguments = g_strdupv(invocation->arguments);
    Parse parse = {settings, texts};

    if (!parse_arguments(info, &parse, &arguments, &config, error))
    {
        vf_error_hint(error, "`vecferry %s --help` lists the options", invocation->arguments[0]);
        return NULL;
    }
    if (!take_rest(arguments, rest, error) ||
        (info->settings != NULL && !load_config(settings, config, error)))
        return NULL;
    return g_steal_pointer(&settings);
}
