/*
 * row_hash.h - hashes the rows of a table inside its server.
 *
 * A row's hash is the SHA-256 of its columns' binary forms, one behind the other as the elements
 * of an array, so that NULL and nothing differ and no value can run into the next.  It is the same
 * on every server from version 13 on, in every encoding: texts come in the session's, which must
 * be UTF-8, floats by their bits, and no OID of the cluster is in it.  What has no such form goes
 * by its text, under the settings of the session.
 */
#pragma once

#include "compare/pair_tables.h"
#include "compare/row_sums.h"
#include "pg/pg.h"

/* The condition of a range of blocks is given as SQL, " WHERE ctid …" or "". */

/* Adds up what a piece of the table has in the range. */
bool row_hash_sum(
    Pg *pg, const TablePair *pair, Side side, const SideTable *piece, const char *range,
    RowSums *sums, GError **error);

/* Only the number of its rows. */
bool row_hash_count(
    Pg *pg, const SideTable *piece, const char *range, RowSums *sums, GError **error);

/*
 * A query for all rows in some buckets ($1, int[]) as (key, hash, count, place), sorted by key and
 * hash as bytes, for merge_rows().  Without a key, the hash stands for it.  Yours.
 */
char *row_hash_list_query(const TablePair *pair, Side side);

/* One row, where a list said that it is. */
typedef struct
{
    char **values; /* of the key, or of the first columns; some may be NULL */
    char **hashes; /* of each of the pair's columns, NULL for NULL */
    guint value_count;
    guint hash_count;
} FoundRow;

FoundRow *row_hash_look(
    Pg *pg, const TablePair *pair, Side side, const char *place, GError **error);
void found_row_free(FoundRow *row);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FoundRow, found_row_free)

/* The columns whose values a FoundRow has, the key's or the first few; an array of PairColumn,
 * yours. */
GPtrArray *row_hash_shown_columns(const TablePair *pair);
