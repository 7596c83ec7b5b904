/*
 * normalise.h - the form in which all text leaves this module.
 *
 * UTF-8 in NFC; lines end with LF, a page break is a line's end; without NUL, control,
 * zero-width and bidi control characters, soft hyphens and byte order marks; without white
 * space at its ends.  What is not UTF-8 becomes U+FFFD.  Between more combining marks than
 * any language has there is U+034F now and then.
 */
#pragma once

#include <glib.h>

/* Yours; never NULL, perhaps empty. */
char *normalise_text(const char *bytes, size_t length);
