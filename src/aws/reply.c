#include "aws/reply.h"

#include "base/error.h"
#include "xml/xml.h"

#include <string.h>

/* A page of 1,000 objects or log lines has less than 20,000. */
#define MAX_ELEMENTS 500000

struct AwsReply
{
    char *name;
    GString *text;
    AwsReply *parent;
    AwsReply *first;
    AwsReply *last;
    AwsReply *next;
};

typedef struct
{
    AwsReply *root;
    AwsReply *open; /* NULL before the root and after it */
    size_t elements;
} Growth;

static bool
on_start(void *data, const char *name, const XmlAttributes *attributes)
{
    Growth *growth = data;
    AwsReply *element = g_new0(AwsReply, 1);
    AwsReply *parent = growth->open;
    (void) attributes;

    element->name = g_strdup(name);
    element->text = g_string_new(NULL);
    element->parent = parent;
    if (parent == NULL)
        growth->root = element;
    else if (parent->last == NULL)
        parent->first = element;
    else
        parent->last->next = element;
    if (parent != NULL)
    {
        parent->last = element;
        g_string_truncate(parent->text, 0); /* the white space before it */
    }
    growth->open = element;
    return ++growth->elements <= MAX_ELEMENTS;
}

static bool
on_end(void *data, const char *name)
{
    Growth *growth = data;
    (void) name;

    growth->open = growth->open->parent;
    return true;
}

static bool
on_text(void *data, const char *text, size_t length)
{
    Growth *growth = data;

    if (growth->open != NULL && growth->open->first == NULL)
        g_string_append_len(growth->open->text, text, (gssize) length);
    return true;
}

AwsReply *
aws_reply_parse(const char *text, size_t length, GError **error)
{
    static const XmlHandler HANDLER = {.start = on_start, .end = on_end, .text = on_text};
    Growth growth = {0};

    const bool read = xml_parse_bytes(text, length, &HANDLER, &growth, error);
    g_autoptr(AwsReply) root = growth.root;
    if (!read)
        return NULL;
    if (growth.elements > MAX_ELEMENTS)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "it has more than %d elements", MAX_ELEMENTS);
        return NULL;
    }
    return g_steal_pointer(&root);
}

/* Depth is bounded by the parser. */
void
aws_reply_free(AwsReply *root)
{
    if (root == NULL)
        return;
    for (AwsReply *child = root->first; child != NULL;)
    {
        AwsReply *next = child->next;
        aws_reply_free(child);
        child = next;
    }
    g_free(root->name);
    g_string_free(root->text, TRUE);
    g_free(root);
}

const char *
aws_reply_name(const AwsReply *reply)
{
    return reply->name;
}

static const AwsReply *
child_named(const AwsReply *reply, const char *name, size_t length)
{
    const AwsReply *child = reply->first;
    while (child != NULL &&
           (strlen(child->name) != length || strncmp(child->name, name, length) != 0))
        child = child->next;
    return child;
}

const AwsReply *
aws_reply_at(const AwsReply *reply, const char *path)
{
    while (reply != NULL && *path != '\0')
    {
        const size_t length = strcspn(path, "/");
        reply = child_named(reply, path, length);
        path += length;
        path += *path == '/';
    }
    return reply;
}

const char *
aws_reply_text(const AwsReply *reply, const char *path)
{
    const AwsReply *element = path != NULL ? aws_reply_at(reply, path) : reply;
    return element != NULL ? element->text->str : NULL;
}

const AwsReply *
aws_reply_first(const AwsReply *reply)
{
    return reply != NULL ? reply->first : NULL;
}

const AwsReply *
aws_reply_next(const AwsReply *reply)
{
    return reply->next;
}
