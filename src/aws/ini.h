/*
 * ini.h - the dialect of INI that AWS tools share.
 *
 * `[section]`, `name = value` or `name: value`, whole lines of comment after # or ;.  A line that
 * is indented further goes on with the value above; below an empty value such lines are settings
 * of their own, nested in it.  Names are compared without case.  A section or a name that comes
 * again adds to, or replaces, the first.  Everything is overwritten when it is freed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct AwsIni AwsIni;

/* VF_ERROR_USAGE names origin and line of what cannot be read, never its text. */
AwsIni *aws_ini_read(const char *text, size_t length, const char *origin, GError **error);
void aws_ini_free(AwsIni *ini);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsIni, aws_ini_free)

/* section: "default" or of two words, "profile dev"; blanks between and quotes around the second
 * do not count. */
bool aws_ini_has(const AwsIni *ini, const char *section);

/* Borrowed; NULL when it is absent or not set. */
const char *aws_ini_value(const AwsIni *ini, const char *section, const char *name);
const char *aws_ini_nested(
    const AwsIni *ini, const char *section, const char *group, const char *name);
