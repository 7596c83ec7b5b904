#include "compare/row_hash.h"

#include "base/error.h"
#include "compare/list_keyed.sql.h"
#include "compare/list_keyless.sql.h"
#include "compare/list_rows.sql.h"
#include "compare/sum_rows.sql.h"
#include "pg/sql.h"

#include <stdlib.h>
#include <string.h>

/* What is shown of a row without a key, and of each value. */
#define SHOWN_COLUMNS 4
#define SHOWN_CHARACTERS 100

/* --- expressions --------------------------------------------------------------------------- */

/* The value as text, by its type's output function: a cast may lose something (that of char(n)
 * does), and IS NULL is true of a row of NULLs. */
static char *
text_expression(const PairColumn *column)
{
    return g_strdup_printf(
        "CASE num_nulls(t.%s) WHEN 0 THEN format('%%s', t.%s) END", column->quoted, column->quoted);
}

/* The value as bytes; NULL for NULL. */
static char *
bytes_expression(const PairColumn *column, Side side)
{
    if (column->sends[side] != NULL)
        return g_strdup_printf("%s(t.%s)", column->sends[side], column->quoted);
    g_autofree char *text = text_expression(column);
    return g_strdup_printf("textsend(%s)", text);
}

/* The hash of some columns (of PairColumn). */
static char *
hash_expression(const GPtrArray *columns, Side side)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < columns->len; i++)
    {
        g_autofree char *bytes = bytes_expression(columns->pdata[i], side);
        g_string_append_printf(list, "%s%s", i == 0 ? "" : ", ", bytes);
    }
    return g_strdup_printf("sha256(array_send(ARRAY[%s]::bytea[]))", list->str);
}

static char *
key_expression(const TablePair *pair, Side side)
{
    return pair->key->len == 0 ? g_strdup("NULL::bytea") : hash_expression(pair->key, side);
}

/* --- sums ---------------------------------------------------------------------------------- */

bool
row_hash_sum(
    Pg *pg, const TablePair *pair, Side side, const SideTable *piece, const char *range,
    RowSums *sums, GError **error)
{
    g_autofree char *key = key_expression(pair, side);
    g_autofree char *hash = hash_expression(pair->columns, side);
    g_autofree char *sql = sql_fill(
        SQL_SUM_ROWS, "key", key, "hash", hash, "table", piece->table->quoted, "range", range,
        NULL);
    g_autoptr(PGresult) result = pg_query(pg, sql, 0, NULL, error);
    if (result == NULL)
        return false;

    for (int row = 0; row < PQntuples(result); row++)
    {
        RowBucket *bucket = &sums->buckets[pg_number(result, row, 0) % ROW_BUCKETS];
        const gint64 rows = pg_number(result, row, 1);
        bucket->rows += rows;
        bucket->sums[0] += row_sum_parse(pg_text(result, row, 2));
        bucket->sums[1] += row_sum_parse(pg_text(result, row, 3));
        sums->rows += rows;
    }
    return true;
}

bool
row_hash_count(Pg *pg, const SideTable *piece, const char *range, RowSums *sums, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT count(*) FROM ONLY %s AS t%s", piece->table->quoted, range);
    g_autoptr(PGresult) result = pg_query(pg, sql, 0, NULL, error);
    if (result == NULL)
        return false;
    sums->buckets[0].rows += pg_number(result, 0, 0);
    sums->rows += pg_number(result, 0, 0);
    return true;
}

/* --- lists --------------------------------------------------------------------------------- */

/* "3 (17,4)" is the row at that place of the third piece. */
static char *
place_expression(guint piece)
{
    return g_strdup_printf("'%u ' || t.ctid::text", piece);
}

char *
row_hash_list_query(const TablePair *pair, Side side)
{
    g_autofree char *key = key_expression(pair, side);
    g_autofree char *hash = hash_expression(pair->columns, side);
    g_autoptr(GString) pieces = g_string_new(NULL);

    for (guint i = 0; i < pair->pieces[side]->len; i++)
    {
        const SideTable *piece = pair->pieces[side]->pdata[i];
        g_autofree char *place = place_expression(i);
        g_autofree char *listed = pair->key->len == 0
                                      ? sql_fill(
                                            SQL_LIST_KEYLESS, "hash", hash, "place", place, "table",
                                            piece->table->quoted, NULL)
                                      : sql_fill(
                                            SQL_LIST_KEYED, "key", key, "hash", hash, "place",
                                            place, "table", piece->table->quoted, NULL);
        g_string_append_printf(pieces, "%s%s", i == 0 ? "" : " UNION ALL ", listed);
    }
    return sql_fill(SQL_LIST_ROWS, "pieces", pieces->str, NULL);
}

/* --- one row ------------------------------------------------------------------------------- */

GPtrArray *
row_hash_shown_columns(const TablePair *pair)
{
    const GPtrArray *of = pair->key->len > 0 ? pair->key : pair->columns;
    const guint count = pair->key->len > 0 ? pair->key->len : MIN(of->len, SHOWN_COLUMNS);
    GPtrArray *shown = g_ptr_array_new();

    for (guint i = 0; i < count; i++)
        g_ptr_array_add(shown, of->pdata[i]);
    return shown;
}

static char *
look_query(const TablePair *pair, Side side, const SideTable *piece, const GPtrArray *shown)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");

    for (guint i = 0; i < shown->len; i++)
    {
        g_autofree char *text = text_expression(shown->pdata[i]);
        g_string_append_printf(sql, "left(%s, %d), ", text, SHOWN_CHARACTERS);
    }
    for (guint i = 0; i < pair->columns->len; i++)
    {
        g_autofree char *bytes = bytes_expression(pair->columns->pdata[i], side);
        g_string_append_printf(sql, "sha256(%s), ", bytes);
    }
    g_string_append_printf(
        sql, "true FROM ONLY %s AS t WHERE t.ctid = $1::tid", piece->table->quoted);
    return g_string_free(g_steal_pointer(&sql), FALSE);
}

static char **
fields_of(const PGresult *result, guint from, guint count)
{
    char **fields = g_new0(char *, count + 1);
    for (guint i = 0; i < count; i++)
        if (!PQgetisnull(result, 0, (int) (from + i)))
            fields[i] = g_strdup(pg_text(result, 0, (int) (from + i)));
    return fields;
}

FoundRow *
row_hash_look(Pg *pg, const TablePair *pair, Side side, const char *place, GError **error)
{
    char *ctid = NULL;
    const guint number = (guint) strtoul(place, &ctid, 10);
    g_assert(number < pair->pieces[side]->len && *ctid == ' ');

    g_autoptr(GPtrArray) shown = row_hash_shown_columns(pair);
    g_autofree char *sql = look_query(pair, side, pair->pieces[side]->pdata[number], shown);
    const char *parameters[] = {ctid + 1};
    g_autoptr(PGresult) result = pg_query(pg, sql, 1, parameters, error);
    if (result == NULL)
        return NULL;
    if (PQntuples(result) != 1)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "the row at %s is not there any more", ctid + 1);
        return NULL;
    }

    FoundRow *row = g_new0(FoundRow, 1);
    row->value_count = shown->len;
    row->hash_count = pair->columns->len;
    row->values = fields_of(result, 0, row->value_count);
    row->hashes = fields_of(result, row->value_count, row->hash_count);
    return row;
}

static void
fields_free(char **fields, guint count)
{
    for (guint i = 0; i < count; i++)
        g_free(fields[i]);
    g_free(fields);
}

void
found_row_free(FoundRow *row)
{
    if (row == NULL)
        return;
    fields_free(row->values, row->value_count);
    fields_free(row->hashes, row->hash_count);
    g_free(row);
}
