#include "base/settings.h"

#include "base/error.h"
#include "base/nearest.h"
#include "base/secret.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More of anything is a mistake, and would overflow where it is multiplied. */
#define MOST 1000000000000

/* The same for processes, threads and attempts. */
#define MOST_WORKERS 1000

#define AT_MOST(number) "at most " G_STRINGIFY(number)

struct Settings
{
    GPtrArray *values[SETTING_COUNT]; /* of char *; the last one counts, a list has all */
    bool from_option[SETTING_COUNT];
};

#define TEXT SETTING_KIND_TEXT
#define CHOICE SETTING_KIND_CHOICE
#define LIST SETTING_KIND_LIST
#define COUNT SETTING_KIND_COUNT
#define AMOUNT SETTING_KIND_AMOUNT
#define SWITCH SETTING_KIND_SWITCH

/* clang-format off */
static const SettingInfo TABLE[SETTING_COUNT] = {
    [SETTING_CATALOGUE] = {"catalogue", "file", "catalogue", TEXT, NULL, "FILE",
        "the bots: output of `aws dynamodb scan` or an export, plain or gzip, or a folder of them; "
        "or dynamodb:TABLE, the application's own by its name or ARN"},
    [SETTING_DOCUMENTS] = {"documents", "folder", "documents", TEXT, NULL, "FOLDER",
        "the uploaded files, FOLDER/<user>/<bot>/documents/<file>; or s3://BUCKET[/PREFIX]"},
    [SETTING_BUCKET] = {"documents", "bucket", "bucket", TEXT, NULL, "NAME",
        "the bucket that the rows' source column shall name (s3://NAME/…; default: that of "
        "--documents)"},
    [SETTING_ALLOW_PRIVATE] = {"documents", "allow-private-addresses", "allow-private-addresses",
        SWITCH, "no", NULL, "web pages may come from addresses that are not public"},
    [SETTING_CHECK_URLS] = {"documents", "check-urls", "check-urls", SWITCH, "yes", "yes|no",
        "plan asks the web whether each page is there"},
    [SETTING_MAX_DOCUMENT_BYTES] = {"documents", "max-bytes", "max-document-bytes", COUNT,
        "52428800", "BYTES", "a larger document is refused"},
    [SETTING_DOCUMENT_TIMEOUT] = {"documents", "timeout", "document-timeout", COUNT, "60",
        "SECONDS", "for loading one page"},
    [SETTING_CA_FILE] = {"documents", "ca-file", "ca-file", TEXT, NULL, "FILE",
        "certificates to trust instead of the system's"},
    [SETTING_NEW_STORE] = {"new-store", "url", "new-store", TEXT, NULL, "URL",
        "the PostgreSQL database to fill: postgresql://…, key=value, or secret:NAME in AWS Secrets Manager"},
    [SETTING_TABLE] = {"new-store", "table", "table", TEXT, "items", "[SCHEMA.]TABLE",
        "the table of chunks and vectors"},
    [SETTING_ID_COLUMN] = {"new-store", "id-column", "id-column", TEXT, "id", "NAME",
        "the key that gets a ULID; empty when the table makes its own"},
    [SETTING_BOT_COLUMN] = {"new-store", "bot-column", "bot-column", TEXT, "botid", "NAME",
        "the column of the bot's id"},
    [SETTING_SOURCE_COLUMN] = {"new-store", "source-column", "source-column", TEXT, "source",
        "NAME", "the column that says where a chunk came from"},
    [SETTING_TEXT_COLUMN] = {"new-store", "text-column", "text-column", TEXT, "content", "NAME",
        "the column of the chunk's text"},
    [SETTING_VECTOR_COLUMN] = {"new-store", "vector-column", "vector-column", TEXT, "embedding",
        "NAME", "the column of the vector (vector or halfvec)"},
    [SETTING_LOCK_TIMEOUT] = {"new-store", "lock-timeout", "lock-timeout", COUNT, "300", "SECONDS",
        "how long a table that somebody else has locked is waited for (0: no limit)"},
    [SETTING_DISTANCE] = {"new-store", "distance", "distance", CHOICE, "l2", "l2|cosine|ip",
        "the distance of the application's query"},
    [SETTING_INDEX] = {"new-store", "index", "index", CHOICE, "ivfflat", "ivfflat|hnsw|none",
        "the vector index built after the rows in a table made by `store create`"},
    [SETTING_EMBEDDER] = {"embedder", "kind", "embedder", CHOICE, NULL,
        "bedrock|openai|hashing",
        "Amazon Bedrock, an OpenAI-compatible endpoint, or local hashing (for rehearsal only)"},
    [SETTING_ENDPOINT] = {"embedder", "endpoint", "endpoint", TEXT,
        "https://api.openai.com/v1", "URL", "the endpoint, up to /v1"},
    [SETTING_MODEL] = {"embedder", "model", "model", TEXT, NULL, "NAME",
        "the provider's name of the model; for bedrock an inference profile's will do, too"},
    [SETTING_BEDROCK_REGION] = {"embedder", "region", "bedrock-region", TEXT, NULL, "REGION",
        "where Bedrock is asked (default: --region)"},
    [SETTING_DIMENSIONS] = {"embedder", "dimensions", "dimensions", COUNT, "0", "N",
        "ask the model for vectors of this length (0: as the model does)"},
    [SETTING_API_KEY_FILE] = {"embedder", "api-key-file", "api-key-file", TEXT, NULL, "FILE",
        "the provider's key; or set VECFERRY_API_KEY or OPENAI_API_KEY"},
    [SETTING_DOCUMENT_PREFIX] = {"embedder", "document-prefix", "document-prefix", TEXT, NULL,
        "TEXT", "put before every chunk, for models that want it"},
    [SETTING_QUERY_PREFIX] = {"embedder", "query-prefix", "query-prefix", TEXT, NULL, "TEXT",
        "put before every question"},
    [SETTING_MAX_TEXTS] = {"embedder", "max-texts", "max-texts", COUNT, "0", "N",
        "texts in one call (0: as the provider allows)"},
    [SETTING_MAX_CHARACTERS] = {"embedder", "max-characters", "max-characters", COUNT, "0", "N",
        "characters in one text (0: as the provider allows)"},
    [SETTING_PRICE] = {"embedder", "price", "price", AMOUNT, NULL, "USD",
        "of a million tokens; known for a few models"},
    [SETTING_CHARACTERS_PER_TOKEN] = {"embedder", "characters-per-token", "characters-per-token",
        AMOUNT, NULL, "N", "for estimates: 4.3 for English, 1.6 for Chinese and Japanese"},
    [SETTING_CALL_SECONDS] = {"embedder", "call-seconds", "call-seconds", AMOUNT, NULL, "SECONDS",
        "for estimates: how long one call takes (0.5, or 0.005 for hashing, when not given)"},
    [SETTING_OVERLAP_GROWTH] = {"estimate", "overlap-growth", "overlap-growth", AMOUNT, NULL, "N",
        "for estimates: a text's chunks are so many times as long as the text (1.15 when not given)"},
    [SETTING_TEXT_CHARACTERS] = {"estimate", "text-characters", "text-characters", AMOUNT, NULL,
        "N", "for estimates: characters in a byte of a plain text (0.95 when not given)"},
    [SETTING_HTML_CHARACTERS] = {"estimate", "html-characters", "html-characters", AMOUNT, NULL,
        "N", "for estimates: characters of text in a byte of HTML (0.6 when not given)"},
    [SETTING_PDF_CHARACTERS] = {"estimate", "pdf-characters", "pdf-characters", AMOUNT, NULL,
        "N", "for estimates: characters of text in a byte of a PDF (0.2 when not given)"},
    [SETTING_DOCX_CHARACTERS] = {"estimate", "docx-characters", "docx-characters", AMOUNT, NULL,
        "N", "for estimates: characters of text in a byte of a docx file (1 when not given)"},
    [SETTING_DOCUMENT_SECONDS] = {"estimate", "document-seconds", "document-seconds", AMOUNT, NULL,
        "SECONDS", "for estimates: how long reading one small document takes (0.004 when not given)"},
    [SETTING_SPLITTER] = {"splitter", "variant", "splitter", CHOICE, "guide",
        "guide|newlines|latest|corrected", "how texts are cut; guide: as the guide's container does"},
    [SETTING_SANDBOX] = {"extract", "sandbox", "sandbox", CHOICE, "auto",
        "auto|bubblewrap|plain|off", "what holds the child that reads foreign documents"},
    [SETTING_MAX_TEXT_BYTES] = {"extract", "max-text-bytes", "max-text-bytes", COUNT, "20971520",
        "BYTES", "a document with more text is refused"},
    [SETTING_EXTRACT_TIMEOUT] = {"extract", "timeout", "extract-timeout", COUNT, "60", "SECONDS",
        "for reading one document"},
    [SETTING_WORKERS] = {"run", "workers", "workers", COUNT, "2", "N", "bots at a time"},
    [SETTING_CALLS] = {"run", "calls", "calls", COUNT, "4", "N",
        "calls to the provider in flight, for each worker"},
    [SETTING_REQUESTS_PER_MINUTE] = {"run", "requests-per-minute", "requests-per-minute", COUNT,
        "0", "N", "the run's calls to the provider (0: no limit)"},
    [SETTING_TOKENS_PER_MINUTE] = {"run", "tokens-per-minute", "tokens-per-minute", COUNT, "0",
        "N", "the run's tokens (0: no limit)"},
    [SETTING_MAX_USD] = {"run", "max-usd", "max-usd", AMOUNT, NULL, "USD",
        "the run never spends more on tokens"},
    [SETTING_TIME_LIMIT] = {"run", "time-limit", "time-limit", COUNT, "7200", "SECONDS",
        "for one attempt at one bot (0: no limit)"},
    [SETTING_ATTEMPTS] = {"run", "attempts", "attempts", COUNT, "3", "N",
        "at a bot whose failure may pass"},
    [SETTING_ALLOW_PARTIAL] = {"run", "allow-partial", "allow-partial", SWITCH, "no", NULL,
        "load the good sources of a bot even if others fail"},
    [SETTING_STATE] = {"run", "state", "state", TEXT, NULL, "FOLDER",
        "the ledgers of runs (default: $XDG_STATE_HOME/vecferry)"},
    [SETTING_SOURCE] = {"copy", "source", "source", TEXT, NULL, "URL",
        "the PostgreSQL database to copy from: postgresql://…, key=value, or secret:NAME"},
    [SETTING_TARGET] = {"copy", "target", "target", TEXT, NULL, "URL",
        "the PostgreSQL database to copy to, in the same ways"},
    [SETTING_CONNECTIONS] = {"copy", "connections", "connections", COUNT, "0", "N",
        "parts copied at a time, each over a connection at both ends (0: as many as processors, "
        "at most 4)"},
    [SETTING_PART_BYTES] = {"copy", "part-bytes", "part-bytes", COUNT, "67108864", "BYTES",
        "about what one part of a table weighs; it is copied and recorded in one transaction"},
    [SETTING_COPY_INDEX] = {"copy", "index", "index", CHOICE, "keep", "keep|none|ivfflat|hnsw",
        "what becomes of vector indexes: built as they are, not at all, or of another kind"},
    [SETTING_LISTS] = {"copy", "lists", "lists", COUNT, "0", "N",
        "lists of an ivfflat index built with --index (0: the source's, or by the number of rows)"},
    [SETTING_HNSW_M] = {"copy", "hnsw-m", "hnsw-m", COUNT, "0", "N",
        "connections of an HNSW index built with --index (0: the source's, or pgvector's default)"},
    [SETTING_HNSW_EF_CONSTRUCTION] = {"copy", "hnsw-ef-construction", "hnsw-ef-construction", COUNT,
        "0", "N", "candidates of an HNSW index while it is built with --index (0: likewise)"},
    [SETTING_INDEX_MEMORY] = {"copy", "index-memory", "index-memory", COUNT, "0", "BYTES",
        "the server's memory for all index builds at a time (0: a quarter of its buffers, or an "
        "eighth of its cache)"},
    [SETTING_AWS_REGION] = {"aws", "region", "region", TEXT, NULL, "REGION",
        "of AWS (default: AWS_REGION, the profile's, the instance's)"},
    [SETTING_AWS_PROFILE] = {"aws", "profile", "profile", TEXT, NULL, "NAME",
        "of the AWS credentials (default: AWS_PROFILE, or the usual search)"},
    [SETTING_CLUSTER] = {"ecs", "cluster", "cluster", TEXT, NULL, "NAME",
        "the ECS cluster of embedding tasks; the guide's cluster_name"},
    [SETTING_TASK_DEFINITION] = {"ecs", "task-definition", "task-definition", TEXT, NULL, "NAME",
        "the family of embedding tasks, or a revision; the guide's task_definition_name"},
    [SETTING_CONTAINER] = {"ecs", "container", "container", TEXT, "Container", "NAME",
        "the container in it; the guide's container_name"},
    [SETTING_SUBNETS] = {"ecs", "subnets", "subnets", TEXT, NULL, "ID[,ID…]",
        "where tasks run; private ones with a way out; the guide's subnet_id"},
    [SETTING_SECURITY_GROUPS] = {"ecs", "security-groups", "security-groups", TEXT, NULL,
        "ID[,ID…]", "of tasks; the guide's security_group_id"},
    [SETTING_TABLE_ROLE] = {"ecs", "table-role", "table-role", TEXT, NULL, "ARN",
        "the role that a task assumes to reach the bots' table"},
    [SETTING_BOT] = {NULL, NULL, "bot", LIST, NULL, "ID", "only this bot; may be repeated"},
    [SETTING_USER] = {NULL, NULL, "user", LIST, NULL, "ID", "only this user's bots; may be repeated"},
    [SETTING_EXCLUDE] = {NULL, NULL, "exclude", LIST, NULL, "ID", "not this bot; may be repeated"},
    [SETTING_ONLY_FAILED] = {NULL, NULL, "only-failed", SWITCH, "no", NULL,
        "only bots that did not succeed in their last run, or, never run, whose status says FAILED"},
};
/* clang-format on */

const SettingInfo *
setting_info(Setting setting)
{
    return &TABLE[setting];
}

Settings *
settings_new(void)
{
    Settings *settings = g_new0(Settings, 1);
    for (size_t i = 0; i < SETTING_COUNT; i++)
        settings->values[i] = g_ptr_array_new_null_terminated(1, g_free, true);
    return settings;
}

void
settings_free(Settings *settings)
{
    if (settings == NULL)
        return;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        g_ptr_array_unref(settings->values[i]);
    g_free(settings);
}

bool
settings_switch_word(const char *value, bool *on)
{
    static const char *const YES[] = {"yes", "true", "on", "1", NULL};
    static const char *const NO[] = {"no", "false", "off", "0", NULL};

    *on = g_strv_contains(YES, value);
    return *on || g_strv_contains(NO, value);
}

static bool
is_choice(const char *words, const char *value)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    return g_strv_contains((const char *const *) list, value);
}

static const char *
amount_missed(const char *value)
{
    char *end = NULL;
    errno = 0;
    const double number = g_ascii_strtod(value, &end);
    /* C reads 0x10 as sixteen, too. */
    if (value[strcspn(value, "xX")] != '\0' || end == value || *end != '\0' || errno != 0 ||
        !isfinite(number) || number < 0)
        return "a number such as 0.02";
    return number <= MOST ? NULL : AT_MOST(MOST);
}

static const char *
count_missed(const SettingInfo *info, const char *value)
{
    const bool makes_workers = info == &TABLE[SETTING_WORKERS] || info == &TABLE[SETTING_CALLS] ||
                               info == &TABLE[SETTING_ATTEMPTS] ||
                               info == &TABLE[SETTING_CONNECTIONS];
    const guint64 most = makes_workers ? MOST_WORKERS : MOST;
    guint64 number = 0;

    if (*value == '\0' || value[strspn(value, "0123456789")] != '\0')
        return "a whole number";
    /* Where 0 is the default, it says: as many as make sense. */
    if (makes_workers && !g_str_equal(info->fallback, "0") && value[strspn(value, "0")] == '\0')
        return "at least 1";
    if (g_ascii_string_to_unsigned(value, 10, 0, most, &number, NULL))
        return NULL;
    return makes_workers ? AT_MOST(MOST_WORKERS) : AT_MOST(MOST);
}

/* NULL when the value fits the setting's kind, else what it should be. */
static const char *
expectation_missed(const SettingInfo *info, const char *value)
{
    bool on = false;

    if (!g_utf8_validate(value, -1, NULL))
        return "text in UTF-8";
    switch (info->kind)
    {
    case SETTING_KIND_TEXT:
    case SETTING_KIND_LIST:
        return NULL;
    case SETTING_KIND_CHOICE:
        return is_choice(info->argument, value) ? NULL : info->argument;
    case SETTING_KIND_COUNT:
        return count_missed(info, value);
    case SETTING_KIND_AMOUNT:
        return amount_missed(value);
    case SETTING_KIND_SWITCH:
        return settings_switch_word(value, &on) ? NULL : "yes or no";
    }
    g_assert_not_reached();
}

static bool
check_value(const SettingInfo *info, const char *value, const char *origin, GError **error)
{
    const char *expected = expectation_missed(info, value);
    if (expected == NULL)
        return true;

    /* An address may stand where a number should. */
    g_autofree char *shown = secret_hidden(value);
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "%s: \"%s\" should be %s", origin,
        g_utf8_validate(value, -1, NULL) ? shown : "(not UTF-8)", expected);
    return false;
}

bool
settings_set(
    Settings *settings, Setting setting, const char *value, const char *origin, GError **error)
{
    const SettingInfo *info = &TABLE[setting];
    GPtrArray *values = settings->values[setting];

    if (!check_value(info, value, origin, error))
        return false;
    if (info->kind != SETTING_KIND_LIST || !settings->from_option[setting])
        g_ptr_array_set_size(values, 0);
    g_ptr_array_add(values, g_strdup(value));
    settings->from_option[setting] = true;
    return true;
}

static bool
find_setting(const char *group, const char *key, Setting *found)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
    {
        if (g_strcmp0(TABLE[i].group, group) != 0 || g_strcmp0(TABLE[i].key, key) != 0)
            continue;
        *found = (Setting) i;
        return true;
    }
    return false;
}

static bool
is_group(const char *group)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (g_strcmp0(TABLE[i].group, group) == 0)
            return true;
    return false;
}

static void
set_unknown_group(GError **error, const char *origin, const char *group)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_null_terminated(SETTING_COUNT, g_free, true);

    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (TABLE[i].group != NULL)
            g_ptr_array_add(known, g_strdup(TABLE[i].group));
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "%s: unknown group [%s]", origin, group);
    vf_error_hint(error, "did you mean [%s]?", nearest(group, (char **) known->pdata));
}

static void
set_unknown_key(GError **error, const char *origin, const char *group, const char *key)
{
    g_autoptr(GPtrArray) known = g_ptr_array_new_null_terminated(0, g_free, true);
    g_autofree char *name = g_strdup_printf("[%s] %s", group, key);

    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (TABLE[i].group != NULL)
            g_ptr_array_add(known, g_strdup_printf("[%s] %s", TABLE[i].group, TABLE[i].key));
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "%s: unknown setting %s", origin, name);
    vf_error_hint(error, "did you mean %s?", nearest(name, (char **) known->pdata));
}

/* Takes one key of the file; an option given before stays. */
static bool
load_key(
    Settings *settings, GKeyFile *file, const char *group, const char *key, const char *origin,
    GError **error)
{
    Setting setting = SETTING_COUNT;
    if (!find_setting(group, key, &setting))
    {
        set_unknown_key(error, origin, group, key);
        return false;
    }

    /* GLib may give a value and an error: of an unknown escape it keeps what it understood. */
    g_autoptr(GError) cause = NULL;
    g_autofree char *value = g_key_file_get_string(file, group, key, &cause);
    g_autofree char *place = g_strdup_printf("%s: [%s] %s", origin, group, key);
    if (cause != NULL)
    {
        /* GLib's words would quote the value, which may be a password. */
        const bool wrong_bytes =
            g_error_matches(cause, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_UNKNOWN_ENCODING);
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "%s should be text in UTF-8%s", place,
            wrong_bytes ? "" : " without unknown escapes");
        vf_error_hint(error, "a backslash is written \\\\");
        return false;
    }
    if (!check_value(&TABLE[setting], value, place, error))
        return false;
    if (settings->from_option[setting])
        return true;
    g_ptr_array_set_size(settings->values[setting], 0);
    g_ptr_array_add(settings->values[setting], g_steal_pointer(&value));
    return true;
}

static bool
load_key_file(Settings *settings, GKeyFile *file, const char *origin, GError **error)
{
    g_auto(GStrv) groups = g_key_file_get_groups(file, NULL);

    for (char **group = groups; *group != NULL; group++)
    {
        g_auto(GStrv) keys = g_key_file_get_keys(file, *group, NULL, NULL);
        if (*keys == NULL && !is_group(*group))
        {
            set_unknown_group(error, origin, *group);
            return false;
        }
        for (char **key = keys; *key != NULL; key++)
            if (!load_key(settings, file, *group, *key, origin, error))
                return false;
    }
    return true;
}

/* The number of the first line that is neither blank, comment, group nor key=value; 0: none. */
static guint
odd_line(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
    {
        const char *line = g_strstrip(lines[i]);
        if (*line != '\0' && *line != '#' && *line != '[' && strchr(line, '=') == NULL)
            return i + 1;
    }
    return 0;
}

/* What is wrong with a file, without GLib's words: they quote the line, and a line may hold a
 * password. */
static void
set_unreadable(GError **error, const char *origin, const char *text)
{
    const guint line = odd_line(text);

    if (line > 0)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "could not read the settings \"%s\": line %u is neither [group] nor key=value", origin,
            line);
    else
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "could not read the settings \"%s\": it should be UTF-8 text with keys below a [group]",
            origin);
    vf_error_hint(error, "`vecferry settings` prints a file to begin with");
}

bool
settings_load(Settings *settings, const char *path, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) cause = NULL;

    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &cause))
    {
        g_autofree char *text = NULL;
        if (cause->domain == G_KEY_FILE_ERROR && g_file_get_contents(path, &text, NULL, NULL))
            set_unreadable(error, path, text);
        else
            g_set_error(
                error, VF_ERROR, VF_ERROR_USAGE, "could not read the settings \"%s\": %s", path,
                cause->message);
        return false;
    }
    return load_key_file(settings, file, path, error);
}

bool
settings_load_text(Settings *settings, const char *text, const char *origin, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    if (!g_key_file_load_from_data(file, text, strlen(text), G_KEY_FILE_NONE, NULL))
    {
        set_unreadable(error, origin, text);
        return false;
    }
    return load_key_file(settings, file, origin, error);
}

char *
settings_to_text(const Settings *settings)
{
    g_autoptr(GKeyFile) file = g_key_file_new();

    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (TABLE[i].group != NULL && settings->values[i]->len > 0)
            g_key_file_set_string(
                file, TABLE[i].group, TABLE[i].key, settings->values[i]->pdata[0]);
    return g_key_file_to_data(file, NULL, NULL);
}

bool
settings_given(const Settings *settings, Setting setting)
{
    return settings->values[setting]->len > 0;
}

const char *
settings_text(const Settings *settings, Setting setting)
{
    const GPtrArray *values = settings->values[setting];
    return values->len > 0 ? values->pdata[values->len - 1] : TABLE[setting].fallback;
}

gint64
settings_count(const Settings *settings, Setting setting)
{
    g_assert(TABLE[setting].kind == SETTING_KIND_COUNT);
    return g_ascii_strtoll(settings_text(settings, setting), NULL, 10);
}

double
settings_amount(const Settings *settings, Setting setting)
{
    g_assert(TABLE[setting].kind == SETTING_KIND_AMOUNT);
    const char *text = settings_text(settings, setting);
    return text == NULL ? 0 : g_ascii_strtod(text, NULL);
}

bool
settings_switch(const Settings *settings, Setting setting)
{
    bool on = false;
    g_assert(TABLE[setting].kind == SETTING_KIND_SWITCH);
    settings_switch_word(settings_text(settings, setting), &on);
    return on;
}

char *const *
settings_list(const Settings *settings, Setting setting)
{
    return (char *const *) settings->values[setting]->pdata;
}

const char *
settings_require(const Settings *settings, Setting setting, GError **error)
{
    const SettingInfo *info = &TABLE[setting];
    const char *text = settings_text(settings, setting);

    if (text != NULL && *text != '\0')
        return text;
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "--%s is missing: %s", info->option, info->help);
    if (info->group != NULL)
        vf_error_hint(
            error, "give the option, or [%s] %s in vecferry.conf", info->group, info->key);
    return NULL;
}
