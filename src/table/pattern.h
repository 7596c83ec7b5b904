/*
 * pattern.h - a pattern of names, as psql and pg_dump take them, made a regular expression.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct
{
    char *schema; /* NULL when the pattern has no dot */
    char *name;
} Pattern;

/*
 * `*` stands for any characters, `?` for one, a dot parts schema and name, letters become lower
 * case, and what stands in double quotes is taken as it is; the rest is a regular expression of
 * PostgreSQL.  VF_ERROR_USAGE for a second dot, or a quote that is not closed.
 */
bool pattern_parse(const char *text, Pattern *pattern, GError **error);
void pattern_clear(Pattern *pattern);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pattern, pattern_clear)
