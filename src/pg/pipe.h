/*
 * pipe.h - passes a COPY on from one session to another, without looking into it.
 *
 * Reading and writing overlap: what the target does not take yet waits in a buffer of
 * fixed size, and no more is read than has room there (or one row, if that is larger).
 *
 * After a failure both sessions stand somewhere inside a COPY: close them.
 */
#pragma once

#include "pg/pg.h"

typedef struct
{
    /* So many more bytes were handed to the target; may be NULL. */
    void (*passed)(void *data, gint64 bytes);
    void *data;
} PipeListener;

/*
 * Sends `out` (COPY … TO STDOUT) to one session and `in` (COPY … FROM STDIN) to the other, and
 * passes everything on.  The source is done with it then and may be asked something else; the
 * target may still be at work, until pipe_end().  `rows` gets how many were read.
 */
bool pipe_pass(
    Pg *from, const char *out, Pg *to, const char *in, const PipeListener *listener, gint64 *rows,
    GError **error);

/* Waits until the target has taken all; `rows` gets how many it wrote. */
bool pipe_end(Pg *to, gint64 *rows, GError **error);
