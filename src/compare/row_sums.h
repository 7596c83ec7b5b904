/*
 * row_sums.h - the rows of a table as a number, whatever their order and whoever added them up.
 *
 * Every row has a hash of 128 bits; the sums of both its halves (modulo 2^64) and the number of
 * rows stand in one of 256 buckets, which the row's key chooses.  Sums of parts of a table add up
 * to those of the table.  Where the sums differ, a row does; where they agree, rows could differ
 * only by an accident of one in 2^128.  Exclusive or would not do: a row that is there twice would
 * vanish.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define ROW_BUCKETS 256

typedef struct
{
    gint64 rows;
    guint64 sums[2];
} RowBucket;

typedef struct
{
    RowBucket buckets[ROW_BUCKETS];
    gint64 rows;
} RowSums;

/* A sum as the server writes it, a whole number of any length with or without sign, modulo 2^64. */
guint64 row_sum_parse(const char *number);

void row_sums_add(RowSums *sums, const RowSums *more);
bool row_sums_equal(const RowSums *left, const RowSums *right);

/* The numbers of the buckets that differ, rising: an array of int, yours. */
GArray *row_sums_different(const RowSums *left, const RowSums *right);
