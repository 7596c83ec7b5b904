/*
 * side_tables.h - what one side of a comparison has: its tables, whether their rows may be read,
 * and how each column becomes bytes.
 */
#pragma once

#include "model/table.h"
#include "pg/pg.h"

typedef struct
{
    const Table *table; /* borrowed */
    char *root_schema;  /* of the partitioned table above all; NULL for a table that is no
                         * partition, as the next two */
    char *root_name;
    char *root_quoted;
    char *problem;     /* why its rows cannot be read; NULL: they can */
    char *hint;        /* what would help */
    GHashTable *sends; /* column's number (GINT_TO_POINTER) → the quoted function that makes its
                        * binary form; without an entry it has none */
} SideTable;

SideTable *side_table_new(const Table *table);
void side_table_free(SideTable *table);

/*
 * One SideTable for each of the tables (an array of Table), in their order.  Row security that
 * would hide rows, and a missing privilege, are problems of the table; yours.
 */
GPtrArray *side_tables_read(Pg *pg, const GPtrArray *tables, GError **error);
