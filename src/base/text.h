/*
 * text.h - texts, numbers and times as a terminal shows them.
 *
 * What comes from a catalogue or a server is hostile: it goes through text_safe() or
 * text_cut() before it is shown.
 */
#pragma once

#include <glib.h>

/* Control characters replaced, so that hostile text cannot command the terminal.  Yours, here and
 * below. */
char *text_safe(const char *text);

/* The safe text, cut to so many columns; an ellipsis stands for what was left out. */
char *text_cut(const char *text, guint columns);

/* How many columns of a terminal a safe text takes. */
guint text_columns(const char *text);

/* "1,234,567". */
char *text_count(double number);

/* "3 s", "2 min 10 s", "1 h 5 min"; "unknown" when negative. */
char *text_duration(double seconds);

/* "$0.0012"; "unknown" when negative. */
char *text_usd(double usd);
