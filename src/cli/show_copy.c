#include "cli/show_copy.h"

#include "base/json.h"
#include "cli/text.h"

static double
seconds_of(const CopyProgress *copy)
{
    return (double) MAX(copy->ended_ms - copy->started_ms, 0) / 1000;
}

static void
add_table(TextTable *shown, const TableProgress *table)
{
    const double seconds = table_progress_seconds(table);
    g_autofree char *rows = text_count((double) table->rows);
    g_autofree char *bytes = text_count((double) table->bytes / 1e6);
    g_autofree char *time = text_duration(seconds);
    g_autofree char *parts = text_count(table->parts);
    const char *cells[] = {table->table, rows, bytes, parts, time};
    text_table_add(shown, cells);
}

static void
show_indexes(const CopyProgress *copy)
{
    static const char *const TITLES[] = {"built after the rows", "time", NULL};
    g_autoptr(TextTable) shown = text_table_new(TITLES);

    for (guint i = 0; i < copy->indexes->len; i++)
    {
        const IndexProgress *index = copy->indexes->pdata[i];
        g_autofree char *time = text_duration(index_progress_seconds(index));
        const char *cells[] = {index->index, index->problem == NULL ? time : "failed"};
        text_table_add(shown, cells);
    }
    if (copy->indexes->len > 0)
        text_table_print(shown);
}

static void
show_problems(const CopyProgress *copy)
{
    for (guint i = 0; i < copy->problems->len; i++)
    {
        g_auto(GStrv) lines = g_strsplit(copy->problems->pdata[i], "\n", -1);
        for (char **line = lines; *line != NULL; line++)
        {
            g_autofree char *safe = text_safe(*line);
            printf("%s%s\n", line == lines ? "missing: " : "  ", safe);
        }
    }
}

void
show_copy(const CopyProgress *copy)
{
    static const char *const TITLES[] = {"table", "rows", "MB", "parts", "time", NULL};
    const TableProgress total = copy_progress_total(copy);

    if (copy->finished_before != NULL)
    {
        printf("This copy was finished at %s; nothing was done.\n", copy->finished_before);
        puts("--replace brings the target to what the source is now.");
        return;
    }
    g_autoptr(TextTable) shown = text_table_new(TITLES);
    for (guint i = 0; i < copy->tables->len; i++)
        add_table(shown, copy->tables->pdata[i]);
    text_table_print(shown);
    show_indexes(copy);

    g_autofree char *rows = text_count((double) total.rows);
    g_autofree char *tables = text_count(copy->tables->len);
    g_autofree char *time = text_duration(seconds_of(copy));
    printf(
        "%s %s of %s %s copied in %s.\n", rows, total.rows == 1 ? "row" : "rows", tables,
        copy->tables->len == 1 ? "table" : "tables", time);
    show_problems(copy);
}

static Json *
table_to_json(const TableProgress *table)
{
    return json_pack(
        "{s:s, s:I, s:I, s:f, s:I, s:I}", "table", table->table, "rows", (json_int_t) table->rows,
        "bytes", (json_int_t) table->bytes, "seconds", table_progress_seconds(table), "parts",
        (json_int_t) table->parts, "reused_rows", (json_int_t) table->reused_rows);
}

static Json *
index_to_json(const IndexProgress *index)
{
    return json_pack(
        "{s:s, s:f, s:s?}", "index", index->index, "seconds", index_progress_seconds(index),
        "problem", index->problem);
}

void
print_copy_json(const CopyProgress *copy)
{
    Json *tables = json_array();
    Json *indexes = json_array();
    Json *problems = json_array();

    for (guint i = 0; i < copy->tables->len; i++)
        json_array_append_new(tables, table_to_json(copy->tables->pdata[i]));
    for (guint i = 0; i < copy->indexes->len; i++)
        json_array_append_new(indexes, index_to_json(copy->indexes->pdata[i]));
    for (guint i = 0; i < copy->problems->len; i++)
        json_array_append_new(problems, json_string(copy->problems->pdata[i]));
    g_autoptr(Json) json = json_pack(
        "{s:s, s:o, s:o, s:o, s:f, s:s?}", "run", copy->run, "tables", tables, "indexes", indexes,
        "problems", problems, "seconds", seconds_of(copy), "finished_before",
        copy->finished_before);
    json_dumpf(json, stdout, JSON_INDENT(2));
    puts("");
}
