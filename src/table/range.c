#include "table/range.h"

#include "pg/sql.h"
#include "table/fingerprint.sql.h"

char *
range_condition(gint64 first_block, gint64 end_block)
{
    GString *condition = g_string_new(NULL);

    if (first_block > 0)
        g_string_append_printf(
            condition, " WHERE ctid >= '(%" G_GINT64_FORMAT ",0)'::tid", first_block);
    if (end_block != PART_OPEN_END)
        g_string_append_printf(
            condition, " %s ctid < '(%" G_GINT64_FORMAT ",0)'::tid",
            condition->len == 0 ? "WHERE" : "AND", end_block);
    return g_string_free(condition, FALSE);
}

char *
range_fingerprint(
    Pg *source, const Table *table, gint64 first_block, gint64 end_block, gint64 *rows,
    GError **error)
{
    g_autofree char *condition = range_condition(first_block, end_block);
    g_autofree char *sql =
        sql_fill(SQL_FINGERPRINT, "table", table->quoted, "range", condition, NULL);
    g_autoptr(PGresult) result = pg_query(source, sql, 0, NULL, error);
    if (result == NULL)
        return NULL;
    *rows = pg_number(result, 0, 0);
    return g_strdup_printf("%s:%s", pg_text(result, 0, 0), pg_text(result, 0, 1));
}
