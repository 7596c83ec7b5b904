/*
 * comparison.h - what was found when the tables of two databases were compared, row by row.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum
{
    SIDE_SOURCE,
    SIDE_TARGET,
    SIDE_COUNT,
} Side;

/* "source", "target". */
const char *side_name(Side side);

typedef enum
{
    ROW_MISSING, /* in the target */
    ROW_EXTRA,   /* the target alone has it */
    ROW_CHANGED, /* the key is at both sides, and another column differs */
} RowDifferenceKind;

/* "missing", "extra", "changed". */
const char *row_difference_kind_name(RowDifferenceKind kind);

/* A column and its value as text, shortened. */
typedef struct
{
    char *column;
    char *value; /* NULL for NULL */
} ColumnValue;

typedef struct
{
    RowDifferenceKind kind;
    gint64 rows;        /* of this key: more than one only where the key is none */
    bool has_key;       /* false: the values are the row's first ones, to find it by */
    GPtrArray *values;  /* of ColumnValue */
    GPtrArray *columns; /* of char *: those that differ, of a changed row */
} RowDifference;

RowDifference *row_difference_new(RowDifferenceKind kind, gint64 rows);
void row_difference_free(RowDifference *difference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowDifference, row_difference_free)

/* The value is text; NULL for NULL. */
void row_difference_add_value(RowDifference *difference, const char *column, const char *value);

/* Names a column that differs. */
void row_difference_add_column(RowDifference *difference, const char *column);

typedef enum
{
    SHAPE_TABLE_MISSING, /* in the target */
    SHAPE_TABLE_EXTRA,   /* the target alone has it */
    SHAPE_COLUMN_MISSING,
    SHAPE_COLUMN_EXTRA,
    SHAPE_COLUMN_TYPE, /* or its limits */
    SHAPE_COUNT,
} ShapeDifferenceKind;

/* "table-missing", "column-type", … */
const char *shape_difference_kind_name(ShapeDifferenceKind kind);

/* A difference of the tables themselves. */
typedef struct
{
    ShapeDifferenceKind kind;
    char *column; /* NULL for the table as a whole */
    char *message;
} ShapeDifference;

/* Rows of one side are unknown. */
#define ROWS_UNKNOWN (-1)

typedef struct
{
    char *table;             /* quoted, with its schema */
    gint64 rows[SIDE_COUNT]; /* ROWS_UNKNOWN for a side that was not counted */
    gint64 bytes;            /* on disk, both sides together */
    GPtrArray *shape;        /* of ShapeDifference */
    bool rows_differ;
    GPtrArray *differences; /* of RowDifference, those that are named */
    bool more;              /* there are others */
    char *problem;          /* why its rows could not be compared; NULL: they were */
    char *hint;             /* what would help; NULL */
} TableComparison;

/* Takes the message. */
void table_comparison_add_shape(
    TableComparison *table, ShapeDifferenceKind kind, const char *column, char *message);

/* The first problem counts. */
void table_comparison_set_problem(TableComparison *table, const char *problem, const char *hint);

/* True when something differs, whether or not all could be compared. */
bool table_comparison_differs(const TableComparison *table);

typedef enum
{
    COMPARISON_LOOKING,   /* at the tables of both sides */
    COMPARISON_HASHING,   /* all rows */
    COMPARISON_SEARCHING, /* for the rows that differ */
    COMPARISON_DONE,
} ComparisonPhase;

typedef struct
{
    char *level;             /* "counts", "rows" */
    char *sides[SIDE_COUNT]; /* addresses, without passwords */
    GPtrArray *tables;       /* of TableComparison, by name */
    ComparisonPhase phase;
    gint64 bytes[SIDE_COUNT];      /* on disk, that are to be read */
    gint64 bytes_done[SIDE_COUNT]; /* read so far */
    gint64 rows_done[SIDE_COUNT];
    guint differing; /* tables whose rows differ */
    guint searched;  /* of them, those whose rows were looked for */
    gint64 started_ms;
    gint64 ended_ms; /* 0 while it is not ended */
} Comparison;

Comparison *comparison_new(const char *level);
void comparison_free(Comparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Comparison, comparison_free)

TableComparison *comparison_add(Comparison *comparison, const char *table);

/* How many tables differ, and how many could not be compared. */
guint comparison_count_different(const Comparison *comparison);
guint comparison_count_unproven(const Comparison *comparison);
