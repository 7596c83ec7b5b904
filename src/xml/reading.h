/*
 * reading.h - what the XML and the HTML parser share.
 */
#pragma once

#include "xml/xml.h"

#include <libxml/parser.h>

struct XmlAttributes
{
    const xmlChar **values;
    int count;
    bool html; /* pairs of strings, ended by NULL; else libxml2's groups of five */
};

typedef struct
{
    const XmlHandler *handler;
    void *data;
    xmlParserCtxtPtr context;
    int depth;
    int max_depth;
    bool stopped;    /* the handler had enough */
    GError *problem; /* the first thing that was wrong */
} Reading;

/* Starts libxml2 once, and forbids it to load anything. */
void reading_init(void);

/* Each calls the handler and stops the parser if so told. */
void reading_start(Reading *reading, const char *name, const XmlAttributes *attributes);
void reading_end(Reading *reading, const char *name);
void reading_text(Reading *reading, const xmlChar *text, int length);

/* Notes the problem, the first one only, and stops the parser. */
void reading_fail(Reading *reading, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* True when it was read or the handler had enough; gives the problem away otherwise. */
bool reading_finish(Reading *reading, GError **error);
