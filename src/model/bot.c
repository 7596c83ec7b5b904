/*
 * References are counted here and not by a g_atomic_rc_box: ThreadSanitizer sees
 * nothing of the order that GLib's own atomics give, and takes the last release for a
 * race with earlier reads of other threads.
 */
#include "model/bot.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

typedef struct
{
    atomic_uint references;
    Bot bot;
} CountedBot;

static CountedBot *
counted(Bot *bot)
{
    return (CountedBot *) (void *) ((char *) bot - offsetof(CountedBot, bot));
}

Bot *
bot_new(const char *user, const char *id)
{
    CountedBot *box = g_new0(CountedBot, 1);
    Bot *bot = &box->bot;

    atomic_init(&box->references, 1);
    bot->kind = BOT_VECTOR;
    bot->user = g_strdup(user);
    bot->id = g_strdup(id);
    bot->title = g_strdup("");
    bot->sources = g_ptr_array_new_with_free_func((GDestroyNotify) source_free);
    bot->chunk_size = 1000;
    bot->chunk_overlap = 200;
    bot->max_results = 20;
    bot->sync_status = g_strdup("");
    bot->sync_reason = g_strdup("");
    bot->last_exec_id = g_strdup("");
    return bot;
}

Bot *
bot_ref(Bot *bot)
{
    atomic_fetch_add(&counted(bot)->references, 1);
    return bot;
}

static void
bot_free(Bot *bot)
{
    g_free(bot->problem);
    g_free(bot->user);
    g_free(bot->id);
    g_free(bot->title);
    g_ptr_array_unref(bot->sources);
    g_free(bot->sync_status);
    g_free(bot->sync_reason);
    g_free(bot->last_exec_id);
    g_free(bot->fingerprint);
    g_free(counted(bot));
}

void
bot_unref(Bot *bot)
{
    if (bot != NULL && atomic_fetch_sub(&counted(bot)->references, 1) == 1)
        bot_free(bot);
}

/* Feeds a string with its end, so that "a" + "bc" and "ab" + "c" differ. */
static void
checksum_add(GChecksum *checksum, const char *text)
{
    g_checksum_update(checksum, (const guchar *) text, -1);
    g_checksum_update(checksum, (const guchar *) "", 1);
}

/* A source that is named again is still one source: its rows shall be there once. */
static void
drop_repeated_sources(Bot *bot)
{
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < bot->sources->len;)
    {
        const Source *source = bot->sources->pdata[i];
        char *key = g_strdup_printf("%d %s", (int) source->kind, source->name);
        if (g_hash_table_add(known, key))
            i++;
        else
            g_ptr_array_remove_index(bot->sources, i);
    }
}

void
bot_seal(Bot *bot)
{
    drop_repeated_sources(bot);
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *parameters = g_strdup_printf(
        "%d %d %d %d", (int) bot->kind, bot->chunk_size, bot->chunk_overlap, bot->partition_pdf);

    checksum_add(checksum, bot->user);
    checksum_add(checksum, bot->id);
    checksum_add(checksum, parameters);
    for (guint i = 0; i < bot->sources->len; i++)
    {
        const Source *source = bot->sources->pdata[i];
        checksum_add(checksum, source_kind_name(source->kind));
        checksum_add(checksum, source->name);
    }
    g_free(bot->fingerprint);
    bot->fingerprint = g_strdup(g_checksum_get_string(checksum));
}

char *
bot_key(const char *user, const char *id)
{
    return g_strdup_printf("%zu %s %s", strlen(user), user, id);
}

const char *
bot_kind_name(BotKind kind)
{
    switch (kind)
    {
    case BOT_VECTOR:
        return "vector";
    case BOT_KNOWLEDGE_BASE:
        return "knowledge-base";
    case BOT_GHOST:
        return "ghost";
    case BOT_MALFORMED:
        return "malformed";
    }
    g_assert_not_reached();
}

bool
bot_has_knowledge(const Bot *bot)
{
    return bot->sources->len > 0;
}
