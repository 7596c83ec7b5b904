/*
 * writer.h - collects a document's text and sets its breaks.
 *
 * Readers say where something begins or ends; the writer turns that into as few spaces,
 * newlines, blank lines and tabs as show it, none of them at the beginning or the end.
 * One row of a table is one line (unless its cells have several), its cells are separated
 * by tabs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Writer Writer;

/* More text than that is not kept. */
Writer *writer_new(gint64 max_bytes);
void writer_free(Writer *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Writer, writer_free)

/* Text in which any white space is one space. */
void writer_flowing(Writer *writer, const char *text, size_t length);

/* Text as it is, tabs and newlines too. */
void writer_verbatim(Writer *writer, const char *text, size_t length);

/* What follows begins on a new line; as often as it is said, but never two blank ones. */
void writer_newline(Writer *writer);

/* What follows begins on a line of its own. */
void writer_line(Writer *writer);

/* What follows begins after a blank line; at the beginning of a cell: is part of it. */
void writer_paragraph(Writer *writer);

void writer_begin_row(Writer *writer);
void writer_end_row(Writer *writer);
void writer_begin_cell(Writer *writer);
void writer_end_cell(Writer *writer);

/* An empty one with the same limit. */
Writer *writer_new_like(const Writer *writer);

/* What the part holds, as paragraphs of its own.  Full when the part is. */
void writer_append(Writer *writer, const Writer *part);

/* True when text did not fit. */
bool writer_is_full(const Writer *writer);

/* What was written. */
const GString *writer_text(const Writer *writer);
