#include "flow/ask_model.h"

#include "base/retry.h"
#include "flow/call.h"
#include "flow/stages.h"
#include "state/ledger.h"

#include <glib/gstdio.h>

static const RetryPolicy QUESTION_POLICY = {.attempts = 4, .first_ms = 500, .longest_ms = 4000};

/* A person waits. */
#define LONGEST_WAIT_MS (30 * 1000)

static TokenGuess
guess_of(const Embedder *embedder)
{
    const gint64 prefix = (gint64) embedder->info.prefix_bytes;
    const gint64 most = meter_most_tokens(STAGE_QUESTION) + prefix;
    return (TokenGuess){.expected = 1 + prefix / 4, .most = most};
}

static bool
ask_once(
    Embedder *embedder, Meter *meter, bool costs_money, Cancel *cancel, gint64 *wish_ms,
    GError **error)
{
    const TokenGuess guess = guess_of(embedder);
    EmbedReply reply = {0};
    gint64 ticket = 0;

    if (!meter_reserve(meter, guess.expected, guess.most, cancel, &ticket, error))
        return false;
    const bool answered = stage_probe(embedder, cancel, &reply, error);
    const gint64 bill = call_bill(&reply, answered, 1, guess, costs_money);
    *wish_ms = MIN(reply.retry_after_ms, LONGEST_WAIT_MS);
    embed_reply_clear(&reply);
    return meter_settle(meter, ticket, bill, answered ? error : NULL) && answered;
}

static bool
ask(Embedder *embedder, Meter *meter, bool costs_money, Cancel *cancel, GError **error)
{
    Retry retry = {.policy = &QUESTION_POLICY};

    for (;;)
    {
        g_autoptr(GError) problem = NULL;
        gint64 wish_ms = 0;
        gint64 wait_ms = 0;
        if (ask_once(embedder, meter, costs_money, cancel, &wish_ms, &problem))
            return meter_keep_dimensions(meter, embedder->info.dimensions, error);
        if (retry_again(&retry, problem, &wait_ms) && cancel_sleep(cancel, MAX(wait_ms, wish_ms)))
            continue;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
}

bool
ask_model(
    const Settings *settings, const char *run, Cancel *cancel, int *dimensions, GError **error)
{
    g_autofree char *folder = ledger_folder(settings_text(settings, SETTING_STATE));
    g_autofree char *path = ledger_meter_path(folder, run);
    g_autoptr(Embedder) embedder = stage_embedder(settings, 0, error);
    MeterLimits limits = {0};

    if (embedder == NULL || !stage_meter_limits(settings, &embedder->info, &limits, error))
        return false;
    g_mkdir_with_parents(folder, 0700); /* the meter says what is wrong with it */
    g_autoptr(Meter) meter = meter_open(path, &limits, error);
    if (meter == NULL || !meter_kept_dimensions(meter, dimensions, error))
        return false;
    if (*dimensions > 0)
        return true;
    if (!ask(embedder, meter, limits.usd_per_token > 0, cancel, error))
        return false;
    *dimensions = embedder->info.dimensions;
    return true;
}
