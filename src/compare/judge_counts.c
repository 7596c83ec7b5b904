#include "compare/judge_counts.h"

#include <string.h>

/* Where the vectors of so many in a hundred are of length 1, all should be. */
#define UNIT_PERCENT 90

typedef struct
{
    const JudgeInput *input;
    Verification *verification;
    bool unit;         /* vectors should be of length 1 */
    const char *space; /* of most rows that have a mark; NULL */
    Counts *nothing;   /* for bots without rows */
} Judging;

/* "1 row", "5 rows".  Yours. */
static char *
counted(gint64 number, const char *noun)
{
    return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", number, noun, number == 1 ? "" : "s");
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

/* The names in a table, sorted; borrowed from it. */
static GPtrArray *
sorted_names(GHashTable *table)
{
    GPtrArray *names = g_ptr_array_new();
    GHashTableIter iter;
    void *name = NULL;

    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        g_ptr_array_add(names, name);
    g_ptr_array_sort(names, by_name);
    return names;
}

static bool
is_among(char *const *names, const char *name)
{
    return names != NULL && g_strv_contains((const char *const *) names, name);
}

/* --- one source's rows --------------------------------------------------------------------- */

static void
find_rows(
    const Judging *judging, BotVerdict *verdict, FindingKind kind, const char *source, gint64 rows,
    const char *noun, const char *what)
{
    if (rows == 0)
        return;
    g_autofree char *number = counted(rows, noun);
    verification_add(
        judging->verification, verdict, kind, source, rows, g_strdup_printf("%s %s", number, what));
}

static void
judge_rows(const Judging *judging, BotVerdict *verdict, const SourceCount *source)
{
    const char *label = source->source;
    const gint64 lengths = source->rows - source->null_vectors - source->zero_vectors;

    find_rows(
        judging, verdict, FINDING_NULL_TEXT, label, source->null_texts, "row", "without text");
    find_rows(
        judging, verdict, FINDING_NULL_VECTOR, label, source->null_vectors, "row",
        "without vector");
    find_rows(
        judging, verdict, FINDING_ZERO_VECTOR, label, source->zero_vectors, "vector",
        "of nothing but zeros");
    if (source->odd_vectors > 0)
    {
        g_autofree char *what =
            g_strdup_printf("not of %d dimensions", judging->input->counts->dimensions);
        find_rows(judging, verdict, FINDING_DIMENSIONS, label, source->odd_vectors, "vector", what);
    }
    if (judging->unit)
        find_rows(
            judging, verdict, FINDING_LENGTH, label, lengths - source->unit_vectors, "vector",
            "not of length 1, as the others are");
}

/* --- the same rows twice ------------------------------------------------------------------- */

static bool
is_loaded_twice(const BotCount *bot, const SourceCount *source)
{
    const SourceOutcome *outcome =
        source->source == NULL ? NULL : g_hash_table_lookup(bot->outcomes, source->source);
    return source->fewest > 1 && (outcome == NULL || outcome->chunks != source->rows);
}

static void
judge_source_repetition(
    const Judging *judging, BotVerdict *verdict, const BotCount *bot, const SourceCount *source)
{
    if (is_loaded_twice(bot, source))
        verification_add(
            judging->verification, verdict, FINDING_DUPLICATE, source->source, source->rows,
            g_strdup_printf(
                "every chunk is there at least %" G_GINT64_FORMAT " times", source->fewest));
    else
        find_rows(
            judging, verdict, FINDING_REPEATED, source->source,
            source->rows - source->null_texts - source->texts, "row",
            "with a text that the source has already");
}

/* One finding says it when every source was loaded twice. */
static void
judge_repetition(
    const Judging *judging, BotVerdict *verdict, const BotCount *bot, const GPtrArray *sources)
{
    gint64 fewest = G_MAXINT64;
    guint doubled = 0;

    for (guint i = 0; i < sources->len; i++)
    {
        const SourceCount *source = sources->pdata[i];
        fewest = MIN(fewest, source->fewest);
        doubled += is_loaded_twice(bot, source) ? 1 : 0;
    }
    if (doubled > 1 && doubled == sources->len)
    {
        verification_add(
            judging->verification, verdict, FINDING_DUPLICATE, NULL, bot->rows,
            g_strdup_printf(
                "every chunk of its %u sources is there at least %" G_GINT64_FORMAT " times",
                sources->len, fewest));
        return;
    }
    for (guint i = 0; i < sources->len; i++)
        judge_source_repetition(judging, verdict, bot, sources->pdata[i]);
}

/* --- the mark ------------------------------------------------------------------------------ */

/*
 * A source that failed in a partial load keeps the rows of an earlier one.  How many these were, no
 * mark says; the bot's sum covers them.
 */
static void
find_kept_rows(
    const Judging *judging, BotVerdict *verdict, const SourceCount *source,
    const SourceOutcome *outcome)
{
    g_autofree char *what = g_strdup_printf("of an earlier load: %s", outcome->reason);
    find_rows(judging, verdict, FINDING_INCOMPLETE, source->source, source->rows, "row", what);
}

/* Sources whose rows are not as many as their worker wrote; those without any are missing, and
 * told as such. */
static guint
judge_outcomes(const Judging *judging, BotVerdict *verdict, const BotCount *bot)
{
    g_autoptr(GPtrArray) labels = sorted_names(bot->outcomes);
    guint different = 0;

    for (guint i = 0; i < labels->len; i++)
    {
        const char *label = labels->pdata[i];
        const SourceOutcome *outcome = g_hash_table_lookup(bot->outcomes, label);
        const SourceCount *source = g_hash_table_lookup(bot->sources, label);
        const gint64 rows = source == NULL ? 0 : source->rows;
        if (source != NULL && outcome->reason != NULL)
        {
            find_kept_rows(judging, verdict, source, outcome);
            continue;
        }
        if (rows == outcome->chunks)
            continue;
        different++;
        if (source == NULL && judging->input->known != NULL)
            continue;
        g_autofree char *number = counted(rows, "row");
        verification_add(
            judging->verification, verdict, FINDING_COUNT, label, rows,
            g_strdup_printf(
                "%s, run %s loaded %" G_GINT64_FORMAT, number, bot->mark->run, outcome->chunks));
    }
    return different;
}

static void
judge_mark(const Judging *judging, BotVerdict *verdict, const Bot *expected, const BotCount *bot)
{
    Verification *verification = judging->verification;
    const Mark *mark = bot->mark;

    if (mark == NULL)
        return;
    if (!mark->complete)
        verification_add(
            verification, verdict, FINDING_INCOMPLETE, NULL, bot->rows,
            g_strdup_printf("run %s could not load all of its sources", mark->run));
    if (expected != NULL && g_strcmp0(expected->fingerprint, mark->fingerprint) != 0)
        verification_add(
            verification, verdict, FINDING_EDITED, NULL, bot->rows,
            g_strdup_printf("its knowledge was edited after run %s loaded it", mark->run));
    if (bot->rows > 0 && judging->space != NULL && !g_str_equal(mark->space, judging->space))
        verification_add(
            verification, verdict, FINDING_SPACE, NULL, bot->rows,
            g_strdup_printf(
                "its vectors are of the space %s, most others of %s", mark->space, judging->space));
    if (judge_outcomes(judging, verdict, bot) == 0 && mark->rows != bot->rows)
    {
        g_autofree char *number = counted(bot->rows, "row");
        verification_add(
            verification, verdict, FINDING_COUNT, NULL, bot->rows,
            g_strdup_printf("%s, run %s loaded %" G_GINT64_FORMAT, number, mark->run, mark->rows));
    }
}

/* --- the sources that a bot should have ---------------------------------------------------- */

/* "user/bot/documents/a.txt" of "s3://bucket/user/bot/documents/a.txt"; other labels as they are.
 */
static const char *
without_bucket(const char *label)
{
    const char *key =
        g_str_has_prefix(label, "s3://") ? strchr(label + strlen("s3://"), '/') : NULL;
    return key == NULL ? label : key + 1;
}

/* Whether rows of this label may come from a source that stands for many. */
static bool
may_hold(const Source *source, const char *label)
{
    switch (source->kind)
    {
    case SOURCE_SITEMAP:
        return g_str_has_prefix(label, "http://") || g_str_has_prefix(label, "https://");
    case SOURCE_S3_PREFIX:
        return g_str_has_prefix(label, source->name);
    case SOURCE_FILE:
    case SOURCE_URL:
        return false;
    }
    g_assert_not_reached();
}

static bool
holds_any(const Source *source, const GPtrArray *labels)
{
    for (guint i = 0; i < labels->len; i++)
        if (may_hold(source, labels->pdata[i]))
            return true;
    return false;
}

static bool
is_held_by_any(const char *label, const GPtrArray *sources)
{
    for (guint i = 0; i < sources->len; i++)
        if (may_hold(sources->pdata[i], label))
            return true;
    return false;
}

/* Labels of rows that no source of the bot has for its own. */
static GPtrArray *
strange_labels(const ExpectedBot *expected, const BotCount *bot)
{
    g_autoptr(GHashTable) own = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < expected->bot->sources->len; i++)
        g_hash_table_add(own, expected->labels[i]);

    GPtrArray *labels = sorted_names(bot->sources);
    for (guint i = labels->len; i > 0; i--)
        if (g_hash_table_contains(own, labels->pdata[i - 1]))
            g_ptr_array_remove_index(labels, i - 1);
    return labels;
}

/* Takes the label that differs by the bucket alone out of the strange ones; NULL for none. */
static const char *
take_from_other_bucket(GPtrArray *strange, const char *label)
{
    for (guint i = 0; i < strange->len; i++)
    {
        const char *other = strange->pdata[i];
        if (!g_str_equal(without_bucket(other), without_bucket(label)))
            continue;
        g_ptr_array_remove_index(strange, i);
        return other;
    }
    return NULL;
}

static void
judge_missing_source(
    const Judging *judging, BotVerdict *verdict, const BotCount *bot, const char *label)
{
    const SourceOutcome *outcome = g_hash_table_lookup(bot->outcomes, label);
    char *message = NULL;

    /* A document without text: our worker says so. */
    if (outcome != NULL && outcome->reason == NULL && outcome->chunks == 0)
        return;
    if (outcome == NULL)
        message = g_strdup("no rows");
    else if (outcome->reason != NULL)
        message = g_strdup_printf("no rows: %s", outcome->reason);
    else
        message = g_strdup_printf(
            "no rows, run %s loaded %" G_GINT64_FORMAT, bot->mark->run, outcome->chunks);
    verification_add(judging->verification, verdict, FINDING_MISSING, label, 0, message);
}

static void
judge_expected_source(
    const Judging *judging, BotVerdict *verdict, const BotCount *bot, const Source *source,
    const char *label, GPtrArray *strange)
{
    if (g_hash_table_contains(bot->sources, label) || holds_any(source, strange))
        return;
    const char *other = source->kind == SOURCE_FILE ? take_from_other_bucket(strange, label) : NULL;
    if (other == NULL)
    {
        judge_missing_source(judging, verdict, bot, label);
        return;
    }
    const SourceCount *rows = g_hash_table_lookup(bot->sources, other);
    verification_add(
        judging->verification, verdict, FINDING_BUCKET, label, rows->rows,
        g_strdup_printf("its rows say %s; --bucket tells which is right", other));
}

static void
judge_expected_sources(
    const Judging *judging, BotVerdict *verdict, const ExpectedBot *expected, const BotCount *bot)
{
    const GPtrArray *sources = expected->bot->sources;
    g_autoptr(GPtrArray) strange = strange_labels(expected, bot);

    verdict->sources = sources->len + strange->len;
    for (guint i = 0; i < sources->len; i++)
        judge_expected_source(
            judging, verdict, bot, sources->pdata[i], expected->labels[i], strange);
    for (guint i = 0; i < strange->len; i++)
    {
        const char *label = strange->pdata[i];
        const SourceCount *source = g_hash_table_lookup(bot->sources, label);
        if (!is_held_by_any(label, sources))
            find_rows(
                judging, verdict, FINDING_UNNAMED, label, source->rows, "row",
                "of a source that the bot does not name");
    }
}

/* --- bots ---------------------------------------------------------------------------------- */

/* All sources of the bot that have rows, sorted; those without label at the end. */
static GPtrArray *
sources_with_rows(const BotCount *bot)
{
    g_autoptr(GPtrArray) labels = sorted_names(bot->sources);
    GPtrArray *sources = g_ptr_array_new();

    for (guint i = 0; i < labels->len; i++)
        g_ptr_array_add(sources, g_hash_table_lookup(bot->sources, labels->pdata[i]));
    if (bot->nowhere != NULL)
        g_ptr_array_add(sources, bot->nowhere);
    return sources;
}

static void
judge_content(const Judging *judging, BotVerdict *verdict, const BotCount *bot)
{
    g_autoptr(GPtrArray) sources = sources_with_rows(bot);

    if (bot->nowhere != NULL)
        find_rows(
            judging, verdict, FINDING_NULL_SOURCE, NULL, bot->nowhere->rows, "row",
            "without a source");
    for (guint i = 0; i < sources->len; i++)
        judge_rows(judging, verdict, sources->pdata[i]);
    judge_repetition(judging, verdict, bot, sources);
}

/* Rows of a bot that should have none, and what helps. */
static void
judge_needless_rows(
    const Judging *judging, BotVerdict *verdict, FindingKind kind, const BotCount *bot,
    const char *what)
{
    const bool ours = bot->mark != NULL && bot->mark->rows == bot->rows;
    g_autofree char *with_remedy = g_strconcat(
        what,
        ours ? "; `vecferry apply` removes them"
             : "; vecferry did not load them all, so it removes none",
        NULL);
    find_rows(judging, verdict, kind, NULL, bot->rows, "row", with_remedy);
}

static void
judge_vector_bot(
    const Judging *judging, BotVerdict *verdict, const ExpectedBot *expected, const BotCount *bot)
{
    if (!bot_has_knowledge(expected->bot))
    {
        verdict->sources = g_hash_table_size(bot->sources);
        judge_needless_rows(
            judging, verdict, FINDING_UNNAMED, bot, "of a bot that has no knowledge");
        return;
    }
    judge_mark(judging, verdict, expected->bot, bot);
    judge_expected_sources(judging, verdict, expected, bot);
    judge_content(judging, verdict, bot);
}

static bool
has_twin(const Judging *judging, const Bot *bot)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(judging->input->known, bot->id)) > 1;
}

static void
judge_expected(
    const Judging *judging, BotVerdict *verdict, const ExpectedBot *expected, const BotCount *bot)
{
    Verification *verification = judging->verification;

    if (has_twin(judging, expected->bot))
    {
        verification_add(
            verification, verdict, FINDING_TWIN, NULL, bot->rows,
            g_strdup("another user has a bot of this id: their rows cannot be told apart"));
        return;
    }
    switch (expected->bot->kind)
    {
    case BOT_VECTOR:
        judge_vector_bot(judging, verdict, expected, bot);
        return;
    case BOT_KNOWLEDGE_BASE:
        judge_needless_rows(
            judging, verdict, FINDING_UNUSED, bot,
            "of a bot whose knowledge lives in a Bedrock Knowledge Base");
        return;
    case BOT_GHOST:
        judge_needless_rows(
            judging, verdict, FINDING_ORPHAN, bot,
            "of a deleted bot: only what a task left in the catalogue names it");
        return;
    case BOT_MALFORMED:
        verification_add(
            verification, verdict, FINDING_MALFORMED, NULL, bot->rows,
            g_strdup_printf("its item in the catalogue is malformed: %s", expected->bot->problem));
        return;
    }
    g_assert_not_reached();
}

static const BotCount *
count_of(const Judging *judging, const char *id)
{
    const BotCount *bot = g_hash_table_lookup(judging->input->counts->bots, id);
    return bot == NULL ? counts_bot(judging->nothing, id) : bot;
}

static void
judge_catalogue(const Judging *judging)
{
    const GPtrArray *expected = judging->input->expected;
    for (guint i = 0; i < expected->len; i++)
    {
        const ExpectedBot *bot = expected->pdata[i];
        BotVerdict *verdict = verification_add_bot(
            judging->verification, bot->bot->user, bot->bot->id, bot->bot->title);
        const BotCount *count = count_of(judging, bot->bot->id);
        verdict->rows = count->rows;
        judge_expected(judging, verdict, bot, count);
    }
}

static void
judge_orphans(const Judging *judging)
{
    g_autoptr(GPtrArray) ids = sorted_names(judging->input->counts->bots);
    for (guint i = 0; i < ids->len; i++)
    {
        const char *id = ids->pdata[i];
        const BotCount *bot = count_of(judging, id);
        if (bot->rows == 0 || g_hash_table_contains(judging->input->known, id))
            continue;
        BotVerdict *verdict = verification_add_bot(judging->verification, "", id, "");
        verdict->rows = bot->rows;
        verdict->sources = g_hash_table_size(bot->sources);
        find_rows(
            judging, verdict, FINDING_ORPHAN, NULL, bot->rows, "row", "of no bot in the catalogue");
    }
}

/* Without a catalogue a store can only contradict itself. */
static void
judge_store(const Judging *judging)
{
    g_autoptr(GPtrArray) ids = sorted_names(judging->input->counts->bots);
    for (guint i = 0; i < ids->len; i++)
    {
        const char *id = ids->pdata[i];
        const BotCount *bot = count_of(judging, id);
        if (is_among(judging->input->excluded, id))
            continue;
        BotVerdict *verdict = verification_add_bot(judging->verification, "", id, "");
        verdict->rows = bot->rows;
        verdict->sources = g_hash_table_size(bot->sources);
        judge_mark(judging, verdict, NULL, bot);
        judge_content(judging, verdict, bot);
    }
}

/* Bots that the user named and nobody counted. */
static void
judge_named(const Judging *judging)
{
    char *const *named = judging->input->named;
    for (size_t i = 0; named != NULL && named[i] != NULL; i++)
    {
        if (is_among(judging->input->excluded, named[i]) ||
            g_hash_table_contains(judging->input->counts->bots, named[i]))
            continue;
        BotVerdict *verdict = verification_add_bot(judging->verification, "", named[i], "");
        verification_add(
            judging->verification, verdict, FINDING_MISSING, NULL, 0, g_strdup("no rows"));
    }
}

/* --- the whole ----------------------------------------------------------------------------- */

/* The space of most marked rows. */
static const char *
usual_space(const Counts *counts)
{
    g_autoptr(GHashTable) sums = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_autoptr(GPtrArray) ids = sorted_names(counts->bots);
    const char *usual = NULL;
    gint64 most = 0;

    for (guint i = 0; i < ids->len; i++)
    {
        const BotCount *bot = g_hash_table_lookup(counts->bots, ids->pdata[i]);
        if (bot->mark == NULL)
            continue;
        gint64 *sum = g_hash_table_lookup(sums, bot->mark->space);
        if (sum == NULL)
        {
            sum = g_new0(gint64, 1);
            g_hash_table_insert(sums, bot->mark->space, sum);
        }
        *sum += bot->rows;
        if (*sum > most)
        {
            most = *sum;
            usual = bot->mark->space;
        }
    }
    return usual;
}

/* Twins share their rows, which count once. */
static void
sum_up(Verification *verification)
{
    g_autoptr(GHashTable) summed = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < verification->bots->len; i++)
    {
        const BotVerdict *bot = verification->bots->pdata[i];
        verification->sources += bot->sources;
        if (g_hash_table_add(summed, bot->bot))
            verification->rows += bot->rows;
    }
}

Verification *
judge_counts(const JudgeInput *input)
{
    const Counts *counts = input->counts;
    g_autoptr(Counts) nothing = counts_new();
    const Judging judging = {
        .input = input,
        .verification = verification_new("counts"),
        .unit = counts->unit_vectors * 100 >= counts->vectors * UNIT_PERCENT,
        .space = usual_space(counts),
        .nothing = nothing,
    };

    if (input->known != NULL)
    {
        judge_catalogue(&judging);
        judge_orphans(&judging);
    }
    else
    {
        judge_store(&judging);
        judge_named(&judging);
    }
    sum_up(judging.verification);
    if (counts->nobody != NULL)
    {
        find_rows(
            &judging, NULL, FINDING_NULL_BOT, NULL, counts->nobody->rows, "row", "without a bot");
        judging.verification->rows += counts->nobody->rows;
    }
    return judging.verification;
}
