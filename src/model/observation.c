#include "model/observation.h"

static void
source_rows_free(void *data)
{
    SourceRows *rows = data;
    g_free(rows->source);
    g_free(rows);
}

static void
marked_source_free(void *data)
{
    MarkedSource *source = data;
    g_free(source->failure);
    g_free(source);
}

Mark *
mark_new(void)
{
    Mark *mark = g_new0(Mark, 1);
    mark->sources = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, marked_source_free);
    return mark;
}

MarkedSource *
mark_source(Mark *mark, const char *label)
{
    MarkedSource *source = g_hash_table_lookup(mark->sources, label);
    if (source == NULL)
    {
        source = g_new0(MarkedSource, 1);
        source->bytes = source->modified_ms = -1;
        g_hash_table_insert(mark->sources, g_strdup(label), source);
    }
    return source;
}

void
mark_free(Mark *mark)
{
    if (mark == NULL)
        return;
    g_free(mark->run);
    g_free(mark->space);
    g_free(mark->splitter);
    g_free(mark->fingerprint);
    g_hash_table_unref(mark->sources);
    g_free(mark);
}

static void
bot_rows_free(void *data)
{
    BotRows *rows = data;
    g_hash_table_unref(rows->sources);
    mark_free(rows->mark);
    g_free(rows);
}

Observation *
observation_new(void)
{
    Observation *observation = g_new0(Observation, 1);
    observation->bots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bot_rows_free);
    return observation;
}

void
observation_free(Observation *observation)
{
    if (observation == NULL)
        return;
    g_free(observation->identity);
    g_free(observation->address);
    g_hash_table_unref(observation->bots);
    g_free(observation);
}

BotRows *
observation_bot(Observation *observation, const char *bot)
{
    BotRows *rows = g_hash_table_lookup(observation->bots, bot);
    if (rows == NULL)
    {
        rows = g_new0(BotRows, 1);
        rows->sources = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, source_rows_free);
        g_hash_table_insert(observation->bots, g_strdup(bot), rows);
    }
    return rows;
}

const BotRows *
observation_find(const Observation *observation, const char *bot)
{
    return g_hash_table_lookup(observation->bots, bot);
}
