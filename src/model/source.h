/*
 * source.h - one piece of a bot's knowledge.
 */
#pragma once

#include <glib.h>

typedef enum
{
    SOURCE_FILE,      /* an uploaded file; name is the file's name */
    SOURCE_URL,       /* a web page or a file on the web; name is the address */
    SOURCE_SITEMAP,   /* an address whose document names more pages */
    SOURCE_S3_PREFIX, /* every object below an s3:// address */
} SourceKind;

typedef struct
{
    SourceKind kind;
    char *name; /* as the catalogue spells it; hostile text */
} Source;

Source *source_new(SourceKind kind, const char *name);
Source *source_copy(const Source *source);
void source_free(Source *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Source, source_free)

/* "file", "url", "sitemap", "s3-prefix". */
const char *source_kind_name(SourceKind kind);
