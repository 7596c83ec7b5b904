/*
 * unnamed_file.h - a place for a document's bytes that nobody else can find.
 *
 * The file has no name, so a killed process leaves nothing behind.  It stands in the
 * folder for temporary files, or in memory where that folder cannot have such files.
 */
#pragma once

#include <glib.h>

/* To be written to; the descriptor is yours. */
int unnamed_file_new(GError **error);

/* Takes the descriptor and returns a read-only one at offset 0. */
int unnamed_file_finish(int fd);
