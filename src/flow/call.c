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
 * Every text has a token, and a token has a byte.  A bill outside of that is a mistake, and would
 * make room under the cap or fill it for good.
 */
static bool
is_believable(guint64 bill, guint texts, TokenGuess guess)
{
    return bill >= texts && bill <= (guint64) guess.most;
}

gint64
call_bill(const EmbedReply *reply, bool answered, guint texts, TokenGuess guess, bool costs_money)
{
    if (reply->refused || reply->unsent)
        return 0;
    if (answered && is_believable(reply->tokens, texts, guess))
        return (gint64) reply->tokens;
    return costs_money ? guess.most : guess.expected;
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

/* What one call cost and brought. */
typedef struct
{
    gint64 ticket; /* of its reservation */
    gint64 billed;
    EmbedReply reply;
} Exchange;

static void
exchange_clear(Exchange *exchange)
{
    embed_reply_clear(&exchange->reply);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Exchange, exchange_clear)

/* Throttled: the next attempt's turn, and everybody's, comes after the pause. */
static bool
cool_down(Caller *caller, gint64 wish_ms, GError **error)
{
    gint64 pause_ms = 0;
    if (!meter_cool_down(caller->meter, wish_ms, &pause_ms, error))
        return false;
    caller->throttled(caller->data, pause_ms);
    return true;
}

/* One attempt, from the reservation to all that the next call must know of it. */
static Attempt
attempt(Caller *caller, const Batch *batch, Exchange *exchange, GError **error)
{
    const TokenGuess guess = guess_tokens(caller, batch);
    EmbedReply *reply = &exchange->reply;
    g_autoptr(GError) problem = NULL;

    if (!meter_reserve(
            caller->meter, guess.expected, guess.most, caller->enough, &exchange->ticket, error))
        return UNMETERED;
    fault_point(FAULT_AFTER_RESERVE);
    const bool answered = call_provider(caller, batch, reply, &problem);
    fault_point(FAULT_AFTER_EMBED);

    exchange->billed = call_bill(reply, answered, batch->chunks->len, guess, caller->costs_money);
    if (!meter_hear_limits(
            caller->meter, reply->requests_per_minute, reply->tokens_per_minute, error))
        return UNMETERED;
    if (answered)
        return ANSWERED;
    if (!meter_settle(caller->meter, exchange->ticket, exchange->billed, error) ||
        (retry_is_busy(problem) && !cool_down(caller, reply->retry_after_ms, error)))
        return UNMETERED;
    g_propagate_error(error, g_steal_pointer(&problem));
    return REFUSED;
}

/* The bill of an answered call is written when another may call already. */
static bool
take_answer(Caller *caller, Batch *batch, Exchange *exchange, GError **error)
{
    if (!meter_settle(caller->meter, exchange->ticket, exchange->billed, error) ||
        !meter_praise(caller->meter, error))
        return false;
    batch->vectors = g_steal_pointer(&exchange->reply.vectors);
    return true;
}

/* A throttled call waits for its turn with all others. */
static bool
may_pass(Retry *busy, Retry *lost, const GError *problem, gint64 *wait_ms)
{
    if (!retry_is_busy(problem))
        return retry_again(lost, problem, wait_ms);
    const bool again = retry_again(busy, problem, wait_ms);
    *wait_ms = 0;
    return again;
}

bool
call_embed(Caller *caller, Batch *batch, gint64 *tokens, GError **error)
{
    Retry busy = {.policy = &BUSY_POLICY};
    Retry lost = {.policy = &LOST_POLICY};

    while (gate_enter(caller->gate))
    {
        g_auto(Exchange) exchange = {0};
        g_autoptr(GError) problem = NULL;
        gint64 wait_ms = 0;

        const Attempt came = attempt(caller, batch, &exchange, &problem);
        *tokens += exchange.billed;
        const bool again = came == REFUSED && may_pass(&busy, &lost, problem, &wait_ms);
        const bool over =
            came != ANSWERED && !again && !g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT);
        if (over)
            gate_close(caller->gate);
        gate_leave(caller->gate);

        if (came == ANSWERED)
            return take_answer(caller, batch, &exchange, error);
        if (again && cancel_sleep(caller->enough, wait_ms))
            continue;

        const int attempts = busy.failures + lost.failures + 1;
        if (attempts > 1)
            g_prefix_error(&problem, "after %d attempts: ", attempts);
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    return false;
}
