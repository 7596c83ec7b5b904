#include "xml/xml.h"

#include "base/error.h"
#include "xml/reading.h"

#include <pthread.h>
#include <string.h>

/* Word's deepest tables in tables stay below a hundred. */
#define MAX_DEPTH 256

/* --- shared with html.c ------------------------------------------------------------ */

static xmlParserInputPtr
load_nothing(const char *address, const char *id, xmlParserCtxtPtr context)
{
    (void) address;
    (void) id;
    (void) context;
    return NULL;
}

static void
init_libxml2(void)
{
    xmlInitParser();
    xmlSetExternalEntityLoader(load_nothing);
}

void
reading_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_libxml2);
}

void
reading_fail(Reading *reading, const char *format, ...)
{
    if (reading->problem == NULL && !reading->stopped)
    {
        va_list args;
        va_start(args, format);
        reading->problem = g_error_new_valist(VF_ERROR, VF_ERROR_BAD_INPUT, format, args);
        va_end(args);
    }
    xmlStopParser(reading->context);
}

static void
go_on(Reading *reading, bool wanted)
{
    if (wanted)
        return;
    reading->stopped = true;
    xmlStopParser(reading->context);
}

/* libxml2 may still call us on its way out. */
static bool
is_over(const Reading *reading)
{
    return reading->stopped || reading->problem != NULL;
}

void
reading_start(Reading *reading, const char *name, const XmlAttributes *attributes)
{
    if (is_over(reading))
        return;
    if (++reading->depth > reading->max_depth)
        reading_fail(reading, "elements are nested deeper than %d", reading->max_depth);
    else if (reading->handler->start != NULL)
        go_on(reading, reading->handler->start(reading->data, name, attributes));
}

void
reading_end(Reading *reading, const char *name)
{
    reading->depth--;
    if (!is_over(reading) && reading->handler->end != NULL)
        go_on(reading, reading->handler->end(reading->data, name));
}

void
reading_text(Reading *reading, const xmlChar *text, int length)
{
    if (!is_over(reading) && reading->handler->text != NULL && length > 0)
        go_on(reading, reading->handler->text(reading->data, (const char *) text, (size_t) length));
}

bool
reading_finish(Reading *reading, GError **error)
{
    if (reading->problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&reading->problem));
    return false;
}

/* Where libxml2 does not replace entities it leaves an ampersand escaped, in this way. */
static char *
plain_value(const char *begin, const char *end)
{
    GString *value = g_string_new_len(begin, end - begin);
    g_string_replace(value, "&#38;", "&", 0);
    return g_string_free(value, FALSE);
}

char *
xml_attribute(const XmlAttributes *attributes, const char *name)
{
    const xmlChar **values = attributes->values;
    if (attributes->html)
    {
        for (int i = 0; values != NULL && values[i] != NULL; i += 2)
            if (strcmp((const char *) values[i], name) == 0)
                return g_strdup(values[i + 1] == NULL ? "" : (const char *) values[i + 1]);
        return NULL;
    }
    /* name, prefix, namespace, begin of the value, end of the value */
    for (int i = 0; i < attributes->count; i++)
        if (strcmp((const char *) values[5 * i], name) == 0)
            return plain_value((const char *) values[5 * i + 3], (const char *) values[5 * i + 4]);
    return NULL;
}

/* --- XML ----------------------------------------------------------------------------- */

static void
on_start(
    void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace,
    int n_namespaces, const xmlChar **namespaces, int n_attributes, int n_defaulted,
    const xmlChar **values)
{
    (void) prefix;
    (void) namespace;
    (void) n_namespaces;
    (void) namespaces;
    (void) n_defaulted;
    const XmlAttributes attributes = {.values = values, .count = n_attributes};
    reading_start(data, (const char *) name, &attributes);
}

static void
on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace)
{
    (void) prefix;
    (void) namespace;
    reading_end(data, (const char *) name);
}

static void
on_text(void *data, const xmlChar *text, int length)
{
    reading_text(data, text, length);
}

/* Called at the word DOCTYPE, before what it declares is looked at. */
static void
on_doctype(void *data, const xmlChar *name, const xmlChar *id, const xmlChar *address)
{
    (void) name;
    (void) id;
    (void) address;
    reading_fail(data, "it has a DOCTYPE, which is not accepted");
}

static xmlEntityPtr
known_entity(void *data, const xmlChar *name)
{
    (void) data;
    return xmlGetPredefinedEntity(name);
}

static void
on_error(void *data, xmlErrorPtr problem)
{
    if (problem->level < XML_ERR_ERROR)
        return;
    g_autofree char *message =
        g_utf8_make_valid(problem->message == NULL ? "unknown" : problem->message, -1);
    reading_fail(data, "it is not well-formed in line %d: %s", problem->line, g_strchomp(message));
}

bool
xml_parse(XmlRead read, void *read_data, const XmlHandler *handler, void *data, GError **error)
{
    reading_init();
    xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .internalSubset = on_doctype,
        .getEntity = known_entity,
        .serror = on_error,
    };
    Reading reading = {.handler = handler, .data = data, .max_depth = MAX_DEPTH};
    reading.context =
        xmlCreateIOParserCtxt(&sax, &reading, read, NULL, read_data, XML_CHAR_ENCODING_NONE);
    if (reading.context == NULL)
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "it could not be read");
        return false;
    }
    /* Never NOENT, HUGE or the DTD options: see on_doctype. */
    xmlCtxtUseOptions(reading.context, XML_PARSE_NONET | XML_PARSE_COMPACT);
    xmlParseDocument(reading.context);
    if (!reading.context->wellFormed)
        reading_fail(&reading, "it is not well-formed");
    xmlFreeParserCtxt(reading.context);
    return reading_finish(&reading, error);
}

typedef struct
{
    const char *next;
    size_t left;
} Bytes;

static int
read_bytes(void *data, char *buffer, int size)
{
    Bytes *bytes = data;
    const size_t take = MIN(bytes->left, (size_t) size);
    if (take > 0)
        memcpy(buffer, bytes->next, take);
    bytes->next += take;
    bytes->left -= take;
    return (int) take;
}

bool
xml_parse_bytes(
    const char *bytes, size_t length, const XmlHandler *handler, void *data, GError **error)
{
    Bytes source = {.next = bytes, .left = length};
    return xml_parse(read_bytes, &source, handler, data, error);
}
