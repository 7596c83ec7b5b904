/*
 * text.h - tables and estimates as people read them.
 */
#pragma once

#include "base/text.h"
#include "model/plan.h"

#include <stdio.h>

/* Columns padded to their widest cell; counts what a terminal shows, not bytes. */
typedef struct Table Table;
Table *table_new(const char *const *titles); /* NULL-terminated */
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* As many cells as titles; a long one is shortened, but for the last. */
void table_add(Table *table, const char *const *cells);

/* The last column is not padded. */
void table_write(const Table *table, FILE *to);

/* The same to stdout. */
void table_print(const Table *table);

/* "1,200 (800 to 3,000)".  Yours. */
char *text_estimate(Estimate estimate, char *(*one)(double) );
