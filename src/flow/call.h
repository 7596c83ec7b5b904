/*
 * call.h - one batch through the provider: its turn, its money, its retries.
 */
#pragma once

#include "base/gate.h"
#include "embed/embedder.h"
#include "flow/batch.h"
#include "state/meter.h"

/* Of a call, before it is made. */
typedef struct
{
    gint64 expected;
    gint64 most;
} TokenGuess;

/*
 * What a call with so many texts cost: nothing when it was refused or never sent, else what the
 * provider says.  Where it says nothing, nothing that can be, or only that something failed, the
 * most is assumed if money is at stake.
 */
gint64 call_bill(
    const EmbedReply *reply, bool answered, guint texts, TokenGuess guess, bool costs_money);

typedef struct
{
    Embedder *embedder;
    Meter *meter;
    Gate *gate; /* as many places as calls may be in flight; closed when no further one is begun */
    double characters_per_token; /* for the rate's estimate */
    bool costs_money;            /* then an unknown bill is taken to be the highest */
    Cancel *enough;              /* no further call is begun; the one under way may end */
    Cancel *cancel;              /* ends the call under way, too */
    void (*throttled)(void *data, gint64 pause_ms); /* hears of pauses, in any thread */
    void *data;
} Caller;

/*
 * Fills the batch's vectors and adds what was billed to `tokens`.  Throttling, lost connections and
 * wrong answers are tried again; VF_ERROR_BAD_INPUT means that the provider refuses this batch as
 * it is.  Any other failure closes the gate before the next call is begun: who waits there gets
 * false without an error, for the reason is another's.
 */
bool call_embed(Caller *caller, Batch *batch, gint64 *tokens, GError **error);
