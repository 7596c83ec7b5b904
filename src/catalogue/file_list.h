/*
 * file_list.h - the files behind the path of a catalogue.
 *
 * A file stands for itself; a folder for its files *.json and *.json.gz, with numbers
 * in their names in order of size (page2 before page10).  A folder of DynamoDB's
 * export stands for the files below its data/ that its manifest names.
 */
#pragma once

#include <glib.h>

typedef struct
{
    char *path;
    gint64 items; /* that the export's manifest promises; -1 without one */
} ListedFile;

/* The files, at least one: an array of ListedFile, yours.  VF_ERROR_USAGE when there is
 * none; VF_ERROR_BAD_INPUT when one of an export is missing. */
GPtrArray *file_list(const char *path, GError **error);

/* A text that changes when one of the files is changed, comes or goes.  Yours. */
char *file_list_stamp(const GPtrArray *files, GError **error);

/* A descriptor to read a file, yours.  Anything but a regular file is VF_ERROR_USAGE: what
 * cannot be read twice cannot be looked at again during a run. */
int file_list_open(const char *path, GError **error);

/* For the list's own modules. */
ListedFile *listed_file_new(const char *path, gint64 items);
void listed_file_free(ListedFile *file);
