#include "cli/show_run.h"

#include "cli/text.h"

#include <stdio.h>

static void
show_unlucky(const RunProgress *run)
{
    static const char *const TITLES[] = {"STATE", "BOT", "TITLE", "ATTEMPTS", "WHY", NULL};
    g_autoptr(Table) table = table_new(TITLES);

    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        if (bot->state != BOT_FAILED && bot->state != BOT_SKIPPED)
            continue;
        g_autofree char *attempts = g_strdup_printf("%d", bot->attempts);
        const char *cells[] = {
            bot_state_name(bot->state), bot->bot, bot->title, attempts, bot->reason};
        table_add(table, cells);
    }
    table_print(table);
}

static double
chunks_of(const RunProgress *run)
{
    double chunks = 0;
    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        if (bot->state == BOT_SUCCEEDED)
            chunks += (double) bot->chunks;
    }
    return chunks;
}

void
show_run(const RunProgress *run)
{
    const guint good = run_progress_count(run, BOT_SUCCEEDED);
    const guint failed = run_progress_count(run, BOT_FAILED);
    const guint skipped = run_progress_count(run, BOT_SKIPPED);
    g_autofree char *chunks = text_count(chunks_of(run));
    g_autofree char *tokens = text_count((double) run->tokens);
    g_autofree char *usd = text_usd(run->usd);

    printf(
        "Run %s finished: %u of %u bots are in %s, %s chunks; %u failed, %u skipped; %s tokens, "
        "cost "
        "%s\n",
        run->id, good, run->bots->len, run->store, chunks, failed, skipped, tokens, usd);
    if (failed + skipped == 0)
        return;
    puts("");
    show_unlucky(run);
}
