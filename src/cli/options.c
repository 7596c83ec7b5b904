#include "cli/options.h"

#include "base/error.h"
#include "base/nearest.h"
#include "base/secret.h"

#include <string.h>
#include <sys/stat.h>

#define CONFIG_FILE "vecferry.conf"

/* clang-format off */
#define SEEN_STORE_SETTINGS                                                                        \
    SETTING_NEW_STORE, SETTING_TABLE, SETTING_BOT_COLUMN, SETTING_SOURCE_COLUMN,                   \
    SETTING_TEXT_COLUMN, SETTING_VECTOR_COLUMN, SETTING_LOCK_TIMEOUT
#define STORE_SETTINGS SEEN_STORE_SETTINGS, SETTING_ID_COLUMN, SETTING_DISTANCE
#define EMBEDDER_SETTINGS                                                                          \
    SETTING_EMBEDDER, SETTING_ENDPOINT, SETTING_MODEL, SETTING_BEDROCK_REGION, SETTING_DIMENSIONS, \
    SETTING_API_KEY_FILE, SETTING_DOCUMENT_PREFIX, SETTING_QUERY_PREFIX, SETTING_CA_FILE
#define AWS_SETTINGS SETTING_AWS_REGION, SETTING_AWS_PROFILE
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
    SETTING_DOCUMENT_SECONDS,
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
    AWS_SETTINGS,
    SETTING_COUNT,
};

const Setting SETTINGS_OF_A_STORE[] = {
    SETTING_NEW_STORE, SETTING_LOCK_TIMEOUT, AWS_SETTINGS, SETTING_COUNT};

const Setting SETTINGS_OF_VERIFY[] = {
    SETTING_CATALOGUE,   SETTING_DOCUMENTS, SETTING_BUCKET, BOT_SETTINGS,
    SEEN_STORE_SETTINGS, AWS_SETTINGS,      SETTING_COUNT,
};

const Setting SETTINGS_OF_ASK[] = {
    SEEN_STORE_SETTINGS, SETTING_DISTANCE, EMBEDDER_SETTINGS, AWS_SETTINGS, SETTING_COUNT};

const Setting SETTINGS_OF_COPY[] = {
    SETTING_SOURCE,       SETTING_TARGET, SETTING_CONNECTIONS, SETTING_PART_BYTES,
    SETTING_COPY_INDEX,   SETTING_LISTS,  SETTING_HNSW_M,      SETTING_HNSW_EF_CONSTRUCTION,
    SETTING_INDEX_MEMORY, AWS_SETTINGS,   SETTING_COUNT};

const Setting SETTINGS_OF_INIT[] = {
    AWS_SETTINGS,           SETTING_CATALOGUE, SETTING_DOCUMENTS,
    SETTING_NEW_STORE,      SETTING_CLUSTER,   SETTING_TASK_DEFINITION,
    SETTING_CONTAINER,      SETTING_SUBNETS,   SETTING_SECURITY_GROUPS,
    SETTING_TABLE_ROLE,     SETTING_EMBEDDER,  SETTING_MODEL,
    SETTING_BEDROCK_REGION, SETTING_COUNT,
};

const Setting SETTINGS_OF_STATE[] = {SETTING_STATE, SETTING_COUNT};

/* A switch turned off: GLib passes over what stands behind the '=' of a switch, so that "--yes=no"
 * would agree.  It is an option of its own, which is not listed. */
#define OFF "=no"

/* What the callbacks of one parse share. */
typedef struct
{
    Settings *settings;
    const Setting *known; /* of the command; NULL for none */
    GPtrArray *names;     /* of all options; for those who mistype one */
    GPtrArray *switches;  /* of them, those that take no value but yes and no */
    GPtrArray *texts;     /* that must live as long as the parse */
} Parse;

/* Among those of the command: two commands may mean different settings by one word. */
static bool
find_option(const Parse *parse, const char *name, Setting *found)
{
    for (const Setting *at = parse->known; *at != SETTING_COUNT; at++)
    {
        if (strcmp(setting_info(*at)->option, name) != 0)
            continue;
        *found = *at;
        return true;
    }
    return false;
}

static gboolean
take_option(const char *option, const char *value, void *data, GError **error)
{
    const Parse *parse = data;
    Setting setting = SETTING_COUNT;

    const bool off = g_str_has_suffix(option, OFF);
    g_autofree char *name = g_strndup(option, strlen(option) - (off ? strlen(OFF) : 0));

    if (!find_option(parse, name + strlen("--"), &setting))
        g_assert_not_reached();
    if (value == NULL)
        value = off ? "no" : "yes";
    return settings_set(parse->settings, setting, value, name, error);
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
add_entry(GOptionGroup *group, const GOptionEntry *entry)
{
    const GOptionEntry entries[] = {*entry, {.long_name = NULL}};
    g_option_group_add_entries(group, entries);
}

/* One option; a switch also as the one that turns it off. */
static void
add_option(GOptionGroup *group, Parse *parse, const GOptionEntry *entry)
{
    const bool is_switch =
        entry->arg == G_OPTION_ARG_NONE || (entry->flags & G_OPTION_FLAG_NO_ARG) != 0;

    add_entry(group, entry);
    g_ptr_array_add(parse->names, g_strdup(entry->long_name));
    if (!is_switch)
        return;
    GOptionEntry off = *entry;
    char *name = g_strconcat(entry->long_name, OFF, NULL);
    g_ptr_array_add(parse->texts, name);
    off.long_name = name;
    off.short_name = '\0';
    off.flags |= G_OPTION_FLAG_HIDDEN;
    if (off.arg == G_OPTION_ARG_NONE)
        off.flags |= G_OPTION_FLAG_REVERSE;
    add_entry(group, &off);
    g_ptr_array_add(parse->switches, g_strdup(entry->long_name));
}

static void
add_settings(GOptionGroup *group, Parse *parse, const Setting *settings)
{
    for (; settings != NULL && *settings != SETTING_COUNT; settings++)
    {
        const GOptionEntry entry = entry_of_setting(setting_info(*settings), parse->texts);
        add_option(group, parse, &entry);
    }
}

static void
add_own(GOptionGroup *group, Parse *parse, const GOptionEntry *own)
{
    for (; own != NULL && own->long_name != NULL; own++)
        add_option(group, parse, own);
}

/* "--yes=true" is "--yes", "--yes=off" is "--yes=no", "--yes=maybe" is wrong. */
static bool
spell_switch(char **argument, const GPtrArray *switches, GError **error)
{
    const char *value = strchr(*argument, '=');
    if (!g_str_has_prefix(*argument, "--") || value == NULL)
        return true;

    g_autofree char *name = g_strndup(*argument, (size_t) (value - *argument));
    bool on = false;
    if (!g_strv_contains((const char *const *) switches->pdata, name + strlen("--")))
        return true;
    if (!settings_switch_word(value + 1, &on))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "%s: \"%s\" should be yes or no", name, value + 1);
        return false;
    }
    g_free(*argument);
    *argument = g_strconcat(name, on ? NULL : OFF, NULL);
    return true;
}

static bool
spell_switches(char **arguments, const GPtrArray *switches, GError **error)
{
    for (char **argument = arguments; *argument != NULL; argument++)
    {
        if (strcmp(*argument, "--") == 0)
            return true;
        if (!spell_switch(argument, switches, error))
            return false;
    }
    return true;
}

/* Names the option and the nearest one there is. */
static void
set_unknown_option(const char *option, const char *command, const GPtrArray *names, GError **error)
{
    const size_t dashes = strspn(option, "-");
    g_autofree char *name = g_strndup(option + dashes, strcspn(option + dashes, "="));
    const char *known = nearest(name, (char *const *) names->pdata);

    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "unknown option \"%s\"", option);
    if (dashes == strlen("--") && known != NULL)
        vf_error_hint(
            error, "did you mean --%s?  `vecferry %s --help` lists the options", known, command);
}

/* What GLib says of the arguments, as we say things. */
static void
set_option_error(const GError *cause, const char *command, const GPtrArray *names, GError **error)
{
    const char *option = strstr(cause->message, " -");
    if (g_error_matches(cause, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) && option != NULL)
    {
        set_unknown_option(option + 1, command, names, error);
        return;
    }
    g_autoptr(GString) message = g_string_new(cause->message);
    if (cause->domain == G_OPTION_ERROR)
        message->str[0] = g_ascii_tolower(message->str[0]);
    g_string_replace(message, "“", "\"", 0);
    g_string_replace(message, "”", "\"", 0);
    g_set_error_literal(error, cause->domain, cause->code, message->str);
}

/* Settings that may hold a password. */
static const Setting ADDRESSES[] = {SETTING_NEW_STORE, SETTING_SOURCE, SETTING_TARGET};

static bool
holds_password(const Settings *settings, Setting setting)
{
    g_autofree char *url = g_strdup(settings_text(settings, setting));
    return url != NULL && secret_hide_password(url);
}

/* A file with a password is for its owner's eyes only, as ~/.pgpass is for libpq.  `from_option`
 * says which of the addresses did not come from it. */
static bool
check_privacy(const Settings *settings, const bool *from_option, const char *path, GError **error)
{
    struct stat facts;
    bool any = false;

    for (size_t i = 0; i < G_N_ELEMENTS(ADDRESSES); i++)
        any = any || (!from_option[i] && holds_password(settings, ADDRESSES[i]));
    if (!any || stat(path, &facts) != 0 || (facts.st_mode & (S_IRWXG | S_IRWXO)) == 0)
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
    bool from_option[G_N_ELEMENTS(ADDRESSES)];
    for (size_t i = 0; i < G_N_ELEMENTS(ADDRESSES); i++)
        from_option[i] = settings_given(settings, ADDRESSES[i]);
    return settings_load(settings, path, error) &&
           check_privacy(settings, from_option, path, error);
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
        add_settings(group, parse, info->settings);
        if (!info->reads_no_file)
            add_own(group, parse, common);
    }
    add_own(group, parse, info->own);
    g_option_context_set_summary(context, info->summary);
    g_option_context_set_description(context, info->description);
    g_option_context_set_main_group(context, group);
    if (!spell_switches(*arguments, parse->switches, error))
        return false;
    g_autoptr(GError) cause = NULL;
    if (g_option_context_parse_strv(context, arguments, &cause))
        return true;
    set_option_error(cause, **arguments, parse->names, error);
    return false;
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
    g_autoptr(GPtrArray) names = g_ptr_array_new_null_terminated(1, g_free, true);
    g_autoptr(GPtrArray) switches = g_ptr_array_new_null_terminated(1, g_free, true);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *config = NULL;
    g_auto(GStrv) arguments = g_strdupv(invocation->arguments);
    Parse parse = {settings, info->settings, names, switches, texts};

    if (!parse_arguments(info, &parse, &arguments, &config, error))
    {
        vf_error_hint(error, "`vecferry %s --help` lists the options", invocation->arguments[0]);
        return NULL;
    }
    if (!take_rest(arguments, rest, error) ||
        (info->settings != NULL && !info->reads_no_file && !load_config(settings, config, error)))
        return NULL;
    return g_steal_pointer(&settings);
}
