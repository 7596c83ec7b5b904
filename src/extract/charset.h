/*
 * charset.h - which charset a text is in, and the text as UTF-8.
 *
 * Tried in this order: byte order mark; UTF-8, also if a byte here and there is wrong or
 * NUL; the declared charset, if the text decodes without errors; UTF-16 without a mark; ISO-2022's
 * escapes; the detectors, uchardet first, ICU where uchardet is known to be wrong.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* The name, for ICU, yours.  declared may be NULL or nonsense. */
char *charset_of(const char *bytes, size_t length, const char *declared);

/* The text in UTF-8, yours, without a byte order mark and NUL; what does not decode is
 * U+FFFD.  The result ends with a NUL that its length does not count. */
GString *charset_decode(const char *bytes, size_t length, const char *charset);

/* What an HTML page (`charset=…`) or an XML prolog (`encoding="…"`) says of itself near
 * its beginning, yours; NULL when it says nothing. */
char *charset_declared(const char *bytes, size_t length);

/* True when the bytes are no text in any charset: too many control characters. */
bool charset_is_binary(const char *bytes, size_t length);
