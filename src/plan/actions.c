#include "plan/actions.h"

/* A text that comes so many times as often is worth a warning. */
#define MUCH_REPETITION 8

static void
decide(PlannedBot *planned, Action action, char *reason)
{
    planned->action = action;
    g_free(planned->reason);
    planned->reason = reason;
}

/* A file changed after its rows were made; a second's grace for clocks and file systems. */
static bool
is_newer(const SourceLook *look, gint64 rows_ms)
{
    return look->facts.modified_ms >= 0 && rows_ms >= 0 && look->facts.modified_ms > rows_ms + 1000;
}

static const SourceRows *
rows_of(const BotRows *rows, const char *label)
{
    return rows == NULL ? NULL : g_hash_table_lookup(rows->sources, label);
}

static char *
change_of(SourceKind kind)
{
    return g_strdup(
        kind == SOURCE_FILE ? "the file changed after its rows were made"
                            : "its page says that it changed after its rows were made");
}

/* Why the rows of a source nobody marked must be made anew; NULL when they are good. */
static char *
reason_by_rows(const SourceLook *look, SourceKind kind, const SourceRows *there)
{
    if (there == NULL)
        return g_strdup("no rows in the new store");
    return is_newer(look, there->oldest_ms) ? change_of(kind) : NULL;
}

/*
 * Whether the source is another than the one that was read.  A page's length depends on how it was
 * asked for, so only files are compared by theirs.
 */
static bool
has_changed(const SourceLook *look, SourceKind kind, const Mark *mark, const MarkedSource *was)
{
    if (look->facts.modified_ms < 0)
        return false;
    if (was->modified_ms < 0)
        return is_newer(look, mark->marked_ms);
    return look->facts.modified_ms != was->modified_ms ||
           (kind == SOURCE_FILE && look->facts.bytes != was->bytes);
}

/* The same for a source that our mark names; a source may have been loaded without giving rows. */
static char *
reason_by_mark(
    const SourceLook *look, SourceKind kind, const SourceRows *there, const Mark *mark,
    const MarkedSource *was)
{
    const gint64 rows = there == NULL ? 0 : there->rows;

    if (was->failure != NULL)
        return g_strdup_printf("it could not be loaded: %s", was->failure);
    if (rows != was->chunks)
        return g_strdup_printf(
            "%" G_GINT64_FORMAT " rows were loaded, %" G_GINT64_FORMAT " are there", was->chunks,
            rows);
    return has_changed(look, kind, mark, was) ? change_of(kind) : NULL;
}

/* Why a source must be embedded; NULL when its rows are good.  `mark` is NULL unless it holds. */
static char *
reason_to_embed(const SourceLook *look, SourceKind kind, const BotRows *rows, const Mark *mark)
{
    const SourceRows *there = rows_of(rows, look->label);
    const MarkedSource *was = mark == NULL ? NULL : g_hash_table_lookup(mark->sources, look->label);

    if (there != NULL && there->bad_rows > 0)
        return g_strdup_printf("%" G_GINT64_FORMAT " rows without text or vector", there->bad_rows);
    return was == NULL ? reason_by_rows(look, kind, there)
                       : reason_by_mark(look, kind, there, mark, was);
}

/* The mark itself says which sources are missing. */
static bool
tells_failures(const Mark *mark)
{
    GHashTableIter iter;
    void *source = NULL;

    g_hash_table_iter_init(&iter, mark->sources);
    while (g_hash_table_iter_next(&iter, NULL, &source))
        if (((const MarkedSource *) source)->failure != NULL)
            return true;
    return false;
}

/* What speaks against the whole of a marked bot; NULL when the mark holds, if only in part. */
static char *
reason_against_mark(const Bot *bot, const BotRows *rows, const PlanInput *input)
{
    const Mark *mark = rows->mark;

    if (!g_str_equal(mark->fingerprint, bot->fingerprint))
        return g_strdup("its knowledge was edited after it was embedded");
    if (!g_str_equal(mark->space, input->space))
        return g_strdup_printf("its vectors are of another space, %s", mark->space);
    if (!g_str_equal(mark->splitter, input->splitter))
        return g_strdup_printf("it was cut by the splitter \"%s\"", mark->splitter);
    if (!mark->complete && !tells_failures(mark))
        return g_strdup("it was loaded only in part");
    if (mark->rows != rows->rows)
        return g_strdup_printf(
            "%" G_GINT64_FORMAT " rows were marked, %" G_GINT64_FORMAT " are there", mark->rows,
            rows->rows);
    return NULL;
}

static bool
names(const BotLook *look, const char *label)
{
    for (guint i = 0; i < look->sources->len; i++)
        if (g_str_equal(((const SourceLook *) look->sources->pdata[i])->label, label))
            return true;
    return false;
}

/* Rows of sources that the bot does not name. */
static bool
has_strangers(const BotLook *look, const BotRows *rows)
{
    GHashTableIter iter;
    void *label = NULL;

    if (rows == NULL)
        return false;
    g_hash_table_iter_init(&iter, rows->sources);
    while (g_hash_table_iter_next(&iter, &label, NULL))
        if (!names(look, label))
            return true;
    return false;
}

/* Whether a worker that reads the same text leaves the rows alone. */
static void
look_for_savings(PlannedSource *decided, const SourceRows *there, const MarkedSource *was)
{
    const bool are_good = was != NULL && was->knows_text && was->failure == NULL && there != NULL &&
                          there->rows == was->chunks && there->bad_rows == 0;

    decided->stands = are_good && decided->action == ACTION_KEEP;
    decided->may_stand = are_good && decided->action == ACTION_EMBED;
}

typedef struct
{
    guint blocked;
    guint to_embed;
    const char *problem;        /* the first blocked source's */
    const char *problem_source; /* its name */
    char *reason;               /* the first source's reason to embed it; owned */
} Tally;

static Tally
decide_sources(
    PlannedBot *planned, const Bot *bot, const BotLook *look, const BotRows *rows, const Mark *mark)
{
    Tally tally = {0};

    for (guint i = 0; i < look->sources->len; i++)
    {
        const SourceLook *source = look->sources->pdata[i];
        const Source *named = bot->sources->pdata[i];
        PlannedSource *decided = planned_source_new(source->label, ACTION_KEEP, NULL);
        decided->bytes = source->facts.bytes;
        g_ptr_array_add(planned->sources, decided);
        if (source->problem != NULL)
        {
            decided->action = ACTION_BLOCKED;
            decided->reason = g_strdup(source->problem);
            if (tally.blocked++ == 0)
            {
                tally.problem = source->problem;
                tally.problem_source = named->name;
            }
            continue;
        }
        decided->reason = reason_to_embed(source, named->kind, rows, mark);
        if (decided->reason != NULL)
            decided->action = ACTION_EMBED;
        look_for_savings(
            decided, rows_of(rows, source->label),
            mark == NULL ? NULL : g_hash_table_lookup(mark->sources, source->label));
        if (decided->reason == NULL)
            continue;
        if (tally.to_embed++ == 0)
            tally.reason = g_strdup(decided->reason);
    }
    return tally;
}

static void
block_for_sources(PlannedBot *planned, const Tally *tally)
{
    g_autofree char *more =
        tally->blocked > 1 ? g_strdup_printf(" (and %u more)", tally->blocked - 1) : g_strdup("");
    decide(
        planned, ACTION_BLOCKED,
        g_strdup_printf("%s: %s%s", tally->problem_source, tally->problem, more));
}

/* A chunk longer than the model takes can never be embedded. */
static bool
block_for_length(PlannedBot *planned, const BotLook *look, const PlanInput *input)
{
    if (input->max_characters == 0 || look->longest_chunk <= input->max_characters)
        return false;
    decide(
        planned, ACTION_BLOCKED,
        g_strdup_printf(
            "its chunks may have %d characters, the model takes %" G_GINT64_FORMAT
            "; --splitter corrected keeps them below",
            look->longest_chunk, input->max_characters));
    return true;
}

/* The guide's container does the same, and for texts with spaces it does no harm. */
static void
warn_of_overlap(PlannedBot *planned, const BotLook *look)
{
    const double times = estimate_repetition(look->chunk_size, look->chunk_overlap);
    if (times < MUCH_REPETITION)
        return;
    decide(
        planned, planned->action,
        g_strdup_printf(
            "%s; its chunks of %d characters overlap by %d: a text without spaces is embedded up "
            "to %.0f times",
            planned->reason, look->chunk_size, look->chunk_overlap, times));
}

static void
decide_with_knowledge(
    PlannedBot *planned, const Bot *bot, const BotLook *look, const PlanInput *input)
{
    const BotRows *rows = observation_find(input->store, bot->id);
    const bool marked = rows != NULL && rows->mark != NULL;
    g_autofree char *against = marked ? reason_against_mark(bot, rows, input) : NULL;
    const bool mark_holds = marked && against == NULL;
    Tally tally = decide_sources(planned, bot, look, rows, mark_holds ? rows->mark : NULL);
    g_autofree char *reason = tally.reason;
    const bool strangers = !mark_holds && has_strangers(look, rows);

    if (tally.blocked > 0 && (!input->allow_partial || tally.blocked == look->sources->len))
        block_for_sources(planned, &tally);
    else if (against != NULL)
        decide(planned, ACTION_EMBED, g_steal_pointer(&against));
    else if (tally.to_embed > 0 && look->sources->len > 1)
        decide(
            planned, ACTION_EMBED,
            g_strdup_printf("%u of %u sources: %s", tally.to_embed, look->sources->len, reason));
    else if (tally.to_embed > 0)
        decide(planned, ACTION_EMBED, g_steal_pointer(&reason));
    else if (strangers)
        decide(planned, ACTION_EMBED, g_strdup("rows of sources that it no longer has"));
    else if (tally.blocked > 0)
        block_for_sources(planned, &tally);
    else
        decide(
            planned, ACTION_KEEP,
            mark_holds ? g_strdup_printf("loaded by run %s", rows->mark->run)
                       : g_strdup("rows of every source are there (not ours: the space is taken on "
                                  "trust)"));

    if (planned->action == ACTION_EMBED && !block_for_length(planned, look, input))
        warn_of_overlap(planned, look);
}

/* True when each row there is one that our mark counts. */
static bool
are_all_ours(const BotRows *rows)
{
    GHashTableIter iter;
    void *value = NULL;

    if (rows->mark == NULL || rows->mark->rows != rows->rows)
        return false;
    g_hash_table_iter_init(&iter, rows->sources);
    while (g_hash_table_iter_next(&iter, NULL, &value))
    {
        const SourceRows *there = value;
        const MarkedSource *was = g_hash_table_lookup(rows->mark->sources, there->source);
        if (was == NULL || was->failure != NULL || was->chunks != there->rows)
            return false;
    }
    return true;
}

/* A bot whose knowledge was taken away must not go on answering from it. */
static void
decide_without_knowledge(
    PlannedBot *planned, const Bot *bot, const PlanInput *input, const char *why)
{
    const BotRows *rows = observation_find(input->store, bot->id);
    const gint64 there = rows == NULL ? 0 : rows->rows;

    if (there == 0)
        decide(planned, ACTION_NONE, g_strdup(why));
    else if (are_all_ours(rows))
        decide(
            planned, ACTION_REMOVE,
            g_strdup_printf(
                "%s; %" G_GINT64_FORMAT " rows that run %s loaded go", why, there,
                rows->mark->run));
    else
        decide(
            planned, ACTION_NONE,
            g_strdup_printf(
                "%s; %" G_GINT64_FORMAT " rows are there that vecferry did not load: they stay",
                why, there));
}

void
decide_bot(PlannedBot *planned, const Bot *bot, const BotLook *look, const PlanInput *input)
{
    switch (bot->kind)
    {
    case BOT_KNOWLEDGE_BASE:
        decide_without_knowledge(
            planned, bot, input, "its knowledge lives in a Bedrock Knowledge Base");
        return;
    case BOT_GHOST:
        decide_without_knowledge(planned, bot, input, "a ghost: the item of a deleted bot");
        return;
    case BOT_MALFORMED:
        decide(planned, ACTION_BLOCKED, g_strdup_printf("its item is malformed: %s", bot->problem));
        return;
    case BOT_VECTOR:
        break;
    }
    if (!bot_has_knowledge(bot))
        decide_without_knowledge(planned, bot, input, "it has no knowledge");
    else
        decide_with_knowledge(planned, bot, look, input);
}
