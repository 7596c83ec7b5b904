/*
 * document.h - a source's bytes, and what is known of them before they are read.
 */
#pragma once

#include <glib.h>

/* What a look from outside tells; nothing was loaded for it. */
typedef struct
{
    gint64 bytes;       /* -1 when unknown */
    gint64 modified_ms; /* since the epoch; -1 when unknown */
} DocumentFacts;

/* The bytes stand in an unnamed file, never in memory, whatever their number. */
typedef struct
{
    int fd; /* read-only; at offset 0; the document's to close */
    DocumentFacts facts;
    char *name;         /* the last part of the key or of the address's path, for its ending */
    char *content_type; /* as declared ("text/html"), without parameters; NULL when unknown */
    char *charset;      /* as declared; NULL when unknown */
} Document;

Document *document_new(int fd, const char *name);
void document_free(Document *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Document, document_free)
