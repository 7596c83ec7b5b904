/*
 * protocol.h - what parent and child of an extraction say to each other.
 *
 * The program is a host (sandbox/sandbox.h): it is called with EXTRACT_COMMAND and has a child
 * for each document.  The child gets the document on descriptor 0 and these arguments, always all
 * of them. On descriptor 2 it first writes "kind: pdf" (or whatever it is), later perhaps one line
 * with the failure; on descriptor 1 the text.  For a PDF it becomes pdftotext, after the
 * kind and within the same sandbox.
 *
 * The parent believes nothing of this further than to choose a message by it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define EXTRACT_COMMAND "extract-child"

/* Exit statuses; any other one means that the child did not work. */
enum
{
    EXTRACT_DONE = 0,
    EXTRACT_BAD_INPUT = 65,
    EXTRACT_NO_PDFTOTEXT = 69,
    EXTRACT_FAILED = 70,
};

typedef struct
{
    bool seal; /* give up opening files before foreign bytes are parsed */
    gint64 max_text_bytes;
    const char *ending;    /* of the name, lower case, without dot; "" here and below for none */
    const char *type;      /* "text/html" */
    const char *charset;   /* as declared outside the document */
    const char *pdftotext; /* its path */
} ExtractRequest;

/* The arguments, yours. */
char **extract_request_argv(const ExtractRequest *request);

/* From the arguments, which it borrows; false when they are not such ones. */
bool extract_request_parse(ExtractRequest *request, char **argv);

/* "20 MB": for messages. */
char *extract_size(gint64 bytes);
