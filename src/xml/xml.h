/*
 * xml.h - one hardened parser for everything that has angle brackets.
 *
 * Both parsers call a handler for each start, end and text, and build no tree: memory
 * does not grow with the document.  Names arrive without prefix and namespace, text as
 * UTF-8 in pieces of any size.  No external entity, DTD or address is ever loaded.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct XmlAttributes XmlAttributes;

/* The attribute's value, yours; NULL when it is absent.  Only during a start. */
char *xml_attribute(const XmlAttributes *attributes, const char *name);

/* Each answers whether to go on; no is not an error.  Any of them may be NULL. */
typedef struct
{
    bool (*start)(void *data, const char *name, const XmlAttributes *attributes);
    bool (*end)(void *data, const char *name);
    bool (*text)(void *data, const char *text, size_t length);
} XmlHandler;

/* Fills the buffer like read(2): bytes got, 0 at the end, -1 for a failure. */
typedef int (*XmlRead)(void *data, char *buffer, int size);

/*
 * Reads an XML document.  VF_ERROR_BAD_INPUT when it is not well-formed, nested too
 * deeply, or has a DOCTYPE: nothing that we read needs one, and every entity attack does.
 */
bool xml_parse(
    XmlRead read, void *read_data, const XmlHandler *handler, void *data, GError **error);

/* The same for a document in memory. */
bool xml_parse_bytes(
    const char *bytes, size_t length, const XmlHandler *handler, void *data, GError **error);

/*
 * Reads an HTML page, which must be UTF-8; what it says about its charset is ignored.
 * Any bytes are a page, with missing ends added; only one nested absurdly deep is
 * VF_ERROR_BAD_INPUT.  Names are lower case.
 */
bool html_parse(
    const char *bytes, size_t length, const XmlHandler *handler, void *data, GError **error);

/* The character that an HTML entity stands for (`eacute`), 0 for an unknown one. */
gunichar html_entity(const char *name);
