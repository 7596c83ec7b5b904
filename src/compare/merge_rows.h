/*
 * merge_rows.h - finds the difference of two sorted lists of rows.
 *
 * Each list is sorted by key, then hash, as bytes, and names a pair once with its number.  Only
 * the heads of both lists are held, however long they are.
 */
#pragma once

#include "model/comparison.h"

/* One key and hash; strings are borrowed until the list is asked for the next. */
typedef struct
{
    const char *key;
    const char *hash;
    const char *place; /* where one of the rows is */
    gint64 count;
} ListedRow;

/* A list of rows.  The row's key is NULL at the end. */
typedef struct
{
    bool (*next)(void *data, ListedRow *row, GError **error);
    void *data;
} RowReader;

typedef struct
{
    /* Rows of one key that differ, with a place at each side that has some (else NULL).  False
     * when that is enough. */
    bool (*found)(
        void *data, RowDifferenceKind kind, gint64 rows, const char *const places[SIDE_COUNT]);
    void *data;
} RowFinder;

/* False for an error; that it was enough is none. */
bool merge_rows(
    const RowReader *source, const RowReader *target, const RowFinder *finder, GError **error);
