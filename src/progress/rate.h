/*
 * rate.h - how fast a count grows, from looks at it.
 *
 * Pure: time comes from the caller.  A count that falls (a bot is begun again) counts as
 * standing still, so that a rate is never negative.
 */
#pragma once

#include <glib.h>

/* Looks are kept at least this far apart, and so many: a bit more than a minute. */
#define RATE_STEP_MS 250
#define RATE_LOOKS 256

typedef struct
{
    gint64 at_ms;
    gint64 count;
} RateLook;

/* Zero is a rate without looks. */
typedef struct
{
    RateLook looks[RATE_LOOKS]; /* a ring */
    guint taken;                /* in all */
    gint64 seen;                /* the count of the last look */
    gint64 grown;               /* all that was added so far */
} Rate;

void rate_look(Rate *rate, gint64 now_ms, gint64 count);

/* Growth per second over the window's last looks; negative while it is not known, which needs two
 * looks a second apart. */
double rate_per_second(const Rate *rate, gint64 window_ms);
