/*
 * pair_tables.h - decides which tables of two databases are compared with which, and by which
 * columns.
 *
 * Pure.  Tables pair by schema and name, partitions too.  A partitioned table whose partitions
 * are not the same at both sides is compared as a whole, also with a plain table of its name.
 * Columns pair by name, wherever they stand; a column of one side, or of another type, is a
 * difference of its own and takes no part in the rows, unless only the type's limits differ.
 */
#pragma once

#include "compare/side_tables.h"
#include "model/comparison.h"

typedef struct
{
    char *name;
    char *quoted;
    char *sends[SIDE_COUNT]; /* quoted functions; NULL: the value goes by its text */
} PairColumn;

/* A table, with what holds its rows at each side. */
typedef struct
{
    GPtrArray *pieces[SIDE_COUNT]; /* of const SideTable, borrowed: itself, or its partitions */
    GPtrArray *columns;            /* of PairColumn, in the source's order */
    GPtrArray *key;                /* of them, borrowed; empty for none */
    TableComparison *comparison;   /* borrowed */
} TablePair;

/*
 * Pairs what the sides have (arrays of SideTable), and adds a table to the comparison for each
 * pair.  An array of TablePair without those that have nothing to be compared: because they are at
 * one side only, or because their rows cannot be read.  Yours; it borrows all three.
 */
GPtrArray *tables_pair(const GPtrArray *source, const GPtrArray *target, Comparison *comparison);
