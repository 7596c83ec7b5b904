/*
 * readers.h - one function per kind of document: its bytes to a writer.
 *
 * They are pure, and run in the sandboxed child.  A reader that stops because the writer
 * is full has succeeded; its caller asks the writer.  Failures are VF_ERROR_BAD_INPUT
 * and begin with the word for the failure (`broken: …`, `encrypted: …`).
 */
#pragma once

#include "extract/writer.h"

/* Plain text, UTF-8. */
void read_text(const char *text, size_t length, Writer *writer);

/*
 * An HTML page, UTF-8.  Blocks are paragraphs, items and rows lines, cells separated by
 * tabs, the title comes once; scripts, styles, frames and what is hidden are left out.
 */
bool read_html(const char *text, size_t length, Writer *writer, GError **error);

/* Markdown in GitHub's dialect, UTF-8; raw HTML in it is left out. */
bool read_markdown(const char *text, size_t length, Writer *writer, GError **error);

/*
 * A Word document, transitional or strict.  Headers, body, footers, notes and comments;
 * tables as rows and cells; text boxes once; neither deleted text nor field codes.
 * Inflating is counted, so a small file cannot become a large one.
 */
bool read_docx(const char *bytes, size_t length, Writer *writer, GError **error);
