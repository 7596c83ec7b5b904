/*
 * ask.c - the chunks that answer a question, by the application's own query.
 */
#include "base/error.h"
#include "pg/sql.h"
#include "store/ask.sql.h"
#include "store/store.h"

#include <math.h>

static const char *
operator_name(Distance distance)
{
    switch (distance)
    {
    case DISTANCE_L2:
        return "<->";
    case DISTANCE_COSINE:
        return "<=>";
    case DISTANCE_IP:
        return "<#>";
    }
    g_assert_not_reached();
}

static char *
ask_query(const Store *store)
{
    const StoreMap *map = store->map;
    g_autofree char *vector = pg_quote_name(map->vector);
    g_autofree char *source = pg_quote_name(map->source);
    g_autofree char *text = pg_quote_name(map->text);
    g_autofree char *bot = pg_quote_name(map->bot);
    g_autofree char *operator=
        g_strconcat(store->extension_schema, ".", operator_name(map->distance), NULL);
    g_autofree char *type = g_strconcat(store->extension_schema, ".", store->column_type, NULL);
    return sql_fill(
        SQL_ASK, "vector", vector, "source", source, "text", text, "bot", bot, "operator", operator,
        "type", type, "table", store->table, NULL);
}

/* pgvector's text form, exact to the last bit of a float. */
static char *
vector_text(const float *vector, int dimensions)
{
    GString *text = g_string_new("[");
    char number[G_ASCII_DTOSTR_BUF_SIZE];

    for (int i = 0; i < dimensions; i++)
    {
        g_ascii_formatd(number, sizeof number, "%.9g", (double) vector[i]);
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ",", number);
    }
    g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

GPtrArray *
store_ask(
    Store *store, const char *bot, const float *vector, int dimensions, int limit, GError **error)
{
    g_autofree char *sql = ask_query(store);
    g_autofree char *query = vector_text(vector, dimensions);
    g_autofree char *rows = g_strdup_printf("%d", limit);
    const char *parameters[] = {query, bot, rows};
    g_autoptr(PGresult) result = pg_query(store->pg, sql, 3, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not ask %s: ", store->address);
        return NULL;
    }

    GPtrArray *answers = g_ptr_array_new_with_free_func((GDestroyNotify) answer_free);
    for (int row = 0; row < PQntuples(result); row++)
    {
        Answer *answer = g_new0(Answer, 1);
        answer->distance =
            PQgetisnull(result, row, 0) ? NAN : g_ascii_strtod(pg_text(result, row, 0), NULL);
        answer->source = g_strdup(pg_text(result, row, 1));
        answer->text = g_strdup(pg_text(result, row, 2));
        g_ptr_array_add(answers, answer);
    }
    return answers;
}
