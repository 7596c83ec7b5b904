#include "progress/pace.h"

/* The rate that is shown is of this moment; the time left rests on a steadier one. */
#define RATE_WINDOW_MS 10000
#define LEFT_WINDOW_MS 60000

/* Bots that were embedded by this run: what they had, and what was expected. */
typedef struct
{
    double bots;
    double chunks;
    double chunks_of_expected; /* of those bots of which something was expected */
    double expected;
} Experience;

static Experience
experience_of(const RunProgress *run)
{
    Experience sum = {0};
    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        if (bot->state != BOT_SUCCEEDED || bot->attempts == 0)
            continue;
        sum.bots++;
        sum.chunks += (double) bot->chunks;
        if (bot->expected_chunks <= 0)
            continue;
        sum.chunks_of_expected += (double) bot->chunks;
        sum.expected += (double) bot->expected_chunks;
    }
    return sum;
}

/* What an unfinished bot will have in the end; negative unknown. */
static double
expected_of(const BotProgress *bot, const Experience *experience)
{
    const double there = (double) bot->chunks;
    const double correction =
        experience->expected > 0 ? experience->chunks_of_expected / experience->expected : 1;

    if (bot->expected_chunks >= 0)
        return MAX((double) bot->expected_chunks * correction, there);
    if (experience->bots > 0)
        return MAX(experience->chunks / experience->bots, there);
    return -1;
}

double
pace_expected_chunks(const RunProgress *run)
{
    const Experience experience = experience_of(run);
    double sum = 0;

    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        const double expected =
            bot_state_is_final(bot->state) ? (double) bot->chunks : expected_of(bot, &experience);
        if (expected < 0)
            return -1;
        sum += expected;
    }
    return sum;
}

gint64
pace_embedded_chunks(const RunProgress *run)
{
    gint64 chunks = 0;
    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        if (bot->attempts > 0)
            chunks += MAX(bot->chunks - bot->reused, 0);
    }
    return chunks;
}

static double
average_rate(const RunProgress *run)
{
    if (run->worked_ms <= 0)
        return -1;
    return 1000.0 * (double) pace_embedded_chunks(run) / (double) run->worked_ms;
}

/* Who has all that was expected and still works has more than was expected: nobody knows. */
static double
seconds_for(double chunks, double chunks_per_second)
{
    return chunks > 0 && chunks_per_second > 0 ? chunks / chunks_per_second : -1;
}

static bool
is_anything_left(const RunProgress *run)
{
    for (guint i = 0; i < run->bots->len; i++)
        if (!bot_state_is_final(((const BotProgress *) run->bots->pdata[i])->state))
            return true;
    return false;
}

Pace
pace_of_run(const RunProgress *run, const Rate *rate)
{
    const double average = average_rate(run);
    double now = rate == NULL ? -1 : rate_per_second(rate, RATE_WINDOW_MS);
    double steady = rate == NULL ? -1 : rate_per_second(rate, LEFT_WINDOW_MS);
    Pace pace = {
        .chunks_per_second = now < 0 ? average : now,
        .expected_chunks = pace_expected_chunks(run),
        .seconds_left = -1,
    };

    if (run->state == RUN_RUNNING && !is_anything_left(run))
        pace.seconds_left = 0;
    else if (run->state == RUN_RUNNING && pace.expected_chunks >= 0)
        pace.seconds_left = seconds_for(
            pace.expected_chunks - (double) run_progress_chunks(run),
            steady < 0 ? average : steady);
    return pace;
}

Pace
pace_of_bot(const BotProgress *bot, gint64 now_ms)
{
    const gint64 until_ms = bot->ended_ms > 0 ? bot->ended_ms : now_ms;
    const gint64 ms = until_ms - bot->started_ms;
    const bool begun = bot->attempts > 0 && bot->started_ms > 0 && bot->state != BOT_PENDING;
    Pace pace = {-1, -1, -1};

    if (begun && ms > 0)
        pace.chunks_per_second = 1000.0 * (double) MAX(bot->chunks - bot->reused, 0) / (double) ms;
    if (bot_state_is_final(bot->state))
        pace.expected_chunks = (double) bot->chunks;
    else if (bot->expected_chunks >= 0)
        pace.expected_chunks = (double) MAX(bot->expected_chunks, bot->chunks);
    if (bot->state == BOT_RUNNING && pace.expected_chunks >= 0)
        pace.seconds_left =
            seconds_for(pace.expected_chunks - (double) bot->chunks, pace.chunks_per_second);
    return pace;
}
