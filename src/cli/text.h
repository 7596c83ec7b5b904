/*
 * text.h - numbers, times and tables as people read them.
 */
#pragma once

#include "model/plan.h"

/* Columns padded to their widest cell; counts what a terminal shows, not bytes. */
typedef struct Table Table;
Table *table_new(const char *const *titles); /* NULL-terminated */
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* As many cells as titles; a long one is shortened, but for the last. */
void table_add(Table *table, const char *const *cells);

/* Writes it to stdout; the last column is not padded. */
void table_print(const Table *table);

/* "1,234,567".  Yours, here and below. */
char *text_count(double number);

/* "3 s", "2 min 10 s", "1 h 5 min". */
char *text_duration(double seconds);

/* "$0.0012"; "unknown" when negative. */
char *text_usd(double usd);

/* "1,200 (800 to 3,000)". */
char *text_estimate(Estimate estimate, char *(*one)(double) );

/* What fits into so many columns of a terminal, with an ellipsis where something was left out. */
char *text_shortened(const char *text, guint columns);

/* Control characters replaced, so that hostile text cannot command the terminal. */
char *text_safe(const char *text);
