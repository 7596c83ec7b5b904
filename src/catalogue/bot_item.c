/*
 * How the application writes a bot is told by its versions: knowledge came with
 * 0.4, EmbeddingParams with 0.4.6 and its PDF switch with 0.4.9, s3_urls with 1.2.5;
 * what is absent has the application's own default.  A task that ends after its bot
 * was deleted creates the item again with nothing but a status: a ghost.
 */
#include "catalogue/bot_item.h"

#include "base/error.h"
#include "catalogue/attribute.h"

#include <math.h>
#include <string.h>

enum
{
    MAX_COUNT = 100000000, /* of characters or rows; size and overlap add up to an int */
};

/* A key as text, or NULL when it is none.  A NUL in it becomes a visible mark: keys that
 * differ must stay different. */
static char *
key_text(const Json *item, const char *name)
{
    const Json *value = json_object_get(json_object_get(item, name), "S");

    if (!json_is_string(value))
        return NULL;
    return g_utf8_make_valid(json_string_value(value), (gssize) json_string_length(value));
}

/* What follows `<user>#` in the sort key, or NULL when that is not how it begins. */
static const char *
after_user(const char *sort_key, const char *user)
{
    const size_t length = strlen(user);

    if (strncmp(sort_key, user, length) != 0 || sort_key[length] != '#')
        return NULL;
    return sort_key + length + 1;
}

static bool
names_a_bot(const char *sort_key, const char *user)
{
    const char *rest = user != NULL ? after_user(sort_key, user) : NULL;

    /* A sort key that does not fit its partition key may yet be a damaged bot's. */
    return rest != NULL ? g_str_has_prefix(rest, "BOT#") : strstr(sort_key, "#BOT#") != NULL;
}

ItemKind
item_kind(const Json *item)
{
    if (json_is_string(json_object_get(item, "PK")) || json_is_string(json_object_get(item, "SK")))
        return ITEM_PLAIN;

    g_autofree char *user = key_text(item, "PK");
    g_autofree char *sort_key = key_text(item, "SK");
    if (sort_key == NULL)
        return ITEM_FOREIGN;
    if (names_a_bot(sort_key, user))
        return json_object_get(item, "OriginalBotId") == NULL ? ITEM_BOT : ITEM_OTHER;
    if (g_str_has_prefix(sort_key, "BOT#") || g_str_has_prefix(sort_key, "ALIAS#"))
        return ITEM_VERSION_3;
    return user != NULL ? ITEM_OTHER : ITEM_FOREIGN;
}

static bool
malformed(GError **error, const char *problem)
{
    g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, problem);
    return false;
}

/* The guide's container composes the sort key from user and id, and finds nothing when
 * the item has another one. */
static bool
check_keys(const Attributes *item, const Bot *bot, GError **error)
{
    const char *user = NULL;
    const char *sort_key = NULL;

    if (!attribute_text(item, "PK", &user, error) || !attribute_text(item, "SK", &sort_key, error))
        return false;
    if (user == NULL || sort_key == NULL)
        return malformed(error, user == NULL ? "PK is missing" : "SK is missing");
    if (*user == '\0' || *bot->id == '\0')
        return malformed(error, *user == '\0' ? "PK is empty" : "SK ends without the bot's id");

    g_autofree char *expected = g_strconcat(user, "#BOT#", bot->id, NULL);
    if (strcmp(sort_key, expected) != 0)
        return malformed(error, "SK is not made of PK, #BOT# and the bot's id");
    return true;
}

static bool
read_text(const Attributes *item, const char *name, char **value, GError **error)
{
    const char *text = NULL;

    if (!attribute_text(item, name, &text, error))
        return false;
    if (text != NULL)
    {
        g_free(*value);
        *value = g_strdup(text);
    }
    return true;
}

/* What is shown of a bot, and what it is sorted by. */
static bool
read_description(const Attributes *item, Bot *bot, GError **error)
{
    double last_used_ms = 0;

    if (!read_text(item, "Title", &bot->title, error) ||
        !read_text(item, "SyncStatus", &bot->sync_status, error) ||
        !read_text(item, "SyncStatusReason", &bot->sync_reason, error) ||
        !read_text(item, "LastExecId", &bot->last_exec_id, error) ||
        !attribute_number(item, "LastBotUsed", &last_used_ms, error))
        return false;
    bot->last_used_ms = (gint64) CLAMP(last_used_ms, 0, (double) (G_GINT64_CONSTANT(1) << 53));
    return true;
}

static bool
read_sources(
    const Attributes *knowledge, const char *name, SourceKind kind, Bot *bot, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!attribute_texts(knowledge, name, names, error))
        return false;
    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(bot->sources, source_new(kind, names->pdata[i]));
    return true;
}

/* The order is the one in which the guide's container loads them.  It never loads
 * s3_urls, so those come last and move nothing. */
static bool
read_knowledge(const Attributes *item, Bot *bot, GError **error)
{
    Attributes knowledge = {0};

    return attribute_map(item, "Knowledge", &knowledge, error) &&
           read_sources(&knowledge, "source_urls", SOURCE_URL, bot, error) &&
           read_sources(&knowledge, "sitemap_urls", SOURCE_SITEMAP, bot, error) &&
           read_sources(&knowledge, "filenames", SOURCE_FILE, bot, error) &&
           read_sources(&knowledge, "s3_urls", SOURCE_S3_PREFIX, bot, error);
}

static bool
read_count(const Attributes *map, const char *name, int min, int *value, GError **error)
{
    double number = *value;

    if (!attribute_number(map, name, &number, error))
        return false;
    if (number != floor(number) || number < min || number > MAX_COUNT)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "%s.%s is %.15g, not a whole number from %d to %d",
            map->name, name, number, min, MAX_COUNT);
        return false;
    }
    *value = (int) number;
    return true;
}

static bool
read_parameters(const Attributes *item, Bot *bot, GError **error)
{
    Attributes embedding = {0};
    Attributes search = {0};

    if (!attribute_map(item, "EmbeddingParams", &embedding, error) ||
        !read_count(&embedding, "chunk_size", 1, &bot->chunk_size, error) ||
        !read_count(&embedding, "chunk_overlap", 0, &bot->chunk_overlap, error) ||
        !attribute_flag(&embedding, "enable_partition_pdf", &bot->partition_pdf, error) ||
        !attribute_map(item, "SearchParams", &search, error) ||
        !read_count(&search, "max_results", 1, &bot->max_results, error))
        return false;

    if (bot->chunk_overlap > bot->chunk_size)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT,
            "EmbeddingParams.chunk_overlap is %d, more than the chunk_size of %d",
            bot->chunk_overlap, bot->chunk_size);
        return false;
    }
    return true;
}

static bool
read_kind(const Attributes *item, Bot *bot, GError **error)
{
    Attributes knowledge_base = {0};

    if (!attribute_map(item, "BedrockKnowledgeBase", &knowledge_base, error))
        return false;
    if (knowledge_base.members != NULL)
        bot->kind = BOT_KNOWLEDGE_BASE;
    return true;
}

/* True when nothing but a status is there: what an update of a deleted item leaves. */
static bool
is_ghost(const Attributes *item)
{
    static const char *const left_over[] = {
        "PK", "SK", "SyncStatus", "SyncStatusReason", "LastExecId", "LastBotUsed",
    };
    size_t known = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(left_over); i++)
        known += attribute_exists(item, left_over[i]) ? 1 : 0;
    return known > 2 && known == json_object_size(item->members);
}

static bool
fill(const Attributes *item, Bot *bot, GError **error)
{
    if (!read_description(item, bot, error) || !check_keys(item, bot, error))
        return false;
    if (is_ghost(item))
    {
        bot->kind = BOT_GHOST;
        return true;
    }
    if (!attribute_exists(item, "Title"))
        return malformed(error, "Title is missing");
    if (!read_kind(item, bot, error) || !read_knowledge(item, bot, error))
        return false;

    /* Those of version 2 have no parameters of ours, whatever stands there. */
    return bot->kind == BOT_KNOWLEDGE_BASE || read_parameters(item, bot, error);
}

static void
swap_texts(char **left, char **right)
{
    char *text = *left;
    *left = *right;
    *right = text;
}

/* The knowledge of a malformed bot is unknown: no source, no parameter half read stays. */
static Bot *
malformed_bot(Bot *half_read, const char *problem)
{
    Bot *bot = bot_new(half_read->user, half_read->id);

    bot->kind = BOT_MALFORMED;
    bot->problem = g_strdup(problem);
    bot->last_used_ms = half_read->last_used_ms;
    swap_texts(&bot->title, &half_read->title);
    swap_texts(&bot->sync_status, &half_read->sync_status);
    swap_texts(&bot->sync_reason, &half_read->sync_reason);
    swap_texts(&bot->last_exec_id, &half_read->last_exec_id);
    return bot;
}

/* An empty bot with the names that its keys give. */
static Bot *
named_bot(const Json *item)
{
    g_autofree char *user = key_text(item, "PK");
    g_autofree char *sort_key = key_text(item, "SK");
    const char *id = strrchr(sort_key, '#') + 1;

    if (user == NULL)
        user = g_strndup(sort_key, (gsize) (strstr(sort_key, "#BOT#") - sort_key));
    return bot_new(user, id);
}

Bot *
bot_from_item(const Json *item, const char *text_problem)
{
    const Attributes attributes = {.members = item};
    g_autoptr(GError) error = NULL;
    g_autoptr(Bot) bot = named_bot(item);
    const bool filled = fill(&attributes, bot, &error);

    if (!filled || text_problem != NULL)
    {
        g_autoptr(Bot) half_read = g_steal_pointer(&bot);
        bot = malformed_bot(half_read, text_problem != NULL ? text_problem : error->message);
    }
    bot_seal(bot);
    return g_steal_pointer(&bot);
}

int
bot_order(const void *left, const void *right)
{
    const Bot *a = *(Bot *const *) left;
    const Bot *b = *(Bot *const *) right;

    if (a->last_used_ms != b->last_used_ms)
        return a->last_used_ms > b->last_used_ms ? -1 : 1;
    const int users = strcmp(a->user, b->user);
    return users != 0 ? users : strcmp(a->id, b->id);
}
