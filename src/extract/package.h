/*
 * package.h - a zip archive in memory whose parts are read as XML, with every byte that
 * is inflated counted.
 *
 * Limits: 10,000 members, 200 MB in one part, 500 MB in all, and, after the first
 * megabyte, a hundred times the archive's own size.
 */
#pragma once

#include "xml/xml.h"

typedef struct Package Package;

/* VF_ERROR_BAD_INPUT when it is no zip archive or has too many members.  The bytes must
 * outlive it. */
Package *package_open(const char *bytes, size_t length, GError **error);
void package_free(Package *package);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Package, package_free)

bool package_has(Package *package, const char *name);

/* Parts whose names are prefix, digits (perhaps none), suffix; in the archive's order. */
GPtrArray *package_numbered(Package *package, const char *prefix, const char *suffix);

/* The beginning of a part, yours; NULL when it is not there or cannot be read. */
char *package_beginning(Package *package, const char *name, size_t max_bytes);

/* VF_ERROR_BAD_INPUT, in one of the words of readers.h, also for a limit. */
bool package_parse(
    Package *package, const char *name, const XmlHandler *handler, void *data, GError **error);
