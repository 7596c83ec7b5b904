#include "index/memory.h"

#include <math.h>
#include <string.h>

#define MB (1024.0 * 1024)

#define DEFAULT_M 16
#define DEFAULT_LISTS 100

/* Of a sparse vector, which may have any number of elements up to this one in an HNSW index. */
#define MOST_SPARSE_ELEMENTS 1000

/* More workers do not help one build, and others want some, too. */
#define MOST_WORKERS 8

static double
vector_bytes(const IndexShape *shape)
{
    const double dimensions = MAX(shape->dimensions, 1);

    if (g_strcmp0(shape->type, "halfvec") == 0)
        return 8 + 2 * dimensions;
    if (g_strcmp0(shape->type, "bit") == 0)
        return 8 + dimensions / 8;
    if (g_strcmp0(shape->type, "sparsevec") == 0)
        return 16 + 8 * MIN(dimensions, MOST_SPARSE_ELEMENTS);
    return 8 + 4 * dimensions;
}

/*
 * One element of the graph: itself, its array of levels, its neighbours on the lowest level and on
 * average on those above, its vector; four headers of the allocator where the build is serial.
 */
static double
hnsw_bytes(const IndexShape *shape)
{
    const double m = shape->m > 1 ? shape->m : DEFAULT_M;
    const double element = 128 + 8;
    const double lowest = 8 + 16 * 2 * m;
    const double above = (8 + 8 + 16 * m) / (m - 1);
    const double headers = 4 * 24;
    return shape->rows * (element + lowest + above + vector_bytes(shape) + headers) * 1.03 + 5 * MB;
}

/* Samples, centres twice, and the bounds of every sample to every centre. */
static double
ivfflat_bytes(const IndexShape *shape)
{
    const double lists = shape->lists > 0 ? shape->lists : DEFAULT_LISTS;
    const double samples = MIN(MAX(lists * 50, 10000), shape->rows);
    const double vector = vector_bytes(shape);
    return (samples * vector + 2 * lists * vector + lists * MAX(shape->dimensions, 1) * 4 +
            4 * samples * (lists + 2) + 4 * lists * lists) *
               1.1 +
           MB;
}

double
index_bytes(const IndexShape *shape)
{
    return shape->kind == INDEX_HNSW ? hnsw_bytes(shape) : ivfflat_bytes(shape);
}

int
index_usual_lists(double rows)
{
    return (int) MAX(rows > 1e6 ? sqrt(rows) : rows / 1000, 1);
}

IndexMeans
index_means(const IndexShape *shape, const ServerMeans *server, gint64 limit, guint at_a_time)
{
    const gint64 all = limit > 0 ? limit : MAX(server->buffer_bytes / 4, server->cache_bytes / 8);
    const gint64 share = MAX(all / MAX(at_a_time, 1), server->maintenance_bytes);
    const double need = ceil(index_bytes(shape));
    const int workers = MIN(server->workers / (int) MAX(at_a_time, 1), MOST_WORKERS);

    return (IndexMeans){
        .bytes = MAX((gint64) MIN(need, (double) share), server->maintenance_bytes),
        .workers = MAX(workers, server->maintenance_workers),
        .fits = need <= (double) share,
    };
}
