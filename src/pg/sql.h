/*
 * sql.h - puts names into a query that stands in a .sql file, and lists into a parameter.
 *
 * `{table}` in the query is replaced by the value given for "table".  Values are put
 * in as they are: quote names with pg_quote_name() first.  Data never goes this
 * way; data are parameters.
 */
#pragma once

#include <glib.h>

/* Pairs of name and value, NULL at the end.  A name without a value is our mistake.  Yours. */
char *sql_fill(const char *query, ...) G_GNUC_NULL_TERMINATED;

/* Texts as one parameter of type text[] (or char[], …).  Yours. */
char *sql_text_array(char *const *texts);
