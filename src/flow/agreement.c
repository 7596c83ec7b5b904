#include "flow/agreement.h"

#include "base/error.h"
#include "catalogue/catalogue.h"

#include <string.h>

static int
compare_words(const void *left, const void *right)
{
    return strcmp(*(char *const *) left, *(char *const *) right);
}

/* The order in which somebody named them means nothing, nor does one named twice. */
static void
checksum_list(GChecksum *checksum, const char *name, char *const *list)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();

    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        g_ptr_array_add(sorted, list[i]);
    g_ptr_array_sort(sorted, compare_words);
    g_checksum_update(checksum, (const guchar *) name, -1);
    for (guint i = 0; i < sorted->len; i++)
    {
        const char *word = sorted->pdata[i];
        if (i > 0 && strcmp(word, sorted->pdata[i - 1]) == 0)
            continue;
        g_checksum_update(checksum, (const guchar *) word, -1);
        g_checksum_update(checksum, (const guchar *) "\n", 1);
    }
}

char *
agreement_run_id(
    const Settings *settings, const char *catalogue, const char *store_identity, const char *space)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *path = g_str_has_prefix(catalogue, CATALOGUE_DYNAMODB)
                                ? g_strdup(catalogue)
                                : g_canonicalize_filename(catalogue, NULL);
    g_autofree char *head = g_strdup_printf(
        "apply\n%s\n%s\n%s\n%s\n", path, store_identity, space,
        settings_text(settings, SETTING_SPLITTER));

    g_checksum_update(checksum, (const guchar *) head, -1);
    checksum_list(checksum, "bot", settings_list(settings, SETTING_BOT));
    checksum_list(checksum, "user", settings_list(settings, SETTING_USER));
    checksum_list(checksum, "exclude", settings_list(settings, SETTING_EXCLUDE));
    return g_strndup(g_checksum_get_string(checksum), 10);
}

bool
agreement_check(const Plan *agreed, const Plan *now, GError **error)
{
    const char *what = NULL;
    if (!g_str_equal(agreed->store_identity, now->store_identity))
        what = "another store";
    else if (!g_str_equal(agreed->space, now->space))
        what = "another embedder";
    else if (!g_str_equal(agreed->splitter, now->splitter))
        what = "another splitter";
    if (what == NULL)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "the plan %s was made for %s", agreed->id, what);
    vf_error_hint(error, "make a new one with `vecferry plan -o FILE`");
    return false;
}

static const PlannedSource *
find_source(const PlannedBot *bot, const char *label)
{
    for (guint i = 0; i < bot->sources->len; i++)
    {
        const PlannedSource *source = bot->sources->pdata[i];
        if (g_str_equal(source->label, label))
            return source;
    }
    return NULL;
}

static char *
bytes_in_words(gint64 bytes)
{
    return bytes < 0 ? g_strdup("no known number of bytes")
                     : g_strdup_printf("%" G_GINT64_FORMAT " bytes", bytes);
}

/* A page's length depends on how it was asked for; the price covers those that grew much. */
static char *
objection_to_sources(const PlannedBot *was, const PlannedBot *bot)
{
    for (guint i = 0; i < bot->sources->len; i++)
    {
        const PlannedSource *source = bot->sources->pdata[i];
        const Source *named = bot->bot->sources->pdata[i];
        const PlannedSource *then = find_source(was, source->label);
        if (then == NULL)
            return g_strdup_printf("%s is not in the plan; plan again", named->name);
        if (named->kind != SOURCE_FILE || then->bytes == source->bytes)
            continue;
        g_autofree char *now = bytes_in_words(source->bytes);
        g_autofree char *before = bytes_in_words(then->bytes);
        return g_strdup_printf(
            "%s has %s now, %s when the plan was made; plan again", named->name, now, before);
    }
    return NULL;
}

/* Another price, or pages that grew. */
static char *
objection_to_cost(const PlannedBot *was, const PlannedBot *bot)
{
    const bool dearer = was->usd.high >= 0 && bot->usd.expected > was->usd.high;
    const bool larger = was->tokens.high >= 0 && bot->tokens.expected > was->tokens.high;

    if (!dearer && !larger)
        return NULL;
    return g_strdup_printf(
        "it would cost more than the plan says at most (%s); plan again",
        dearer ? "dollars" : "tokens");
}

char *
agreement_objection(GHashTable *agreed, const PlannedBot *bot)
{
    const PlannedBot *was = plan_find(agreed, bot->user, bot->id);

    if (was == NULL || was->action != bot->action)
        return g_strdup_printf("the plan did not %s it", action_name(bot->action));
    if (g_strcmp0(was->fingerprint, bot->fingerprint) != 0)
        return g_strdup("its knowledge was edited after the plan was made; plan again");
    if (bot->action == ACTION_REMOVE)
        return was->rows == bot->rows ? NULL : g_strdup("other rows were planned with; plan again");
    char *objection = objection_to_sources(was, bot);
    return objection != NULL ? objection : objection_to_cost(was, bot);
}

static void
checksum_sources(GChecksum *checksum, const GPtrArray *sources)
{
    for (guint i = 0; i < sources->len; i++)
    {
        const PlannedSource *source = sources->pdata[i];
        g_autofree char *line =
            g_strdup_printf("%s %" G_GINT64_FORMAT "\n", source->label, source->bytes);
        g_checksum_update(checksum, (const guchar *) line, -1);
    }
}

static void
checksum_removal(GChecksum *checksum, const PlannedBot *planned)
{
    g_autofree char *line =
        g_strdup_printf("remove %s %" G_GINT64_FORMAT "\n", planned->id, planned->rows);
    g_checksum_update(checksum, (const guchar *) line, -1);
}

char *
agreement_hash(const Settings *settings, const Plan *plan)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    const bool partial = settings_switch(settings, SETTING_ALLOW_PARTIAL);

    g_checksum_update(checksum, (const guchar *) (partial ? "partial" : "whole"), -1);
    for (guint i = 0; i < plan->bots->len; i++)
    {
        const PlannedBot *planned = plan->bots->pdata[i];
        if (planned->action == ACTION_REMOVE)
            checksum_removal(checksum, planned);
        if (planned->action != ACTION_EMBED && planned->action != ACTION_KEEP &&
            !(partial && planned->action == ACTION_BLOCKED && planned->marked_ms >= 0))
            continue;
        g_checksum_update(checksum, (const guchar *) planned->fingerprint, -1);
        checksum_sources(checksum, planned->sources);
    }
    return g_strdup(g_checksum_get_string(checksum));
}
