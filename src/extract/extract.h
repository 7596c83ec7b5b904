/*
 * extract.h - a document's bytes to clean text, in a child that can do nothing else.
 *
 * Foreign bytes are parsed only in a sandboxed child process (sandbox/): no network,
 * no files but its input, no secrets, limits on time, memory and output.  The child
 * is this program itself, called by a hidden command, or pdftotext.
 *
 * Text is UTF-8 in NFC without NUL, control, zero-width and bidi control
 * characters; PostgreSQL refuses NUL.
 */
#pragma once

#include "base/cancel.h"
#include "model/document.h"

typedef struct
{
    const char *program; /* this program's path, for the child */
    gint64 max_input_bytes;
    gint64 max_text_bytes; /* a longer text is "too large" */
    int timeout_s;         /* wall clock; CPU has the same limit */
    gint64 max_memory_bytes;
    const char *sandbox; /* "auto", "bubblewrap", "plain" (no namespaces), "off" */
} ExtractOptions;

/* The defaults that the README names; program from /proc/self/exe. */
void extract_options_init(ExtractOptions *options);

/*
 * An extractor keeps a program ready, and starts a child of it for each document.  It belongs to
 * one thread, which must not end before it.
 */
typedef struct Extractor Extractor;

/* The options are copied, their strings borrowed. */
Extractor *extractor_new(const ExtractOptions *options);
void extractor_free(Extractor *extractor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Extractor, extractor_free)

/*
 * The text, yours.  Every failure of the document itself is VF_ERROR_BAD_INPUT and its
 * message says which: encrypted, empty (no text in it), unsupported, too large,
 * broken, took too long.  A missing tool (pdftotext, a sandbox) is VF_ERROR_FAILED
 * with the package to install as hint.
 */
char *extractor_text(
    Extractor *extractor, const Document *document, Cancel *cancel, GError **error);

/*
 * The child's side: reads the document on descriptor 0, writes text to descriptor 1,
 * an error as one line to descriptor 2.  What the hidden command `extract-child` calls
 * before anything else is done.  Returns the exit status.
 */
int extract_child_main(void);
