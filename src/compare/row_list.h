/*
 * row_list.h - a list of rows in a server, read a piece at a time.
 */
#pragma once

#include "compare/merge_rows.h"
#include "pg/pg.h"

typedef struct RowList RowList;

/* Inside a transaction; one list at a time in a session.  `buckets` is the query's $1. */
RowList *row_list_open(Pg *pg, const char *query, const char *buckets, GError **error);
void row_list_close(RowList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowList, row_list_close)

/* For merge_rows(); lives as long as the list. */
RowReader row_list_reader(RowList *list);
