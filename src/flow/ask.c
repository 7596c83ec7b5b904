#include "flow/ask.h"

#include "base/error.h"
#include "base/nearest.h"
#include "base/retry.h"
#include "flow/stages.h"
#include "store/bot_facts.h"

/* A person waits. */
static const RetryPolicy QUESTION_POLICY = {.attempts = 4, .first_ms = 500, .longest_ms = 4000};
#define LONGEST_WAIT_MS (30 * 1000)

void
reply_free(Reply *reply)
{
    if (reply == NULL)
        return;
    g_free(reply->store);
    g_free(reply->space);
    g_free(reply->rows_space);
    g_ptr_array_unref(reply->answers);
    g_free(reply);
}

/* --- whether it makes sense to ask --------------------------------------------------------- */

static void
set_no_rows_error(Store *store, const char *bot, GError **error)
{
    g_auto(GStrv) bots = store_bots(store, error);
    if (bots == NULL)
        return;
    const char *near = nearest(bot, bots);
    g_autofree char *meant =
        near == NULL ? g_strdup("") : g_strdup_printf("the nearest bot there is \"%s\"; ", near);

    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "bot \"%s\" has no rows in %s", bot, store->address);
    vf_error_hint(
        error, "%s`vecferry plan` shows what is missing, `vecferry apply` loads it", meant);
}

static bool
check_space(
    Store *store, const AskOptions *options, const char *space, BotFacts *facts, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (!bot_facts_read_space(store, options->bot, facts, &problem))
    {
        if (options->force && g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
            return true;
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (facts->space == NULL || g_str_equal(facts->space, space))
        return true;

    g_autofree char *difference = g_strdup_printf(
        "the vectors of bot \"%s\" are of the space %s, the question's of %s", options->bot,
        facts->space, space);
    if (options->force)
    {
        notes_say(options->notes, "%s", difference);
        return true;
    }
    g_set_error_literal(error, VF_ERROR, VF_ERROR_MISMATCH, difference);
    vf_error_hint(
        error, "the distances would mean nothing: ask with the embedder that made the rows, or "
               "--force");
    return false;
}

/* A column that takes vectors of any length holds what was put there. */
static bool
check_dimensions(
    const Store *store, const BotFacts *facts, const Embedder *embedder, GError **error)
{
    const int dimensions = embedder->info.dimensions;
    if (facts->dimensions == 0 || dimensions == 0 || facts->dimensions == dimensions)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "%s holds vectors of %d dimensions, the model makes %d",
        store->table, facts->dimensions, dimensions);
    vf_error_hint(error, "ask with the model that made the rows");
    return false;
}

/* --- the question's vector ----------------------------------------------------------------- */

static float *
embed_question(
    Embedder *embedder, const char *question, Cancel *cancel, gint64 *tokens, GError **error)
{
    Retry retry = {.policy = &QUESTION_POLICY};

    for (;;)
    {
        g_autoptr(GError) problem = NULL;
        EmbedReply reply = {0};
        gint64 wait_ms = 0;
        const bool answered =
            embedder->embed(embedder, &question, 1, EMBED_QUERY, cancel, &reply, &problem);
        float *vector = g_steal_pointer(&reply.vectors);
        const gint64 wish_ms = MIN(reply.retry_after_ms, LONGEST_WAIT_MS);
        *tokens += (gint64) reply.tokens;
        embed_reply_clear(&reply);
        if (answered)
            return vector;
        g_free(vector);
        if (retry_again(&retry, problem, &wait_ms) && cancel_sleep(cancel, MAX(wait_ms, wish_ms)))
            continue;
        g_propagate_prefixed_error(
            error, g_steal_pointer(&problem), "could not embed the question: ");
        return NULL;
    }
}

/* --- the whole ----------------------------------------------------------------------------- */

/* Everything that can be known without the provider comes before it is paid. */
static bool
prepare(
    Store *store, Embedder *embedder, const AskOptions *options, BotFacts *facts, Cancel *cancel,
    gint64 *tokens, GError **error)
{
    if (!store_check_reading(store, 0, error) || !bot_facts_read(store, options->bot, facts, error))
        return false;
    if (facts->rows == 0)
    {
        set_no_rows_error(store, options->bot, error);
        return false;
    }
    EmbedReply reply = {0};
    const bool known = stage_probe(embedder, cancel, &reply, error);
    *tokens += (gint64) reply.tokens;
    embed_reply_clear(&reply);
    if (!known)
        return false;
    g_autofree char *space = embedder_space(embedder);
    return store_check_reading(store, embedder->info.dimensions, error) &&
           check_dimensions(store, facts, embedder, error) &&
           check_space(store, options, space, facts, error);
}

Reply *
flow_ask(const Settings *settings, const AskOptions *options, Cancel *cancel, GError **error)
{
    StoreMap map = {0};
    g_auto(BotFacts) facts = {0};
    gint64 tokens = 0;
    g_autoptr(Embedder) embedder = stage_embedder(settings, 0, error);
    if (embedder == NULL)
        return NULL;
    g_autoptr(Store) store =
        stage_new_store(settings, "vecferry ask", &map, options->notes, cancel, error);
    if (store == NULL || !prepare(store, embedder, options, &facts, cancel, &tokens, error))
        return NULL;

    g_autofree float *vector = embed_question(embedder, options->question, cancel, &tokens, error);
    if (vector == NULL)
        return NULL;
    if (g_str_equal(embedder->info.provider, "hashing"))
        notes_say(options->notes, "hashed vectors find words, not meaning");
    g_autoptr(GPtrArray) answers =
        store_ask(store, options->bot, vector, embedder->info.dimensions, options->limit, error);
    if (answers == NULL)
        return NULL;

    Reply *reply = g_new0(Reply, 1);
    reply->store = g_strdup(store->address);
    reply->space = embedder_space(embedder);
    reply->rows_space = g_steal_pointer(&facts.space);
    reply->rows = facts.rows;
    reply->tokens = tokens;
    reply->answers = g_steal_pointer(&answers);
    return reply;
}
