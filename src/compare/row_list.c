#include "compare/row_list.h"

/* Rows that are fetched at a time. */
#define FETCH "FETCH FORWARD 1000 FROM listed_rows"

struct RowList
{
    Pg *pg;
    PGresult *rows; /* NULL before the first */
    int at;
};

RowList *
row_list_open(Pg *pg, const char *query, const char *buckets, GError **error)
{
    g_autofree char *sql = g_strdup_printf("DECLARE listed_rows NO SCROLL CURSOR FOR %s", query);
    const char *parameters[] = {buckets};
    g_autoptr(PGresult) declared = pg_query(pg, sql, 1, parameters, error);
    if (declared == NULL)
        return NULL;
    RowList *list = g_new0(RowList, 1);
    list->pg = pg;
    return list;
}

void
row_list_close(RowList *list)
{
    if (list == NULL)
        return;
    pg_run(list->pg, "CLOSE listed_rows", NULL);
    PQclear(list->rows);
    g_free(list);
}

static bool
next_row(void *data, ListedRow *row, GError **error)
{
    enum
    {
        KEY,
        HASH,
        COUNT,
        PLACE,
    };
    RowList *list = data;

    list->at++;
    if (list->rows == NULL || list->at >= PQntuples(list->rows))
    {
        PQclear(list->rows);
        list->rows = pg_query(list->pg, FETCH, 0, NULL, error);
        list->at = 0;
        if (list->rows == NULL)
            return false;
    }
    if (PQntuples(list->rows) == 0)
    {
        *row = (ListedRow){0};
        return true;
    }
    *row = (ListedRow){
        .key = pg_text(list->rows, list->at, KEY),
        .hash = pg_text(list->rows, list->at, HASH),
        .count = pg_number(list->rows, list->at, COUNT),
        .place = pg_text(list->rows, list->at, PLACE),
    };
    return true;
}

RowReader
row_list_reader(RowList *list)
{
    return (RowReader){next_row, list};
}
