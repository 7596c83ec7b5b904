#include "progress/run_json.h"

#include "progress/pace.h"

/* jansson takes nothing but UTF-8, and a worker's last words may be anything. */
static Json *
text_to_json(const char *text)
{
    g_autofree char *valid = text == NULL ? NULL : g_utf8_make_valid(text, -1);
    return valid == NULL ? json_null() : json_string(valid);
}

static Json *
amount_to_json(double amount)
{
    return amount < 0 ? json_null() : json_real(amount);
}

static Json *
count_to_json(gint64 count)
{
    return count < 0 ? json_null() : json_integer(count);
}

static Json *
time_to_json(gint64 ms)
{
    if (ms <= 0)
        return json_null();
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = g_date_time_format_iso8601(time);
    return json_string(text);
}

static Json *
bot_to_json(const RunProgress *run, const BotProgress *bot, gint64 now_ms)
{
    const Pace pace = pace_of_bot(bot, now_ms);
    Json *json = json_pack(
        "{s:o, s:o, s:o, s:s, s:o, s:i, s:o, s:I, s:o, s:o}", "user", text_to_json(bot->user),
        "bot", text_to_json(bot->bot), "title", text_to_json(bot->title), "state",
        bot_state_name(bot->state), "evidence", text_to_json(evidence_name(bot->evidence)),
        "attempts", bot->attempts, "task", text_to_json(bot->task), "chunks",
        (json_int_t) bot->chunks, "code", text_to_json(bot->code), "reason",
        text_to_json(bot->reason));
    Json *more = json_pack(
        "{s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "reused", (json_int_t) bot->reused,
        "expected_chunks", count_to_json(bot->expected_chunks), "tokens", (json_int_t) bot->tokens,
        "usd", amount_to_json(run_progress_usd_of(run, bot)), "expected_usd",
        amount_to_json(bot->expected_usd), "chunks_per_second",
        amount_to_json(pace.chunks_per_second), "seconds_left", amount_to_json(pace.seconds_left),
        "started", time_to_json(bot->started_ms), "ended", time_to_json(bot->ended_ms));

    json_object_update_new(json, more);
    return json;
}

static Json *
bots_to_json(const RunProgress *run, gint64 now_ms)
{
    Json *list = json_array();
    for (guint i = 0; i < run->bots->len; i++)
        json_array_append_new(list, bot_to_json(run, run->bots->pdata[i], now_ms));
    return list;
}

static Json *
states_to_json(const RunProgress *run)
{
    Json *states = json_object();
    for (int i = BOT_PENDING; i <= BOT_SKIPPED; i++)
        json_object_set_new(
            states, bot_state_name((BotState) i),
            json_integer(run_progress_count(run, (BotState) i)));
    return states;
}

static Json *
total_to_json(const RunProgress *run)
{
    const Pace pace = pace_of_run(run, NULL);
    return json_pack(
        "{s:I, s:o, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:f}", "bots", (json_int_t) run->bots->len,
        "states", states_to_json(run), "chunks", (json_int_t) run_progress_chunks(run),
        "expected_chunks", amount_to_json(pace.expected_chunks), "tokens", (json_int_t) run->tokens,
        "usd", amount_to_json(run->usd), "expected_usd", amount_to_json(run->expected_usd),
        "chunks_per_second", amount_to_json(pace.chunks_per_second), "seconds_left",
        amount_to_json(pace.seconds_left), "worked_seconds", (double) run->worked_ms / 1000);
}

Json *
run_to_json(const RunProgress *run, gint64 now_ms)
{
    return json_pack(
        "{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "run", text_to_json(run->id), "kind",
        text_to_json(run->kind), "state", run_state_name(run->state), "store",
        text_to_json(run->store), "embedder", text_to_json(run->embedder), "created",
        time_to_json(run->created_ms), "ended", time_to_json(run->ended_ms), "bots",
        bots_to_json(run, now_ms), "total", total_to_json(run));
}
