#include "model/bot_json.h"

#include "base/error.h"

#include <limits.h>
#include <string.h>

Json *
bot_to_json(const Bot *bot)
{
    Json *sources = json_array();

    for (guint i = 0; i < bot->sources->len; i++)
    {
        const Source *source = bot->sources->pdata[i];
        Json *json =
            json_pack("{s:s, s:s}", "kind", source_kind_name(source->kind), "name", source->name);
        g_assert(json != NULL);
        json_array_append_new(sources, json);
    }

    Json *json = json_pack(
        "{s:s, s:s?, s:s, s:s, s:s, s:o, s:i, s:i, s:b, s:i, s:I, s:s, s:s, s:s, s:s}", "kind",
        bot_kind_name(bot->kind), "problem", bot->problem, "user", bot->user, "id", bot->id,
        "title", bot->title, "sources", sources, "chunk_size", bot->chunk_size, "chunk_overlap",
        bot->chunk_overlap, "partition_pdf", (int) bot->partition_pdf, "max_results",
        bot->max_results, "last_used_ms", (json_int_t) bot->last_used_ms, "sync_status",
        bot->sync_status, "sync_reason", bot->sync_reason, "last_exec_id", bot->last_exec_id,
        "fingerprint", bot->fingerprint);
    g_assert(json != NULL);
    return json;
}

static bool
wrong_member(const char *key, const char *expected, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "\"%s\" is not %s", key, expected);
    return false;
}

static bool
read_text(const Json *json, const char *key, const char **value, GError **error)
{
    *value = json_text(json, key);
    if (*value == NULL)
        return wrong_member(key, "a text", error);
    if (strlen(*value) != json_string_length(json_object_get(json, key)))
        return wrong_member(key, "a text without NUL characters", error);
    return true;
}

static bool
read_own_text(const Json *json, const char *key, char **value, GError **error)
{
    const char *text = NULL;

    if (!read_text(json, key, &text, error))
        return false;
    g_free(*value);
    *value = g_strdup(text);
    return true;
}

static bool
read_number(const Json *json, const char *key, int min, int max, int *value, GError **error)
{
    const Json *member = json_object_get(json, key);

    if (!json_is_integer(member))
        return wrong_member(key, "a whole number", error);

    const json_int_t number = json_integer_value(member);
    if (number < min || number > max)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "\"%s\" is not between %d and %d", key, min, max);
        return false;
    }
    *value = (int) number;
    return true;
}

static bool
read_flag(const Json *json, const char *key, bool *value, GError **error)
{
    const Json *member = json_object_get(json, key);

    if (!json_is_boolean(member))
        return wrong_member(key, "true or false", error);
    *value = json_is_true(member);
    return true;
}

static bool
read_time(const Json *json, const char *key, gint64 *value, GError **error)
{
    const Json *member = json_object_get(json, key);

    if (!json_is_integer(member))
        return wrong_member(key, "a whole number", error);
    *value = json_integer_value(member);
    return true;
}

static bool
read_kind(const Json *json, BotKind *kind, GError **error)
{
    const char *name = json_text(json, "kind");

    for (int i = BOT_VECTOR; name != NULL && i <= BOT_MALFORMED; i++)
        if (strcmp(name, bot_kind_name((BotKind) i)) == 0)
        {
            *kind = (BotKind) i;
            return true;
        }
    return wrong_member("kind", "a known kind of bot", error);
}

/* A malformed bot has a problem, every other one has null there. */
static bool
read_problem(const Json *json, Bot *bot, GError **error)
{
    if (bot->kind == BOT_MALFORMED)
        return read_own_text(json, "problem", &bot->problem, error);
    if (!json_is_null(json_object_get(json, "problem")))
        return wrong_member("problem", "null", error);
    return true;
}

static bool
read_source(const Json *json, Bot *bot, GError **error)
{
    const char *kind = NULL;
    const char *name = NULL;

    if (!read_text(json, "kind", &kind, error) || !read_text(json, "name", &name, error))
        return false;
    for (int i = SOURCE_FILE; i <= SOURCE_S3_PREFIX; i++)
        if (strcmp(kind, source_kind_name((SourceKind) i)) == 0)
        {
            g_ptr_array_add(bot->sources, source_new((SourceKind) i, name));
            return true;
        }
    return wrong_member("kind", "a known kind of source", error);
}

static bool
read_sources(const Json *json, Bot *bot, GError **error)
{
    const Json *sources = json_object_get(json, "sources");

    if (!json_is_array(sources))
        return wrong_member("sources", "a list", error);
    for (size_t i = 0; i < json_array_size(sources); i++)
        if (!read_source(json_array_get(sources, i), bot, error))
        {
            g_prefix_error(error, "source %zu: ", i + 1);
            return false;
        }
    return true;
}

static bool
read_settings(const Json *json, Bot *bot, GError **error)
{
    return read_number(json, "chunk_size", 1, INT_MAX, &bot->chunk_size, error) &&
           read_number(json, "chunk_overlap", 0, bot->chunk_size, &bot->chunk_overlap, error) &&
           read_flag(json, "partition_pdf", &bot->partition_pdf, error) &&
           read_number(json, "max_results", 1, INT_MAX, &bot->max_results, error) &&
           read_time(json, "last_used_ms", &bot->last_used_ms, error) &&
           read_own_text(json, "sync_status", &bot->sync_status, error) &&
           read_own_text(json, "sync_reason", &bot->sync_reason, error) &&
           read_own_text(json, "last_exec_id", &bot->last_exec_id, error);
}

static bool
check_fingerprint(const Json *json, const Bot *bot, GError **error)
{
    const char *stored = NULL;

    if (!read_text(json, "fingerprint", &stored, error))
        return false;
    if (strcmp(stored, bot->fingerprint) != 0)
        return wrong_member("fingerprint", "that of this bot", error);
    return true;
}

Bot *
bot_from_json(const Json *json, GError **error)
{
    const char *user = NULL;
    const char *id = NULL;

    if (!read_text(json, "user", &user, error) || !read_text(json, "id", &id, error))
        return NULL;

    g_autoptr(Bot) bot = bot_new(user, id);
    if (!read_kind(json, &bot->kind, error) || !read_problem(json, bot, error) ||
        !read_own_text(json, "title", &bot->title, error) || !read_sources(json, bot, error) ||
        !read_settings(json, bot, error))
        return NULL;

    bot_seal(bot);
    if (!check_fingerprint(json, bot, error))
        return NULL;
    return g_steal_pointer(&bot);
}
