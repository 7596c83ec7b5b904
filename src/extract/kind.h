/*
 * kind.h - what a document is, by its content.
 *
 * Signatures and the members of an archive decide.  The name's ending and the declared
 * type only choose among kinds that look alike from outside: plain text, Markdown, a page
 * without its first tag.
 */
#pragma once

#include "extract/protocol.h"

typedef enum
{
    KIND_TEXT,
    KIND_MARKDOWN,
    KIND_HTML,
    KIND_PDF,
    KIND_ARCHIVE,   /* zip; see kind_of_archive() */
    KIND_PROTECTED, /* an office document with a password */
    KIND_OTHER,     /* something else with a signature; kind_ask_magic() knows its name */
} Kind;

/* "text", "markdown", "html", "pdf", "docx": for those that are read. */
const char *kind_name(Kind kind);

Kind kind_of_bytes(const char *bytes, size_t length, const ExtractRequest *request);

/* NULL for a Word document, else the media type of what the archive is, yours.  For a
 * damaged archive also NULL, with the error set. */
char *kind_of_archive(const char *bytes, size_t length, GError **error);

/* Of text in UTF-8, which may have been hidden by its charset before: KIND_TEXT,
 * KIND_MARKDOWN, KIND_HTML, or KIND_OTHER with its media type in *other. */
Kind kind_of_text(
    const char *text, size_t length, const ExtractRequest *request, const char **other);

/* libmagic, loaded before the seal and asked after it. */
typedef struct KindMagic KindMagic;

KindMagic *kind_magic_load(void);
char *kind_ask_magic(KindMagic *magic, const char *bytes, size_t length); /* yours */
void kind_magic_free(KindMagic *magic);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KindMagic, kind_magic_free)
