/*
 * describe.h - the vector indexes of a database.
 */
#pragma once

#include "index/memory.h"
#include "pg/pg.h"

typedef struct
{
    guint32 oid;
    char *name;
    char *quoted;     /* with its schema */
    char *table;      /* quoted, with its schema */
    char *expression; /* what is indexed, as SQL */
    char *operators;  /* the operator class, quoted */
    char *condition;  /* NULL: all rows */
    char *type;
    IndexKind kind;
    int dimensions;
    int m; /* 0: not set */
    int ef_construction;
    int lists;
    double rows; /* of the table, as the server estimates; negative unknown */
    bool valid;
    bool partitioned; /* it only holds those of the partitions together */
} VectorIndex;

void vector_index_free(VectorIndex *index);

/* An array of VectorIndex, yours. */
GPtrArray *vector_indexes(Pg *pg, GError **error);

/* What is to be set otherwise than the index has it; 0: as it is. */
typedef struct
{
    IndexKind kind;
    int m;
    int ef_construction;
    int lists;
} IndexWish;

/* The statement that builds it anew in that kind.  Yours. */
char *vector_index_statement(const VectorIndex *index, const IndexWish *wish, double rows);

IndexShape vector_index_shape(const VectorIndex *index, double rows);
