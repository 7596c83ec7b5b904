#include "flow/call.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/retry.h"

#include <math.h>
#include <string.h>

/* Throttling is waited out for long; an answer that is wrong again and again is not. */
static const RetryPolicy BUSY_POLICY = {.attempts = 60, .first_ms = 200, .longest_ms = 30000};
static const RetryPolicy LOST_POLICY = {
    .attempts = 8, .first_ms = 250, .longest_ms = 15000, .failed_too = true};

typedef struct
{
    gint64 expected;
    gint64 most;
} TokenGuess;

static TokenGuess
guess_tokens(const Caller *caller, const Batch *batch)
{
    const gint64 prefix = (gint64) caller->embedder->info.prefix_bytes;
    TokenGuess guess = {0};
    for (guint i = 0; i < batch->chunks->len; i++)
    {
        const char *text = batch_chunk(batch, i)->text;
        const double characters = (double) (g_utf8_strlen(text, -1) + prefix);
        guess.expected += (gint64) ceil(characters / caller->characters_per_token);
        guess.most += meter_most_tokens(text) + prefix;
    }
    return guess;
}

/*
 * What the call cost.  Neither a refusal nor what was never sent costs anything; where nobody knows
 * or a provider that costs money does not say) the worst is assumed.
 */
static gint64
billed_tokens(
    const Caller *caller, const EmbedReply *reply, const GError *problem, TokenGuess guess)
{
    if (reply->refused || reply->unsent)
        return 0;
    if (problem == NULL && reply->tokens > 0)
        return (gint64) reply->tokens;
    if (problem == NULL)
        return caller->costs_money ? guess.most : guess.expected;
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_CONNECT) ||
        g_error_matches(problem, VF_ERROR, VF_ERROR_FAILED) ||
        g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
        return guess.most;
    return 0;
}

static bool
call_provider(Caller *caller, const Batch *batch, EmbedReply *reply, GError **error)
{
    g_autofree const char **texts = g_new0(const char *, batch->chunks->len);
    for (guint i = 0; i < batch->chunks->len; i++)
        texts[i] = batch_chunk(batch, i)->text;
    return caller->embedder->embed(
        caller->embedder, texts, batch->chunks->len, EMBED_DOCUMENT, caller->cancel, reply, error);
}

typedef enum
{
    ANSWERED,
    REFUSED,   /* by the provider, or its answer was lost or wrong */
    UNMETERED, /* our own books failed: without them nothing is sent */
} Attempt;

/* One attempt, from the reservation to the bill. */
static Attempt
attempt(Caller *caller, Batch *batch, gint64 *tokens, gint64 *wish_ms, GError **error)
{
    EmbedReply reply = {0};
    g_autoptr(GError) problem = NULL;
    const TokenGuess guess = guess_tokens(caller, batch);
    gint64 ticket = 0;

    if (!meter_reserve(caller->meter, guess.expected, guess.most, caller->enough, &ticket, error))
        return UNMETERED;
    fault_point(FAULT_AFTER_RESERVE);
    const bool answered = call_provider(caller, batch, &reply, &problem);
    fault_point(FAULT_AFTER_EMBED);

    const gint64 billed = billed_tokens(caller, &reply, problem, guess);
    *tokens += billed;
    *wish_ms = reply.retry_after_ms;
    const bool metered =
        meter_settle(caller->meter, ticket, billed, error) &&
        meter_hear_limits(
            caller->meter, reply.requests_per_minute, reply.tokens_per_minute, error) &&
        (!answered || meter_praise(caller->meter, error));
    if (answered && metered)
        batch->vectors = g_steal_pointer(&reply.vectors);
    embed_reply_clear(&reply);
    if (!metered)
        return UNMETERED;
    if (answered)
        return ANSWERED;
    g_propagate_error(error, g_steal_pointer(&problem));
    return REFUSED;
}

/* The next attempt's turn comes after the pause. */
static bool
cool_down(Caller *caller, gint64 wish_ms)
{
    gint64 pause_ms = 0;
    if (!meter_cool_down(caller->meter, wish_ms, &pause_ms, NULL))
        return false;
    caller->throttled(caller->data, pause_ms);
    return true;
}

/* Waits before the next attempt; false when there shall be none. */
static bool
wait_before_next(Caller *caller, Retry *busy, Retry *lost, const GError *problem, gint64 wish_ms)
{
    gint64 wait_ms = 0;

    if (retry_is_busy(problem))
        return retry_again(busy, problem, &wait_ms) && cool_down(caller, wish_ms);
    return retry_again(lost, problem, &wait_ms) && cancel_sleep(caller->enough, wait_ms);
}

bool
call_embed(Caller *caller, Batch *batch, gint64 *tokens, GError **error)
{
    Retry busy = {.policy = &BUSY_POLICY};
    Retry lost = {.policy = &LOST_POLICY};

    for (;;)
    {
        g_autoptr(GError) problem = NULL;
        gint64 wish_ms = -1;
        const Attempt came = attempt(caller, batch, tokens, &wish_ms, &problem);
        if (came == ANSWERED)
            return true;
        if (came == REFUSED && wait_before_next(caller, &busy, &lost, problem, wish_ms))
            continue;

        const int attempts = busy.failures + lost.failures + 1;
        if (attempts > 1)
            g_prefix_error(&problem, "after %d attempts: ", attempts);
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}
