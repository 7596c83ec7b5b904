/*
 * planning.h - a small world to plan in: one catalogue, one store.
 */
#pragma once

#include "plan/make.h"

#define SPACE "hashing/words/1024"
#define LOADED_MS 2000000
#define MARKED_MS 3000000

typedef struct
{
    GPtrArray *bots;  /* of Bot */
    GPtrArray *looks; /* of BotLook */
    Observation *store;
    PlanInput input;
} World;

static inline World *
world_new(void)
{
    World *world = g_new0(World, 1);
    world->bots = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);
    world->looks = g_ptr_array_new_with_free_func((GDestroyNotify) bot_look_free);
    world->store = observation_new();
    world->store->identity = g_strdup("7/chat/items");
    world->store->address = g_strdup("database \"chat\"");
    world->input = (PlanInput){
        .catalogue = "bots.json",
        .bots = world->bots,
        .all = world->bots,
        .looks = world->looks,
        .store = world->store,
        .space = SPACE,
        .splitter = "guide",
        .price_origin = "--price",
        .rules =
            {
                .usd_per_token = 1e-6,
                .call_seconds = 0.5,
                .max_texts = 10,
                .calls_in_flight = 4,
                .workers = 2,
            },
        .now_ms = 4000000,
    };
    return world;
}

static inline void
world_free(World *world)
{
    g_ptr_array_unref(world->bots);
    g_ptr_array_unref(world->looks);
    observation_free(world->store);
    g_free(world);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* Adds a bot with files of 1000 bytes that last changed at second 1000; names end with NULL. */
static inline Bot *G_GNUC_NULL_TERMINATED
world_add(World *world, const char *user, const char *id, ...)
{
    Bot *bot = bot_new(user, id);
    BotLook *look = bot_look_new();
    va_list names;

    look->longest_chunk = 1200;
    look->chunk_size = bot->chunk_size;
    look->chunk_overlap = bot->chunk_overlap;
    va_start(names, id);
    for (const char *name = va_arg(names, const char *); name != NULL;
         name = va_arg(names, const char *))
    {
        SourceLook *source = source_look_new(name);
        source->facts = (DocumentFacts){.bytes = 1000, .modified_ms = 1000000};
        g_ptr_array_add(look->sources, source);
        g_ptr_array_add(bot->sources, source_new(SOURCE_FILE, name));
    }
    va_end(names);
    bot_seal(bot);
    g_ptr_array_add(world->bots, bot);
    g_ptr_array_add(world->looks, look);
    return bot;
}

static inline SourceLook *
world_look(const World *world, guint bot, guint source)
{
    return ((BotLook *) world->looks->pdata[bot])->sources->pdata[source];
}

/* Puts so many rows of a source into the store. */
static inline SourceRows *
world_put_rows(World *world, const char *bot, const char *label, gint64 count)
{
    BotRows *there = observation_bot(world->store, bot);
    SourceRows *rows = g_new0(SourceRows, 1);

    rows->source = g_strdup(label);
    rows->rows = count;
    rows->oldest_ms = LOADED_MS;
    g_hash_table_insert(there->sources, rows->source, rows);
    there->rows += count;
    world->store->rows += count;
    return rows;
}

/* Our worker's mark on the rows that are there, of files as they look now. */
static inline Mark *
world_mark(World *world, const Bot *bot)
{
    BotRows *there = observation_bot(world->store, bot->id);

    there->mark = mark_new();
    there->mark->run = g_strdup("earlier");
    there->mark->space = g_strdup(SPACE);
    there->mark->splitter = g_strdup("guide");
    there->mark->fingerprint = g_strdup(bot->fingerprint);
    there->mark->rows = there->rows;
    there->mark->marked_ms = MARKED_MS;
    there->mark->complete = true;
    for (guint i = 0; i < bot->sources->len; i++)
    {
        const char *label = ((const Source *) bot->sources->pdata[i])->name;
        const SourceRows *rows = g_hash_table_lookup(there->sources, label);
        MarkedSource *source = mark_source(there->mark, label);
        source->chunks = rows == NULL ? 0 : rows->rows;
        source->bytes = 1000;
        source->modified_ms = 1000000;
    }
    return there->mark;
}
