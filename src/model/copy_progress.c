#include "model/copy_progress.h"

static void
table_progress_free(void *data)
{
    TableProgress *table = data;
    g_free(table->table);
    g_free(table);
}

static void
index_progress_free(void *data)
{
    IndexProgress *index = data;
    g_free(index->index);
    g_free(index->phase);
    g_free(index->problem);
    g_free(index);
}

CopyProgress *
copy_progress_new(void)
{
    CopyProgress *progress = g_new0(CopyProgress, 1);
    progress->tables = g_ptr_array_new_with_free_func(table_progress_free);
    progress->indexes = g_ptr_array_new_with_free_func(index_progress_free);
    progress->problems = g_ptr_array_new_with_free_func(g_free);
    return progress;
}

void
copy_progress_free(CopyProgress *progress)
{
    if (progress == NULL)
        return;
    g_free(progress->run);
    g_free(progress->source);
    g_free(progress->target);
    g_free(progress->finished_before);
    g_ptr_array_unref(progress->tables);
    g_ptr_array_unref(progress->indexes);
    g_ptr_array_unref(progress->problems);
    g_free(progress);
}

TableProgress *
copy_progress_add(CopyProgress *progress, const char *table)
{
    TableProgress *added = g_new0(TableProgress, 1);
    added->table = g_strdup(table);
    g_ptr_array_add(progress->tables, added);
    return added;
}

IndexProgress *
copy_progress_add_index(CopyProgress *progress, const char *index)
{
    IndexProgress *added = g_new0(IndexProgress, 1);
    added->index = g_strdup(index);
    g_ptr_array_add(progress->indexes, added);
    return added;
}

TableProgress
copy_progress_total(const CopyProgress *progress)
{
    TableProgress total = {0};

    for (guint i = 0; i < progress->tables->len; i++)
    {
        const TableProgress *table = progress->tables->pdata[i];
        total.expected_rows += MAX(table->expected_rows, 0);
        total.rows += table->rows;
        total.bytes += table->bytes;
        total.reused_rows += table->reused_rows;
        total.weight += table->weight;
        total.weight_done += table->weight_done;
        total.parts += table->parts;
        total.parts_done += table->parts_done;
    }
    return total;
}

double
table_progress_seconds(const TableProgress *table)
{
    return (double) MAX(table->ended_ms - table->started_ms, 0) / 1000;
}

double
index_progress_seconds(const IndexProgress *index)
{
    return (double) MAX(index->ended_ms - index->started_ms, 0) / 1000;
}
