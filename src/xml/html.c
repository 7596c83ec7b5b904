#include "base/error.h"
#include "xml/reading.h"
#include "xml/xml.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <string.h>

/*
 * Browsers flatten below 512, and real pages with forgotten ends go deeper than one would
 * think.  libxml2 looks through all open elements at each end, so there must be a bound.
 */
#define MAX_DEPTH 10000

static void
on_start(void *data, const xmlChar *name, const xmlChar **values)
{
    const XmlAttributes attributes = {.values = values, .html = true};
    reading_start(data, (const char *) name, &attributes);
}

static void
on_end(void *data, const xmlChar *name)
{
    reading_end(data, (const char *) name);
}

static void
on_text(void *data, const xmlChar *text, int length)
{
    reading_text(data, text, length);
}

/* Complaints are ignored, a page is what browsers make of it: but half a page is not. */
static void
read_page(Reading *reading)
{
    htmlParserCtxtPtr context = reading->context;
    memset(context->sax, 0, sizeof(*context->sax));
    context->sax->startElement = on_start;
    context->sax->endElement = on_end;
    context->sax->characters = on_text;
    context->sax->ignorableWhitespace = on_text;
    context->sax->cdataBlock = on_text;
    context->userData = reading;
    htmlCtxtUseOptions(
        context, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                     HTML_PARSE_IGNORE_ENC | HTML_PARSE_NODEFDTD | (int) XML_PARSE_HUGE);
    xmlSwitchEncoding(context, XML_CHAR_ENCODING_UTF8);
    htmlParseDocument(context);
    if (context->errNo == XML_ERR_NO_MEMORY || context->lastError.code == XML_ERR_NO_MEMORY)
        reading_fail(reading, "there was not enough memory");
}

bool
html_parse(const char *bytes, size_t length, const XmlHandler *handler, void *data, GError **error)
{
    reading_init();
    if (length == 0)
        return true;

    Reading reading = {.handler = handler, .data = data, .max_depth = MAX_DEPTH};
    if (length < INT_MAX)
        reading.context = htmlCreateMemoryParserCtxt(bytes, (int) length);
    if (reading.context == NULL)
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "it could not be read");
        return false;
    }
    read_page(&reading);
    htmlFreeParserCtxt(reading.context);
    return reading_finish(&reading, error);
}

gunichar
html_entity(const char *name)
{
    const htmlEntityDesc *entity = htmlEntityLookup((const xmlChar *) name);
    return entity == NULL ? 0 : entity->value;
}
