#include "model/document.h"

#include <unistd.h>

Document *
document_new(int fd, const char *name)
{
    Document *document = g_new0(Document, 1);
    document->fd = fd;
    document->facts = (DocumentFacts){.bytes = -1, .modified_ms = -1};
    document->name = g_strdup(name);
    return document;
}

void
document_free(Document *document)
{
    if (document == NULL)
        return;
    if (document->fd >= 0)
        close(document->fd);
    g_free(document->name);
    g_free(document->content_type);
    g_free(document->charset);
    g_free(document);
}
