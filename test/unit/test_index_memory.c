#include "index/memory.h"

#define MB (1024.0 * 1024)

static const ServerMeans SERVER = {
    .maintenance_bytes = 64 << 20,
    .buffer_bytes = 128 << 20,
    .cache_bytes = 4LL << 30,
    .workers = 8,
    .maintenance_workers = 2,
};

static IndexShape
shape(IndexKind kind, double rows, int dimensions)
{
    return (IndexShape){.kind = kind, .type = "vector", .rows = rows, .dimensions = dimensions};
}

/* Seen on servers: 64 MB in a parallel build end at 13,168 rows of 1,024 dimensions. */
static void
test_an_hnsw_graph_is_never_thought_smaller_than_it_is(void)
{
    const IndexShape seen = shape(INDEX_HNSW, 13168, 1024);
    const IndexShape fewer = shape(INDEX_HNSW, 13168 * 0.9, 1024);

    g_assert_cmpfloat(index_bytes(&seen), >, 64 * MB);
    g_assert_cmpfloat(index_bytes(&fewer), <, 70 * MB);
}

/* Seen: 100 lists of 1,024 dimensions take about 46 MB, 1,000 lists about 420. */
static void
test_ivfflat_takes_what_servers_ask_for(void)
{
    IndexShape few = shape(INDEX_IVFFLAT, 1e6, 1024);
    IndexShape many = shape(INDEX_IVFFLAT, 1e6, 1024);

    few.lists = 100;
    many.lists = 1000;
    g_assert_cmpfloat(index_bytes(&few), >, 45 * MB);
    g_assert_cmpfloat(index_bytes(&few), <, 60 * MB);
    g_assert_cmpfloat(index_bytes(&many), >, 410 * MB);
    g_assert_cmpfloat(index_bytes(&many), <, 480 * MB);
}

static void
test_half_the_bytes_take_less(void)
{
    IndexShape half = shape(INDEX_HNSW, 1e5, 1024);
    const IndexShape whole = shape(INDEX_HNSW, 1e5, 1024);

    half.type = "halfvec";
    g_assert_cmpfloat_with_epsilon(index_bytes(&whole) - index_bytes(&half), 1e5 * 2048 * 1.03, 1);
}

static void
test_a_small_index_gets_what_the_server_gives_anyway(void)
{
    const IndexShape small = shape(INDEX_HNSW, 10, 3);
    const IndexMeans means = index_means(&small, &SERVER, 0, 1);

    g_assert_cmpint(means.bytes, ==, SERVER.maintenance_bytes);
    g_assert_true(means.fits);
}

static void
test_a_large_one_gets_its_share_and_is_known_not_to_fit(void)
{
    const IndexShape large = shape(INDEX_HNSW, 1e6, 1024);
    const IndexMeans alone = index_means(&large, &SERVER, 0, 1);
    const IndexMeans shared = index_means(&large, &SERVER, 2LL << 30, 4);

    g_assert_cmpint(alone.bytes, ==, 512 << 20);
    g_assert_false(alone.fits);
    g_assert_cmpint(shared.bytes, ==, 512 << 20);
    g_assert_cmpint(alone.workers, ==, 8);
    g_assert_cmpint(shared.workers, ==, 2);
}

static void
test_what_fits_gets_no_more_than_it_takes(void)
{
    const IndexShape middle = shape(INDEX_HNSW, 1e5, 1024);
    const IndexMeans means = index_means(&middle, &SERVER, 8LL << 30, 1);

    g_assert_true(means.fits);
    g_assert_cmpfloat((double) means.bytes, >=, index_bytes(&middle));
    g_assert_cmpfloat((double) means.bytes, <, 600 * MB);
}

static void
test_lists_are_by_the_thousand_and_then_by_the_root(void)
{
    g_assert_cmpint(index_usual_lists(0), ==, 1);
    g_assert_cmpint(index_usual_lists(100000), ==, 100);
    g_assert_cmpint(index_usual_lists(4000000), ==, 2000);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/index memory/an HNSW graph is never thought smaller than it is",
        test_an_hnsw_graph_is_never_thought_smaller_than_it_is);
    g_test_add_func(
        "/index memory/ivfflat takes what servers ask for",
        test_ivfflat_takes_what_servers_ask_for);
    g_test_add_func("/index memory/half the bytes take less", test_half_the_bytes_take_less);
    g_test_add_func(
        "/index memory/a small index gets what the server gives anyway",
        test_a_small_index_gets_what_the_server_gives_anyway);
    g_test_add_func(
        "/index memory/a large one gets its share and is known not to fit",
        test_a_large_one_gets_its_share_and_is_known_not_to_fit);
    g_test_add_func(
        "/index memory/what fits gets no more than it takes",
        test_what_fits_gets_no_more_than_it_takes);
    g_test_add_func(
        "/index memory/lists are by the thousand and then by the root",
        test_lists_are_by_the_thousand_and_then_by_the_root);
    return g_test_run();
}
