/*
 * observe.c - what planning needs to know of a store: rows by bot and source, and marks.
 */
#include "base/error.h"
#include "base/json.h"
#include "pg/sql.h"
#include "store/mark.h"
#include "store/marks.sql.h"
#include "store/observe.sql.h"
#include "store/store.h"
#include "store/ulid.h"

enum
{
    BOT,
    SOURCE,
    ROWS,
    BAD_ROWS,
    OLDEST,
};

static char *
observe_query(const Store *store)
{
    const StoreMap *map = store->map;
    g_autofree char *bot = pg_quote_name(map->bot);
    g_autofree char *source = pg_quote_name(map->source);
    g_autofree char *text = pg_quote_name(map->text);
    g_autofree char *vector = pg_quote_name(map->vector);
    g_autofree char *id = pg_quote_name(map->id);
    g_autofree char *oldest = *map->id == '\0'
                                  ? g_strdup("NULL")
                                  : g_strdup_printf("min(left(%s::text, 10) COLLATE \"C\")", id);
    return sql_fill(
        SQL_OBSERVE, "bot", bot, "source", source, "text", text, "vector", vector, "oldest", oldest,
        "table", store->table, NULL);
}

static bool
observe_rows(Store *store, Observation *observation, GError **error)
{
    g_autofree char *sql = observe_query(store);
    g_autoptr(PGresult) result = pg_query(store->pg, sql, 0, NULL, error);
    if (result == NULL)
        return false;

    for (int row = 0; row < PQntuples(result); row++)
    {
        /* char(26) pads with blanks, which are no part of the id. */
        g_autofree char *bot = g_strchomp(g_strdup(pg_text(result, row, BOT)));
        BotRows *rows = observation_bot(observation, bot);
        SourceRows *source = g_new0(SourceRows, 1);
        source->source = g_strdup(pg_text(result, row, SOURCE));
        source->rows = pg_number(result, row, ROWS);
        source->bad_rows = pg_number(result, row, BAD_ROWS);
        source->oldest_ms = ulid_time_ms(pg_text(result, row, OLDEST));
        /* Replaces the key too: ids that differ in trailing blanks only meet here. */
        g_hash_table_replace(rows->sources, source->source, source);
        rows->rows += source->rows;
        observation->rows += source->rows;
    }
    return true;
}

static gint64
number_or_unknown(const Json *object, const char *key)
{
    const Json *number = json_object_get(object, key);
    return json_is_integer(number) ? (gint64) json_integer_value(number) : -1;
}

/* Two sources can have one label; it is only as good as the worse of them. */
static void
read_outcome(Mark *mark, const char *text)
{
    g_autoptr(Json) list = json_loads(text, 0, NULL);

    for (size_t i = 0; i < json_array_size(list); i++)
    {
        const Json *entry = json_array_get(list, i);
        const char *label = json_text(entry, "source");
        const char *failure = json_text(entry, "reason");
        if (label == NULL)
            continue;
        MarkedSource *source = mark_source(mark, label);
        source->chunks += MAX(number_or_unknown(entry, "chunks"), 0);
        source->bytes = number_or_unknown(entry, "bytes");
        source->modified_ms = number_or_unknown(entry, "modified_ms");
        source->knows_text = json_text(entry, "text") != NULL;
        if (failure != NULL && source->failure == NULL)
            source->failure = vf_error_one_line(failure);
    }
}

static bool
observe_marks(Store *store, Observation *observation, GError **error)
{
    const char *parameters[] = {store->oid};
    g_autoptr(PGresult) result = pg_query(store->pg, SQL_MARKS, 1, parameters, error);
    if (result == NULL)
        return false;

    for (int row = 0; row < PQntuples(result); row++)
    {
        BotRows *rows = observation_bot(observation, pg_text(result, row, 0));
        rows->mark = mark_new();
        rows->mark->run = g_strdup(pg_text(result, row, 1));
        rows->mark->space = g_strdup(pg_text(result, row, 2));
        rows->mark->splitter = g_strdup(pg_text(result, row, 3));
        rows->mark->fingerprint = g_strdup(pg_text(result, row, 4));
        rows->mark->rows = pg_number(result, row, 5);
        rows->mark->complete = *pg_text(result, row, 6) == 't';
        rows->mark->marked_ms = pg_number(result, row, 7);
        read_outcome(rows->mark, pg_text(result, row, 8));
    }
    return true;
}

Observation *
store_observe(Store *store, GError **error)
{
    g_autoptr(Observation) observation = observation_new();
    bool marks = false;

    observation->identity = g_strdup(store->identity);
    observation->address = g_strdup(store->address);
    if (store->table == NULL)
        return g_steal_pointer(&observation);
    if (!observe_rows(store, observation, error) || !mark_table_exists(store, &marks, error) ||
        (marks && !observe_marks(store, observation, error)))
    {
        g_prefix_error(error, "could not count the rows of %s: ", store->address);
        return NULL;
    }
    return g_steal_pointer(&observation);
}
