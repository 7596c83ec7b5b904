/*
 * frame.h - a run as lines that fit on a terminal.
 *
 * Pure: the run and the room there is → lines without any control character.  From the
 * bottom: what holds for the whole run, as many bots as there is room for, the heading.
 * With little room the bots go first, then the heading.
 */
#pragma once

#include "progress/pace.h"

typedef enum
{
    TONE_PLAIN,
    TONE_STRONG, /* the heading */
    TONE_BAD,    /* a bot that failed */
    TONE_FAINT,  /* a bot that waits or is done */
} Tone;

typedef struct
{
    Tone tone;
    char *text; /* at most as wide as there are columns */
} FrameLine;

/*
 * At most `rows` lines of FrameLine, at least one; yours.  Bots at work come first, then those that
 * failed, then the others; once the run has ended there are none, because its result is told
 * elsewhere.  `now_ms` is since the epoch.
 */
GPtrArray *frame_lines(
    const RunProgress *run, const Pace *pace, guint columns, guint rows, gint64 now_ms);
