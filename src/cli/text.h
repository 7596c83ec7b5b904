/*
 * text.h - tables and estimates as people read them.
 */
#pragma once

#include "base/text.h"
#include "model/plan.h"

#include <stdio.h>

/* Columns padded to their widest cell; counts what a terminal shows, not bytes. */
typedef struct TextTable TextTable;
TextTable *text_table_new(const char *const *titles); /* NULL-terminated */
void text_table_free(TextTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TextTable, text_table_free)

/* As many cells as titles; a long one is shortened, but for the last. */
void text_table_add(TextTable *table, const char *const *cells);

/* The last column is not padded. */
void text_table_write(const TextTable *table, FILE *to);

/* The same to stdout. */
void text_table_print(const TextTable *table);

/* "1,200 (800 to 3,000)".  Yours. */
char *text_estimate(Estimate estimate, char *(*one)(double) );
