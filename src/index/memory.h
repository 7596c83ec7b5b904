/*
 * memory.h - what building a vector index takes, and what a session is given for it.
 *
 * The formulas are pgvector's own (0.8, hnswbuild.c and ivfkmeans.c), checked against servers: an
 * HNSW graph that does not fit is built four times slower, an ivfflat build refuses to begin. Pure.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum
{
    INDEX_IVFFLAT,
    INDEX_HNSW,
} IndexKind;

typedef struct
{
    IndexKind kind;
    const char *type; /* "vector", "halfvec", "bit", "sparsevec" */
    double rows;
    int dimensions;
    int m;     /* hnsw; 0: pgvector's default */
    int lists; /* ivfflat; likewise */
} IndexShape;

/* Bytes of maintenance_work_mem with which the build is at its best. */
double index_bytes(const IndexShape *shape);

/* "rows / 1000", and their root from a million on: what pgvector advises. */
int index_usual_lists(double rows);

/* What the server says of itself. */
typedef struct
{
    gint64 maintenance_bytes; /* maintenance_work_mem */
    gint64 buffer_bytes;      /* shared_buffers */
    gint64 cache_bytes;       /* effective_cache_size */
    int workers;              /* max_parallel_workers */
    int maintenance_workers;  /* max_parallel_maintenance_workers */
} ServerMeans;

typedef struct
{
    gint64 bytes; /* of maintenance_work_mem */
    int workers;
    bool fits;
} IndexMeans;

/*
 * For one of `at_a_time` builds.  `limit` bounds the memory of all of them; 0 is a quarter of the
 * server's buffers or an eighth of its cache, whichever is more.  Never less than the server's own
 * setting.
 */
IndexMeans index_means(
    const IndexShape *shape, const ServerMeans *server, gint64 limit, guint at_a_time);
