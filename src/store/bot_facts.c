#include "store/bot_facts.h"

#include "pg/sql.h"
#include "store/bot_facts.sql.h"
#include "store/bots.sql.h"
#include "store/mark.h"

void
bot_facts_clear(BotFacts *facts)
{
    g_free(facts->space);
    *facts = (BotFacts){0};
}

bool
bot_facts_read(Store *store, const char *bot, BotFacts *facts, GError **error)
{
    g_autofree char *bot_column = pg_quote_name(store->map->bot);
    g_autofree char *vector = pg_quote_name(store->map->vector);
    g_autofree char *sql = sql_fill(
        SQL_BOT_FACTS, "table", store->table, "bot", bot_column, "vector", vector, "schema",
        store->extension_schema, NULL);
    const char *parameters[] = {bot};
    g_autoptr(PGresult) result = pg_query(store->pg, sql, 1, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not look for bot \"%s\" in %s: ", bot, store->address);
        return false;
    }
    facts->rows = pg_number(result, 0, 0);
    facts->dimensions = (int) pg_number(result, 0, 1);
    return true;
}

bool
bot_facts_read_space(Store *store, const char *bot, BotFacts *facts, GError **error)
{
    const char *parameters[] = {store->oid, bot};
    bool marks = false;

    if (!mark_table_exists(store, &marks, error))
        return false;
    if (!marks)
        return true;
    g_autoptr(PGresult) result = pg_query(
        store->pg, "SELECT space FROM vecferry.mark WHERE target = $1::oid AND bot = $2", 2,
        parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read the mark of bot \"%s\": ", bot);
        return false;
    }
    g_free(facts->space);
    facts->space = PQntuples(result) == 1 ? g_strdup(pg_text(result, 0, 0)) : NULL;
    return true;
}

gint64
store_count_rows(Store *store, const char *bot, GError **error)
{
    g_autofree char *bot_column = pg_quote_name(store->map->bot);
    g_autofree char *sql =
        g_strdup_printf("SELECT count(*) FROM %s WHERE %s = $1", store->table, bot_column);
    const char *parameters[] = {bot};
    g_autoptr(PGresult) result = pg_query(store->pg, sql, 1, parameters, error);
    if (result != NULL)
        return pg_number(result, 0, 0);
    g_prefix_error(error, "could not count the rows of bot \"%s\" in %s: ", bot, store->address);
    return -1;
}

char **
store_bots(Store *store, GError **error)
{
    g_autofree char *bot = pg_quote_name(store->map->bot);
    g_autofree char *sql = sql_fill(SQL_BOTS, "table", store->table, "bot", bot, NULL);
    g_autoptr(PGresult) result = pg_query(store->pg, sql, 0, NULL, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not list the bots of %s: ", store->address);
        return NULL;
    }

    char **bots = g_new0(char *, (gsize) PQntuples(result) + 1);
    for (int row = 0; row < PQntuples(result); row++)
        bots[row] = g_strdup(pg_text(result, row, 0));
    return bots;
}
