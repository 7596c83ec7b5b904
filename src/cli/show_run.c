#include "cli/show_run.h"

#include "cli/text.h"
#include "progress/facts.h"
#include "progress/run_json.h"

#include <stdio.h>
#include <string.h>

static void
show_unlucky(const RunProgress *run)
{
    static const char *const TITLES[] = {"STATE", "BOT", "TITLE", "ATTEMPTS", "WHY", NULL};
    g_autoptr(TextTable) table = text_table_new(TITLES);

    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        if (bot->state != BOT_FAILED && bot->state != BOT_SKIPPED)
            continue;
        g_autofree char *attempts = g_strdup_printf("%d", bot->attempts);
        const char *cells[] = {
            bot_state_name(bot->state), bot->bot, bot->title, attempts, bot->reason};
        text_table_add(table, cells);
    }
    text_table_print(table);
}

/* Of bots that were loaded in part, too, and of those whose earlier rows stand. */
static double
chunks_of(const RunProgress *run)
{
    double chunks = 0;
    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        if (bot->evidence == EVIDENCE_PROVEN)
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
        "Run %s finished: %u of %u bots are in %s, %s %s; %u failed, %u skipped; %s tokens, "
        "cost "
        "%s\n",
        run->id, good, run->bots->len, run->store, chunks,
        strcmp(chunks, "1") == 0 ? "chunk" : "chunks", failed, skipped, tokens, usd);
    if (failed + skipped == 0)
        return;
    puts("");
    show_unlucky(run);
}

static void
show_bots(const RunProgress *run)
{
    static const char *const TITLES[] = {"STATE",  "EVIDENCE", "ATTEMPTS", "CHUNKS",
                                         "TOKENS", "COST",     "CHUNKS/S", "LEFT",
                                         "BOT",    "TITLE",    "WHY",      NULL};
    const gint64 now_ms = g_get_real_time() / 1000;
    g_autoptr(TextTable) table = text_table_new(TITLES);

    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        const Pace pace = pace_of_bot(bot, now_ms);
        g_autofree char *attempts = g_strdup_printf("%d", bot->attempts);
        g_autofree char *chunks = facts_chunks(bot->chunks, pace.expected_chunks);
        g_autofree char *tokens = text_count((double) bot->tokens);
        g_autofree char *cost = facts_usd(run_progress_usd_of(run, bot), bot->expected_usd);
        g_autofree char *rate = facts_rate(pace.chunks_per_second);
        g_autofree char *left =
            pace.seconds_left < 0 ? g_strdup("") : text_duration(pace.seconds_left);
        const char *cells[] = {
            bot_state_name(bot->state),
            evidence_name(bot->evidence),
            attempts,
            chunks,
            tokens,
            cost,
            rate,
            left,
            bot->bot,
            bot->title,
            bot->reason};
        text_table_add(table, cells);
    }
    text_table_print(table);
}

void
show_status(const RunProgress *run)
{
    const Pace pace = pace_of_run(run, NULL);
    g_auto(GStrv) facts = facts_of_run(run, &pace);
    g_autofree char *line = g_strjoinv(", ", facts);
    g_autofree char *store = text_safe(run->store);

    printf(
        "Run %s (%s) into %s: %s\n%s\n", run->id, run->kind, store, run_state_name(run->state),
        line);
    if (run->state == RUN_INTERRUPTED)
        puts("Nobody works at it; the same command goes on.");
    puts("");
    show_bots(run);
}

void
print_run_json(const RunProgress *run)
{
    g_autoptr(Json) json = run_to_json(run, g_get_real_time() / 1000);
    json_dumpf(json, stdout, JSON_INDENT(2));
    puts("");
}
