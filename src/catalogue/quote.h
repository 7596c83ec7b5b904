/*
 * quote.h - makes foreign text fit to stand in a message.
 */
#pragma once

#include <glib.h>

/* In double quotes, at most 60 characters of it, and nothing in it that could steer a
 * terminal or turn the direction of a line.  Yours. */
char *quote_text(const char *text);
