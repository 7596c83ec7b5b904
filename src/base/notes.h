/*
 * notes.h - sentences for the person who waits.
 *
 * Something takes longer than it should, and somebody can do something about it: whoever
 * notices says so here and goes on.  One thread at a time.
 */
#pragma once

#include <glib.h>

typedef struct
{
    void (*say)(void *data, const char *text);
    void *data;
} Notes;

/* Nothing when nobody listens: NULL, or no say(). */
void notes_say(const Notes *notes, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The problem, without its hint, and that its end is waited for. */
void notes_say_waiting(const Notes *notes, const GError *problem);
