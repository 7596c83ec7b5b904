/*
 * ulid.h - keys that sort by time (github.com/ulid/spec): 48 bits of milliseconds and 80 of
 * chance, as 26 characters of Crockford's base 32.
 */
#pragma once

#include <glib.h>

typedef struct
{
    char text[27];
} Ulid;

/* A new one for this moment. */
Ulid ulid_now(void);

/* The time in the first ten characters, in ms since the epoch; -1 when they are no ULID's. */
gint64 ulid_time_ms(const char *text);
