#include "document/document_source.h"

#include "base/error.h"

typedef struct
{
    DocumentSource base;
    DocumentSource *files;
    DocumentSource *web;
} CombinedSource;

void
document_source_free(DocumentSource *source)
{
    if (source != NULL)
        source->free(source);
}

/* Who has sources of this kind, or NULL with the error set. */
static DocumentSource *
part_for(DocumentSource *base, const Source *source, GError **error)
{
    const CombinedSource *self = (const CombinedSource *) base;
    DocumentSource *part = NULL;

    switch (source->kind)
    {
    case SOURCE_FILE:
        part = self->files;
        break;
    case SOURCE_URL:
        part = self->web;
        break;
    case SOURCE_SITEMAP:
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "sitemaps are not supported yet");
        return NULL;
    case SOURCE_S3_PREFIX:
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "folders of S3 are not supported yet");
        return NULL;
    }
    if (part == NULL)
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT,
            "no place is configured for sources of the kind %s", source_kind_name(source->kind));
    return part;
}

static bool
combined_probe(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel,
    DocumentFacts *facts, GError **error)
{
    DocumentSource *part = part_for(base, source, error);
    return part != NULL && part->probe(part, bot, source, cancel, facts, error);
}

static Document *
combined_open(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel, GError **error)
{
    DocumentSource *part = part_for(base, source, error);
    return part != NULL ? part->open(part, bot, source, cancel, error) : NULL;
}

static char *
combined_label(DocumentSource *base, const Bot *bot, const Source *source)
{
    DocumentSource *part = part_for(base, source, NULL);
    return part != NULL ? part->label(part, bot, source) : g_strdup(source->name);
}

static void
combined_free(DocumentSource *base)
{
    CombinedSource *self = (CombinedSource *) base;
    document_source_free(self->files);
    document_source_free(self->web);
    g_free(self);
}

DocumentSource *
document_source_combine(DocumentSource *files, DocumentSource *web)
{
    CombinedSource *self = g_new0(CombinedSource, 1);

    self->base = (DocumentSource){
        .probe = combined_probe,
        .open = combined_open,
        .label = combined_label,
        .free = combined_free,
    };
    self->base.distant = (files != NULL && files->distant) || (web != NULL && web->distant);
    self->files = files;
    self->web = web;
    return &self->base;
}
