#include "index/describe.h"

#include "index/vector_indexes.sql.h"

#include <string.h>

/* The columns of vector_indexes.sql. */
enum
{
    OID,
    NAME,
    QUOTED,
    TABLE,
    EXPRESSION,
    OPERATORS,
    CONDITION,
    TYPE,
    KIND,
    LENGTH,
    M,
    EF_CONSTRUCTION,
    LISTS,
    ROWS,
    VALID,
    PARTITIONED,
};

void
vector_index_free(VectorIndex *index)
{
    if (index == NULL)
        return;
    g_free(index->name);
    g_free(index->quoted);
    g_free(index->table);
    g_free(index->expression);
    g_free(index->operators);
    g_free(index->condition);
    g_free(index->type);
    g_free(index);
}

static VectorIndex *
read_index(const PGresult *result, int row)
{
    VectorIndex *index = g_new0(VectorIndex, 1);

    index->oid = (guint32) pg_number(result, row, OID);
    index->name = g_strdup(pg_text(result, row, NAME));
    index->quoted = g_strdup(pg_text(result, row, QUOTED));
    index->table = g_strdup(pg_text(result, row, TABLE));
    index->expression = g_strdup(pg_text(result, row, EXPRESSION));
    index->operators = g_strdup(pg_text(result, row, OPERATORS));
    if (!PQgetisnull(result, row, CONDITION))
        index->condition = g_strdup(pg_text(result, row, CONDITION));
    index->type = g_strdup(pg_text(result, row, TYPE));
    index->kind = strcmp(pg_text(result, row, KIND), "hnsw") == 0 ? INDEX_HNSW : INDEX_IVFFLAT;
    index->dimensions = (int) MAX(pg_number(result, row, LENGTH), 1);
    index->m = (int) pg_number(result, row, M);
    index->ef_construction = (int) pg_number(result, row, EF_CONSTRUCTION);
    index->lists = (int) pg_number(result, row, LISTS);
    index->rows = g_ascii_strtod(pg_text(result, row, ROWS), NULL);
    index->valid = *pg_text(result, row, VALID) == 't';
    index->partitioned = *pg_text(result, row, PARTITIONED) == 't';
    return index;
}

GPtrArray *
vector_indexes(Pg *pg, GError **error)
{
    g_autoptr(PGresult) result = pg_query(pg, SQL_VECTOR_INDEXES, 0, NULL, error);
    if (result == NULL)
        return NULL;

    GPtrArray *indexes = g_ptr_array_new_with_free_func((GDestroyNotify) vector_index_free);
    for (int row = 0; row < PQntuples(result); row++)
        g_ptr_array_add(indexes, read_index(result, row));
    return indexes;
}

static int
chosen(int wished, int had)
{
    return wished > 0 ? wished : had;
}

static void
add_option(GString *options, const char *name, int value)
{
    if (value > 0)
        g_string_append_printf(options, "%s%s = %d", options->len == 0 ? "" : ", ", name, value);
}

char *
vector_index_statement(const VectorIndex *index, const IndexWish *wish, double rows)
{
    g_autofree char *name = pg_quote_name(index->name);
    g_autoptr(GString) options = g_string_new(NULL);
    const bool as_before = wish->kind == index->kind;

    if (wish->kind == INDEX_HNSW)
    {
        add_option(options, "m", chosen(wish->m, index->m));
        add_option(
            options, "ef_construction", chosen(wish->ef_construction, index->ef_construction));
    }
    else
        add_option(
            options, "lists",
            chosen(wish->lists, as_before ? index->lists : index_usual_lists(rows)));
    return g_strdup_printf(
        "CREATE INDEX %s ON %s%s USING %s (%s %s)%s%s%s%s%s", name,
        index->partitioned ? "ONLY " : "", index->table,
        wish->kind == INDEX_HNSW ? "hnsw" : "ivfflat", index->expression, index->operators,
        options->len == 0 ? "" : " WITH (", options->str, options->len == 0 ? "" : ")",
        index->condition == NULL ? "" : " WHERE ",
        index->condition == NULL ? "" : index->condition);
}

IndexShape
vector_index_shape(const VectorIndex *index, double rows)
{
    return (IndexShape){
        .kind = index->kind,
        .type = index->type,
        .rows = MAX(rows, 0),
        .dimensions = index->dimensions,
        .m = index->m,
        .lists = index->lists,
    };
}
