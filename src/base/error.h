/*
 * error.h - the one error domain, its codes sorted by what a caller can do.
 *
 * Messages are lower case without a full stop; each caller puts in front what
 * it could not do: `could not embed "a.pdf": could not reach …`.  A hint how to
 * mend it is a second line.  No secret ever enters a message.
 */
#pragma once

#include <glib.h>

#define VF_ERROR (vf_error_quark())

typedef enum
{
    VF_ERROR_USAGE,     /* the command or a setting is wrong: the user mends it */
    VF_ERROR_CONNECT,   /* the other side was not reached: try again */
    VF_ERROR_DENIED,    /* the other side refused us: a person must act */
    VF_ERROR_BUSY,      /* the other side is overloaded or locked: try again later */
    VF_ERROR_BAD_INPUT, /* this document (or item) cannot be used: skip it */
    VF_ERROR_MISMATCH,  /* the world is not the one that was planned */
    VF_ERROR_CANCELLED, /* the user asked us to stop */
    VF_ERROR_FAILED,    /* anything else */
} VfError;

GQuark vf_error_quark(void);

/* "usage", "connect", …: the code's name in events and in the ledger.  Errors of
 * other domains are "failed". */
const char *vf_error_name(const GError *error);

/* The code of that name; VF_ERROR_FAILED for a name nobody knows. */
VfError vf_error_from_name(const char *name);

/* Adds a second line that says how to mend it.  Nothing when error is NULL or
 * *error already has a hint. */
void vf_error_hint(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* A message for a table or a line: its hint behind "; ", and no password.  Yours. */
char *vf_error_one_line(const char *message);
