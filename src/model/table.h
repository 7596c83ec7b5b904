/*
 * table.h - a table of a database as a copy sees it, its columns, and the parts it is cut into.
 *
 * Facts only, as one snapshot showed them.  Quoted names can be put into SQL as they are.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct
{
    char *name;
    char *quoted;
    int number;        /* pg_attribute.attnum */
    char *type;        /* as format_type() writes it, with its limits: "vector(1024)" */
    char *type_schema; /* "public" */
    char *type_name;   /* "vector", "_text" for an array of text */
    bool not_null;
    bool generated; /* from other columns: it is never copied, the target computes it */
    char identity;  /* 'a' always, 'd' by default, 0 none */
    bool portable;  /* its binary form means the same in every cluster: no OIDs in it */
} Column;

void column_free(Column *column);

typedef struct
{
    char *schema;
    char *name;
    char *quoted; /* "schema"."name" */
    guint32 oid;
    guint32 relfilenode; /* changes whenever the table is rewritten or emptied */
    char persistence;    /* 'p' permanent, 'u' unlogged */
    bool is_partition;   /* a leaf: its rows are read and written here, not by way of its parent */
    gint64 blocks;       /* of the heap, without TOAST */
    gint64 bytes;        /* TOAST included, indexes not */
    double rows;         /* what the server last estimated; negative unknown */
    GPtrArray *columns;  /* of Column, in their order, without dropped ones */
    GPtrArray *key;      /* of Column, borrowed: the primary key, or else a unique key without NULLs
                          * and without a condition; empty for none */
    bool has_primary_key;
} Table;

Table *table_new(void);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* The column of that name, NULL for none. */
const Column *table_column(const Table *table, const char *name);

/* The table of that schema and name among some, NULL for none. */
Table *table_find(const GPtrArray *tables, const char *schema, const char *name);

/* True when all that is copied of the table may travel in binary form. */
bool table_is_portable(const Table *table);

/*
 * What is copied of the table, quoted and with commas between; "" for a table without such
 * columns.  Yours.
 */
char *table_column_list(const Table *table);

/*
 * The columns with their numbers and types, as one text: a table in which this changes is another
 * one, though no row of it was written.  Yours.
 */
char *table_shape(const Table *table);

/* To the end of the table, however far it grew. */
#define PART_OPEN_END (-1)

/* A range of the blocks of a table: what is copied and recorded in one transaction. */
typedef struct
{
    guint table;        /* its number among the tables */
    gint64 first_block; /* the first of the range */
    gint64 end_block;   /* the first behind the range; PART_OPEN_END */
    gint64 bytes;       /* about so many, TOAST included */
} Part;
