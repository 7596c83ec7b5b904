#include "table/cut.h"

static Table *
a_table(gint64 blocks, gint64 bytes)
{
    Table *table = table_new();
    table->blocks = blocks;
    table->bytes = bytes;
    return table;
}

static GPtrArray *
tables_of(Table *first, Table *second)
{
    GPtrArray *tables = g_ptr_array_new_with_free_func((GDestroyNotify) table_free);
    g_ptr_array_add(tables, first);
    if (second != NULL)
        g_ptr_array_add(tables, second);
    return tables;
}

static GArray *
nothing_done(void)
{
    return g_array_new(FALSE, FALSE, sizeof(DoneRange));
}

static const Part *
part_at(const GArray *parts, guint index)
{
    return &g_array_index(parts, Part, index);
}

/* How many of the parts and done ranges hold the block. */
static guint
covers(const GArray *parts, const GArray *done, guint table, gint64 block)
{
    guint count = 0;
    for (guint i = 0; i < parts->len; i++)
    {
        const Part *part = part_at(parts, i);
        count += part->table == table && part->first_block <= block &&
                 (part->end_block == PART_OPEN_END || block < part->end_block);
    }
    for (guint i = 0; i < done->len; i++)
    {
        const DoneRange *range = &g_array_index(done, DoneRange, i);
        count += range->table == table && range->first_block <= block &&
                 (range->end_block == PART_OPEN_END || block < range->end_block);
    }
    return count;
}

static void
test_an_empty_table_is_one_open_part(void)
{
    g_autoptr(GPtrArray) tables = tables_of(a_table(0, 0), NULL);
    g_autoptr(GArray) done = nothing_done();
    g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){1000, 150000});

    g_assert_cmpuint(parts->len, ==, 1);
    g_assert_cmpint(part_at(parts, 0)->first_block, ==, 0);
    g_assert_cmpint(part_at(parts, 0)->end_block, ==, PART_OPEN_END);
}

static void
test_what_counts_is_the_weight_with_toast(void)
{
    g_autoptr(GPtrArray) tables = tables_of(a_table(100, 1000000), NULL);
    g_autoptr(GArray) done = nothing_done();
    g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){100000, 150000});

    g_assert_cmpuint(parts->len, >=, 9);
    g_assert_cmpuint(parts->len, <=, 11);
}

static void
test_a_part_is_at_least_a_block(void)
{
    g_autoptr(GPtrArray) tables = tables_of(a_table(3, 1000000000), NULL);
    g_autoptr(GArray) done = nothing_done();
    g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){1, 150000});

    g_assert_cmpuint(parts->len, ==, 3);
}

static void
test_a_huge_table_is_not_cut_to_dust(void)
{
    g_autoptr(GPtrArray) tables =
        tables_of(a_table(G_MAXUINT32, (gint64) G_MAXUINT32 * 8192), NULL);
    g_autoptr(GArray) done = nothing_done();
    g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){1, 150000});

    g_assert_cmpuint(parts->len, <=, 4096);
}

static void
test_every_block_is_in_one_part_and_the_last_is_open(void)
{
    for (gint64 blocks = 0; blocks < 40; blocks++)
        for (gint64 part_bytes = 1; part_bytes < 60000; part_bytes += 7777)
        {
            g_autoptr(GPtrArray) tables = tables_of(a_table(blocks, blocks * 8192), NULL);
            g_autoptr(GArray) done = nothing_done();
            g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){part_bytes, 150000});
            for (gint64 block = 0; block < blocks + 10; block++)
                g_assert_cmpuint(covers(parts, done, 0, block), ==, 1);
        }
}

static void
test_only_gaps_between_done_ranges_are_cut(void)
{
    static const DoneRange RANGES[] = {{1, 0, 99}, {0, 30, 35}, {0, 3, 9}, {0, 9, 17}};

    for (int open = 0; open < 2; open++)
    {
        g_autoptr(GPtrArray) tables = tables_of(a_table(40, 40 * 8192), a_table(200, 200 * 8192));
        g_autoptr(GArray) done = nothing_done();
        g_array_append_vals(done, RANGES, G_N_ELEMENTS(RANGES));
        const DoneRange rest = {0, 38, open ? PART_OPEN_END : 60};
        g_array_append_val(done, rest);
        g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){20000, 150000});
        for (gint64 block = 0; block < 300; block++)
        {
            g_assert_cmpuint(covers(parts, done, 0, block), ==, 1);
            g_assert_cmpuint(covers(parts, done, 1, block), ==, 1);
        }
    }
}

static void
test_a_whole_table_that_is_done_gives_no_part(void)
{
    static const DoneRange WHOLE = {0, 0, PART_OPEN_END};
    g_autoptr(GPtrArray) tables = tables_of(a_table(40, 40 * 8192), NULL);
    g_autoptr(GArray) done = nothing_done();
    g_array_append_val(done, WHOLE);
    g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){1, 150000});

    g_assert_cmpuint(parts->len, ==, 0);
}

static void
test_the_heaviest_part_comes_first(void)
{
    g_autoptr(GPtrArray) tables = tables_of(a_table(1, 100), a_table(50, 50 * 8192));
    g_autoptr(GArray) done = nothing_done();
    g_autoptr(GArray) parts = cut_parts(tables, done, &(CutRules){100000, 150000});

    g_assert_cmpuint(part_at(parts, 0)->table, ==, 1);
    for (guint i = 1; i < parts->len; i++)
        g_assert_cmpint(part_at(parts, i - 1)->bytes, >=, part_at(parts, i)->bytes);
}

static void
test_before_version_14_a_table_is_one_part(void)
{
    g_autoptr(GPtrArray) tables = tables_of(a_table(500, 500 * 8192), NULL);
    g_autoptr(GArray) done = nothing_done();
    g_autoptr(GArray) old = cut_parts(tables, done, &(CutRules){8192, 139999});
    g_autoptr(GArray) new = cut_parts(tables, done, &(CutRules){8192, 140000});

    g_assert_cmpuint(old->len, ==, 1);
    g_assert_cmpint(part_at(old, 0)->end_block, ==, PART_OPEN_END);
    g_assert_cmpuint(new->len, >, 400);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cut/empty", test_an_empty_table_is_one_open_part);
    g_test_add_func("/cut/toast", test_what_counts_is_the_weight_with_toast);
    g_test_add_func("/cut/block", test_a_part_is_at_least_a_block);
    g_test_add_func("/cut/huge", test_a_huge_table_is_not_cut_to_dust);
    g_test_add_func("/cut/once", test_every_block_is_in_one_part_and_the_last_is_open);
    g_test_add_func("/cut/gaps", test_only_gaps_between_done_ranges_are_cut);
    g_test_add_func("/cut/done", test_a_whole_table_that_is_done_gives_no_part);
    g_test_add_func("/cut/order", test_the_heaviest_part_comes_first);
    g_test_add_func("/cut/old-servers", test_before_version_14_a_table_is_one_part);
    return g_test_run();
}
