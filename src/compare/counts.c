#include "compare/counts.h"

#include "compare/count_dimensions.sql.h"
#include "compare/count_rows.sql.h"
#include "compare/read_marks.sql.h"
#include "pg/sql.h"

static void
source_count_free(void *data)
{
    SourceCount *source = data;
    if (source == NULL)
        return;
    g_free(source->source);
    g_free(source);
}

static void
source_outcome_free(void *data)
{
    SourceOutcome *outcome = data;
    g_free(outcome->reason);
    g_free(outcome);
}

static BotCount *
bot_count_new(void)
{
    BotCount *bot = g_new0(BotCount, 1);
    bot->sources = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, source_count_free);
    bot->outcomes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, source_outcome_free);
    return bot;
}

static void
bot_count_free(void *data)
{
    BotCount *bot = data;
    if (bot == NULL)
        return;
    g_hash_table_unref(bot->sources);
    g_hash_table_unref(bot->outcomes);
    source_count_free(bot->nowhere);
    mark_free(bot->mark);
    g_free(bot);
}

Counts *
counts_new(void)
{
    Counts *counts = g_new0(Counts, 1);
    counts->bots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bot_count_free);
    return counts;
}

void
counts_free(Counts *counts)
{
    if (counts == NULL)
        return;
    g_hash_table_unref(counts->bots);
    bot_count_free(counts->nobody);
    g_free(counts);
}

BotCount *
counts_bot(Counts *counts, const char *bot)
{
    if (bot == NULL && counts->nobody == NULL)
        counts->nobody = bot_count_new();
    if (bot == NULL)
        return counts->nobody;

    BotCount *count = g_hash_table_lookup(counts->bots, bot);
    if (count == NULL)
    {
        count = bot_count_new();
        g_hash_table_insert(counts->bots, g_strdup(bot), count);
    }
    return count;
}

SourceCount *
bot_count_source(BotCount *bot, const char *source)
{
    SourceCount *count = source == NULL ? bot->nowhere : g_hash_table_lookup(bot->sources, source);
    if (count != NULL)
        return count;

    count = g_new0(SourceCount, 1);
    count->source = g_strdup(source);
    if (source == NULL)
        bot->nowhere = count;
    else
        g_hash_table_insert(bot->sources, count->source, count);
    return count;
}

void
bot_count_outcome(BotCount *bot, const char *source, gint64 chunks, const char *reason)
{
    SourceOutcome *outcome = g_new0(SourceOutcome, 1);
    outcome->chunks = chunks;
    outcome->reason = g_strdup(reason);
    g_hash_table_insert(bot->outcomes, g_strdup(source), outcome);
}

/* --- reading ------------------------------------------------------------------------------- */

/* The field as valid UTF-8, whatever the server's encoding let in; NULL for NULL. */
static char *
text_of(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL
                                            : g_utf8_make_valid(pg_text(result, row, column), -1);
}

static char *
fill_query(const CountedTable *table, const char *query, char *const *bots)
{
    g_autofree char *bot = pg_quote_name(table->map->bot);
    g_autofree char *source = pg_quote_name(table->map->source);
    g_autofree char *text = pg_quote_name(table->map->text);
    g_autofree char *vector = pg_quote_name(table->map->vector);
    g_autofree char *where =
        bots == NULL ? g_strdup("") : g_strdup_printf("WHERE %s = ANY ($1)", bot);
    return sql_fill(
        query, "bot", bot, "source", source, "text", text, "vector", vector, "schema",
        table->extension_schema, "table", table->table, "where", where, NULL);
}

static PGresult *
query_rows(Pg *pg, const CountedTable *table, const char *query, char *const *bots, GError **error)
{
    g_autofree char *sql = fill_query(table, query, bots);
    g_autofree char *list = sql_text_array(bots);
    const char *parameters[] = {list};
    return pg_query(pg, sql, bots == NULL ? 0 : 1, parameters, error);
}

static bool
read_rows(Pg *pg, const CountedTable *table, char *const *bots, Counts *counts, GError **error)
{
    enum
    {
        BOT,
        SOURCE,
        ROWS,
        TEXTS,
        FEWEST,
        NULL_TEXTS,
        NULL_VECTORS,
        ZERO_VECTORS,
        UNIT_VECTORS,
    };
    g_autoptr(PGresult) result = query_rows(pg, table, SQL_COUNT_ROWS, bots, error);
    if (result == NULL)
        return false;

    for (int row = 0; row < PQntuples(result); row++)
    {
        g_autofree char *id = text_of(result, row, BOT);
        g_autofree char *label = text_of(result, row, SOURCE);
        BotCount *bot = counts_bot(counts, id);
        SourceCount *source = bot_count_source(bot, label);
        source->rows = pg_number(result, row, ROWS);
        source->texts = pg_number(result, row, TEXTS);
        source->fewest = pg_number(result, row, FEWEST);
        source->null_texts = pg_number(result, row, NULL_TEXTS);
        source->null_vectors = pg_number(result, row, NULL_VECTORS);
        source->zero_vectors = pg_number(result, row, ZERO_VECTORS);
        source->unit_vectors = pg_number(result, row, UNIT_VECTORS);
        bot->rows += source->rows;
        counts->rows += source->rows;
        counts->unit_vectors += source->unit_vectors;
        counts->vectors += source->rows - source->null_vectors - source->zero_vectors;
    }
    return true;
}

/* The dimensions that most vectors have. */
static int
usual_dimensions(const PGresult *result, int dimensions, int vectors)
{
    g_autoptr(GHashTable) sums = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, g_free);
    int usual = 0;
    gint64 most = 0;

    for (int row = 0; row < PQntuples(result); row++)
    {
        const int length = (int) pg_number(result, row, dimensions);
        gint64 *sum = g_hash_table_lookup(sums, &length);
        if (sum == NULL)
        {
            sum = g_new0(gint64, 1);
            g_hash_table_insert(sums, g_memdup2(&length, sizeof length), sum);
        }
        *sum += pg_number(result, row, vectors);
        if (*sum > most || (*sum == most && length > usual))
        {
            most = *sum;
            usual = length;
        }
    }
    return usual;
}

static bool
read_dimensions(
    Pg *pg, const CountedTable *table, char *const *bots, Counts *counts, GError **error)
{
    enum
    {
        BOT,
        SOURCE,
        DIMENSIONS,
        VECTORS,
    };
    counts->dimensions = table->dimensions;
    if (table->dimensions != 0)
        return true;
    g_autoptr(PGresult) result = query_rows(pg, table, SQL_COUNT_DIMENSIONS, bots, error);
    if (result == NULL)
        return false;

    counts->dimensions = usual_dimensions(result, DIMENSIONS, VECTORS);
    for (int row = 0; row < PQntuples(result); row++)
    {
        g_autofree char *id = text_of(result, row, BOT);
        g_autofree char *label = text_of(result, row, SOURCE);
        if (pg_number(result, row, DIMENSIONS) != counts->dimensions)
            bot_count_source(counts_bot(counts, id), label)->odd_vectors +=
                pg_number(result, row, VECTORS);
    }
    return true;
}

static Mark *
read_mark(const PGresult *result, int row)
{
    enum
    {
        RUN = 1,
        SPACE,
        SPLITTER,
        FINGERPRINT,
        ROWS,
        COMPLETE,
        MARKED_MS,
    };
    Mark *mark = mark_new();
    mark->run = text_of(result, row, RUN);
    mark->space = text_of(result, row, SPACE);
    mark->splitter = text_of(result, row, SPLITTER);
    mark->fingerprint = text_of(result, row, FINGERPRINT);
    mark->rows = pg_number(result, row, ROWS);
    mark->complete = *pg_text(result, row, COMPLETE) == 't';
    mark->marked_ms = pg_number(result, row, MARKED_MS);
    return mark;
}

static bool
has_marks(Pg *pg, bool *there, GError **error)
{
    g_autoptr(PGresult) result =
        pg_query(pg, "SELECT to_regclass('vecferry.mark') IS NOT NULL", 0, NULL, error);
    if (result == NULL)
        return false;
    *there = *pg_text(result, 0, 0) == 't';
    return true;
}

static bool
read_marks(Pg *pg, const CountedTable *table, char *const *bots, Counts *counts, GError **error)
{
    enum
    {
        BOT = 0,
        SOURCE = 8,
        CHUNKS,
        REASON,
    };
    bool there = false;
    if (!has_marks(pg, &there, error))
        return false;
    if (!there)
        return true;
    g_autofree char *list = bots == NULL ? NULL : sql_text_array(bots);
    const char *parameters[] = {table->oid, list};
    g_autoptr(PGresult) result = pg_query(pg, SQL_READ_MARKS, 2, parameters, error);
    if (result == NULL)
        return false;

    for (int row = 0; row < PQntuples(result); row++)
    {
        g_autofree char *id = text_of(result, row, BOT);
        g_autofree char *source = text_of(result, row, SOURCE);
        g_autofree char *reason = text_of(result, row, REASON);
        BotCount *bot = counts_bot(counts, id);
        if (bot->mark == NULL)
            bot->mark = read_mark(result, row);
        if (source != NULL)
            bot_count_outcome(bot, source, pg_number(result, row, CHUNKS), reason);
    }
    return true;
}

Counts *
counts_read(Pg *pg, const CountedTable *table, char *const *bots, GError **error)
{
    g_autoptr(Counts) counts = counts_new();

    if (!pg_run(pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", error))
        return NULL;
    const bool read = read_rows(pg, table, bots, counts, error) &&
                      read_dimensions(pg, table, bots, counts, error) &&
                      read_marks(pg, table, bots, counts, error);
    pg_rollback(pg);
    return read ? g_steal_pointer(&counts) : NULL;
}
