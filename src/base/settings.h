/*
 * settings.h - what the user wants, from vecferry.conf and the command line.
 *
 * One table names every setting: its place in the file, its option, its kind and its
 * default.  Values are checked when they come in, with the place they came from in
 * the error, so that reading them cannot fail.  An option beats the file, the file
 * beats the default.
 *
 * Passwords and keys have no setting: a connection address may hold a password in a
 * file of mode 0600, keys come from the environment or from files.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum
{
    SETTING_CATALOGUE,
    SETTING_DOCUMENTS,
    SETTING_BUCKET,
    SETTING_ALLOW_PRIVATE,
    SETTING_CHECK_URLS,
    SETTING_MAX_DOCUMENT_BYTES,
    SETTING_DOCUMENT_TIMEOUT,
    SETTING_CA_FILE,
    SETTING_NEW_STORE,
    SETTING_TABLE,
    SETTING_ID_COLUMN,
    SETTING_BOT_COLUMN,
    SETTING_SOURCE_COLUMN,
    SETTING_TEXT_COLUMN,
    SETTING_VECTOR_COLUMN,
    SETTING_LOCK_TIMEOUT,
    SETTING_DISTANCE,
    SETTING_INDEX,
    SETTING_EMBEDDER,
    SETTING_ENDPOINT,
    SETTING_MODEL,
    SETTING_BEDROCK_REGION,
    SETTING_DIMENSIONS,
    SETTING_API_KEY_FILE,
    SETTING_DOCUMENT_PREFIX,
    SETTING_QUERY_PREFIX,
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
    SETTING_SANDBOX,
    SETTING_MAX_TEXT_BYTES,
    SETTING_EXTRACT_TIMEOUT,
    SETTING_WORKERS,
    SETTING_CALLS,
    SETTING_REQUESTS_PER_MINUTE,
    SETTING_TOKENS_PER_MINUTE,
    SETTING_MAX_USD,
    SETTING_TIME_LIMIT,
    SETTING_ATTEMPTS,
    SETTING_ALLOW_PARTIAL,
    SETTING_STATE,
    SETTING_SOURCE,
    SETTING_TARGET,
    SETTING_CONNECTIONS,
    SETTING_PART_BYTES,
    SETTING_COPY_INDEX,
    SETTING_LISTS,
    SETTING_HNSW_M,
    SETTING_HNSW_EF_CONSTRUCTION,
    SETTING_INDEX_MEMORY,
    SETTING_AWS_REGION,
    SETTING_AWS_PROFILE,
    SETTING_CLUSTER,
    SETTING_TASK_DEFINITION,
    SETTING_CONTAINER,
    SETTING_SUBNETS,
    SETTING_SECURITY_GROUPS,
    SETTING_TABLE_ROLE,
    SETTING_BOT,
    SETTING_USER,
    SETTING_EXCLUDE,
    SETTING_ONLY_FAILED,
    SETTING_COUNT,
} Setting;

typedef enum
{
    SETTING_KIND_TEXT,
    SETTING_KIND_CHOICE, /* one of a few words */
    SETTING_KIND_LIST,   /* may be given several times; `;` between in the file */
    SETTING_KIND_COUNT,  /* a whole number, 0 or more */
    SETTING_KIND_AMOUNT, /* a number with a decimal point, 0 or more */
    SETTING_KIND_SWITCH, /* yes or no */
} SettingKind;

typedef struct
{
    const char *group;  /* in the file; NULL: command line only */
    const char *key;    /* in the file */
    const char *option; /* without the dashes */
    SettingKind kind;
    const char *fallback; /* NULL: not set */
    const char *argument; /* what --help shows; for a choice its words, `|` between */
    const char *help;
} SettingInfo;

const SettingInfo *setting_info(Setting setting);

/* Whether the word says yes or no, and which. */
bool settings_switch_word(const char *value, bool *on);

typedef struct Settings Settings;

Settings *settings_new(void);
void settings_free(Settings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Settings, settings_free)

/* Reads a file in which unknown groups and keys are errors (with the nearest known name). */
bool settings_load(Settings *settings, const char *path, GError **error);

/* The same from text; `origin` stands for the path in errors. */
bool settings_load_text(Settings *settings, const char *text, const char *origin, GError **error);

/* Sets one value as from the command line; a list grows.  `origin` is named in the error. */
bool settings_set(
    Settings *settings, Setting setting, const char *value, const char *origin, GError **error);

/* All values that were set, as a file's text: what a worker is handed.  Yours. */
char *settings_to_text(const Settings *settings);

/* True when the user set it, in the file or by option. */
bool settings_given(const Settings *settings, Setting setting);

/* The value, or its default.  Borrowed; text may be NULL where there is no default. */
const char *settings_text(const Settings *settings, Setting setting);
gint64 settings_count(const Settings *settings, Setting setting);
double settings_amount(const Settings *settings, Setting setting);
bool settings_switch(const Settings *settings, Setting setting);
char *const *settings_list(const Settings *settings, Setting setting); /* NULL-terminated */

/* The text; VF_ERROR_USAGE naming the option and the key when it is not set. */
const char *settings_require(const Settings *settings, Setting setting, GError **error);
