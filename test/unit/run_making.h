/*
 * run_making.h - runs as tests want them.
 */
#pragma once

#include "model/run.h"

static inline RunProgress *
new_run(RunState state)
{
    RunProgress *run = run_progress_new();
    run->id = g_strdup("0123456789");
    run->kind = g_strdup("apply");
    run->store = g_strdup("database \"chat\" at db");
    run->embedder = g_strdup("openai/test/1024");
    run->state = state;
    return run;
}

static inline BotProgress *
add_bot(RunProgress *run, const char *title, BotState state, gint64 chunks, gint64 expected)
{
    g_autofree char *id = g_strdup_printf("bot-%u", run->bots->len);
    BotProgress *bot = bot_progress_new("ana", id, title);

    bot->state = state;
    bot->chunks = chunks;
    bot->expected_chunks = expected;
    bot->attempts = state == BOT_PENDING || state == BOT_SKIPPED ? 0 : 1;
    g_ptr_array_add(run->bots, bot);
    return bot;
}
