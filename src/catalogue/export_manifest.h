/*
 * export_manifest.h - what DynamoDB says that an export to S3 consists of.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* True for the names of an export's manifests, which hold no items. */
bool export_manifest_is(const char *file_name);

/*
 * The data files of the export in that folder, with their numbers of items: an array of
 * ListedFile, yours, in the manifest's order.  NULL without an error when the folder
 * has no manifest; VF_ERROR_BAD_INPUT when it cannot be understood.
 */
GPtrArray *export_manifest_read(const char *folder, GError **error);
