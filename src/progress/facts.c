#include "progress/facts.h"

#include "base/text.h"

#include <string.h>

/* Takes the fact. */
static void
add(GPtrArray *facts, char *fact)
{
    g_ptr_array_add(facts, fact);
}

static void
add_count(GPtrArray *facts, guint count, const char *word)
{
    g_autofree char *number = text_count(count);
    if (count > 0)
        add(facts, g_strdup_printf("%s %s", number, word));
}

static char **
end_facts(GPtrArray *facts)
{
    g_ptr_array_add(facts, NULL);
    return (char **) g_ptr_array_free(facts, FALSE);
}

char *
facts_chunks(gint64 chunks, double expected)
{
    g_autofree char *there = text_count((double) chunks);
    g_autofree char *in_all = text_count(expected);

    if (expected <= (double) chunks)
        return g_steal_pointer(&there);
    return g_strdup_printf("%s of about %s", there, in_all);
}

char *
facts_usd(double usd, double expected)
{
    g_autofree char *spent = text_usd(usd);
    g_autofree char *in_all = text_usd(expected);

    if (usd < 0 || expected <= 0)
        return g_steal_pointer(&spent);
    return g_strdup_printf("%s of about %s", spent, in_all);
}

char *
facts_rate(double per_second)
{
    if (per_second < 0)
        return g_strdup("");
    if (per_second >= 10)
        return text_count(per_second);
    return g_strdup_printf("%.1f", per_second);
}

static void
add_bots(GPtrArray *facts, const RunProgress *run)
{
    g_autofree char *done = text_count(run_progress_count(run, BOT_SUCCEEDED));
    g_autofree char *all = text_count(run->bots->len);

    add(facts, g_strdup_printf("%s of %s bots done", done, all));
    add_count(facts, run_progress_count(run, BOT_FAILED), "failed");
    add_count(facts, run_progress_count(run, BOT_SKIPPED), "skipped");
}

static void
add_chunks(GPtrArray *facts, gint64 chunks, double expected)
{
    g_autofree char *count = facts_chunks(chunks, expected);
    add(facts, g_strdup_printf("%s %s", count, strcmp(count, "1") == 0 ? "chunk" : "chunks"));
}

static void
add_expectation(GPtrArray *facts, double expected)
{
    g_autofree char *count = text_count(expected);
    add(facts, g_strdup_printf("about %s %s", count, strcmp(count, "1") == 0 ? "chunk" : "chunks"));
}

static void
add_rate(GPtrArray *facts, double per_second, const char *words)
{
    g_autofree char *rate = facts_rate(per_second);
    if (per_second >= 0)
        add(facts, g_strdup_printf("%s %s", rate, words));
}

static void
add_tokens(GPtrArray *facts, gint64 tokens)
{
    g_autofree char *count = text_count((double) tokens);
    add(facts, g_strdup_printf("%s tokens", count));
}

static void
add_cost(GPtrArray *facts, double usd, double expected)
{
    char *cost = facts_usd(usd, expected);
    if (usd >= 0)
        add(facts, cost);
    else
    {
        g_free(cost);
        add(facts, g_strdup("cost unknown"));
    }
}

static void
add_time_left(GPtrArray *facts, double seconds)
{
    g_autofree char *left = text_duration(seconds);
    if (seconds < 0)
        add(facts, g_strdup("time left unknown"));
    else
        add(facts, g_strdup_printf("%s left", left));
}

char **
facts_of_run(const RunProgress *run, const Pace *pace)
{
    const bool running = run->state == RUN_RUNNING;
    GPtrArray *facts = g_ptr_array_new();

    add_bots(facts, run);
    add_chunks(facts, run_progress_chunks(run), pace->expected_chunks);
    add_rate(facts, pace->chunks_per_second, running ? "chunks/s" : "chunks/s on average");
    add_tokens(facts, run->tokens);
    add_cost(facts, run->usd, run->expected_usd);
    if (running)
        add_time_left(facts, pace->seconds_left);
    return end_facts(facts);
}

char **
facts_of_bot(const RunProgress *run, const BotProgress *bot, gint64 now_ms)
{
    const Pace pace = pace_of_bot(bot, now_ms);
    GPtrArray *facts = g_ptr_array_new();

    if (bot->state == BOT_PENDING && pace.expected_chunks > 0)
        add_expectation(facts, pace.expected_chunks);
    else
        add_chunks(facts, bot->chunks, pace.expected_chunks);
    if (bot->attempts > 1)
        add(facts, g_strdup_printf("attempt %d", bot->attempts));
    if (bot->state == BOT_RUNNING && bot->chunks > 0)
    {
        add_rate(facts, pace.chunks_per_second, "chunks/s");
        if (pace.seconds_left >= 0)
            add_time_left(facts, pace.seconds_left);
    }
    if (bot->attempts > 0)
    {
        add_tokens(facts, bot->tokens);
        add_cost(facts, run_progress_usd_of(run, bot), bot->expected_usd);
    }
    return end_facts(facts);
}
