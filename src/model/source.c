#include "model/source.h"

Source *
source_new(SourceKind kind, const char *name)
{
    Source *source = g_new0(Source, 1);
    source->kind = kind;
    source->name = g_strdup(name);
    return source;
}

Source *
source_copy(const Source *source)
{
    return source_new(source->kind, source->name);
}

void
source_free(Source *source)
{
    if (source == NULL)
        return;
    g_free(source->name);
    g_free(source);
}

const char *
source_kind_name(SourceKind kind)
{
    switch (kind)
    {
    case SOURCE_FILE:
        return "file";
    case SOURCE_URL:
        return "url";
    case SOURCE_SITEMAP:
        return "sitemap";
    case SOURCE_S3_PREFIX:
        return "s3-prefix";
    }
    g_assert_not_reached();
}
