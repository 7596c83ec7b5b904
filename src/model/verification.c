#include "model/verification.h"

const char *
finding_kind_name(FindingKind kind)
{
    static const char *const NAMES[] = {
        [FINDING_MALFORMED] = "malformed",
        [FINDING_TWIN] = "twin",
        [FINDING_INCOMPLETE] = "incomplete",
        [FINDING_EDITED] = "edited",
        [FINDING_SPACE] = "space",
        [FINDING_MISSING] = "missing",
        [FINDING_COUNT] = "count",
        [FINDING_BUCKET] = "bucket",
        [FINDING_UNNAMED] = "unnamed",
        [FINDING_ORPHAN] = "orphan",
        [FINDING_DUPLICATE] = "duplicate",
        [FINDING_NULL_BOT] = "null-bot",
        [FINDING_NULL_SOURCE] = "null-source",
        [FINDING_NULL_TEXT] = "null-text",
        [FINDING_NULL_VECTOR] = "null-vector",
        [FINDING_ZERO_VECTOR] = "zero-vector",
        [FINDING_DIMENSIONS] = "dimensions",
        [FINDING_LENGTH] = "length",
        [FINDING_REPEATED] = "repeated",
        [FINDING_UNUSED] = "unused",
    };
    return NAMES[kind];
}

bool
finding_is_difference(FindingKind kind)
{
    return kind != FINDING_REPEATED && kind != FINDING_UNUSED;
}

static void
finding_free(void *data)
{
    Finding *finding = data;
    g_free(finding->bot);
    g_free(finding->source);
    g_free(finding->message);
    g_free(finding);
}

static void
bot_verdict_free(void *data)
{
    BotVerdict *verdict = data;
    g_free(verdict->user);
    g_free(verdict->bot);
    g_free(verdict->title);
    g_free(verdict);
}

Verification *
verification_new(const char *level)
{
    Verification *verification = g_new0(Verification, 1);
    verification->level = g_strdup(level);
    verification->bots = g_ptr_array_new_with_free_func(bot_verdict_free);
    verification->findings = g_ptr_array_new_with_free_func(finding_free);
    return verification;
}

void
verification_free(Verification *verification)
{
    if (verification == NULL)
        return;
    g_free(verification->level);
    g_free(verification->store);
    g_free(verification->table);
    g_free(verification->catalogue);
    g_ptr_array_unref(verification->bots);
    g_ptr_array_unref(verification->findings);
    g_free(verification);
}

BotVerdict *
verification_add_bot(
    Verification *verification, const char *user, const char *bot, const char *title)
{
    BotVerdict *verdict = g_new0(BotVerdict, 1);
    verdict->user = g_strdup(user);
    verdict->bot = g_strdup(bot);
    verdict->title = g_strdup(title);
    g_ptr_array_add(verification->bots, verdict);
    return verdict;
}

void
verification_add(
    Verification *verification, BotVerdict *verdict, FindingKind kind, const char *source,
    gint64 rows, char *message)
{
    Finding *finding = g_new0(Finding, 1);
    finding->kind = kind;
    finding->bot = verdict == NULL ? NULL : g_strdup(verdict->bot);
    finding->source = g_strdup(source);
    finding->rows = rows;
    finding->message = message;
    g_ptr_array_add(verification->findings, finding);

    if (!finding_is_difference(kind))
        return;
    verification->differences++;
    if (verdict != NULL)
        verdict->differences++;
}
