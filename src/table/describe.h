/*
 * describe.h - lists the tables of a database that a copy is about.
 *
 * Ordinary tables and the leaves of partitioned ones: what holds rows.  Not temporary
 * tables, not the system's, not ours (schema vecferry), not those of an extension, whose
 * rows come with CREATE EXTENSION.
 *
 * Patterns are those of psql and pg_dump (table/pattern.h).  Other than there, one without
 * a schema looks in every schema, and one that matches a partitioned table matches its
 * partitions.
 */
#pragma once

#include "model/table.h"
#include "pg/pg.h"

/* Lists of patterns, each NULL or NULL-terminated.  Without tables and schemas: all. */
typedef struct
{
    char *const *tables;
    char *const *schemas;
    char *const *excluded; /* tables; wins over both */
} TableFilter;

/*
 * An array of Table, by schema and name; yours.  Ask inside the snapshot that rows are read in.
 * VF_ERROR_USAGE for a pattern that nothing matches, so that no slip of the pen leaves a table
 * behind.  `filter` NULL: all tables.
 */
GPtrArray *tables_describe(Pg *pg, const TableFilter *filter, GError **error);
