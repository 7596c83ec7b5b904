/*
 * item_json.h - the text of one item as JSON, whatever its strings hold.
 */
#pragma once

#include "base/json.h"

/*
 * The text must be grammatical JSON, as item_stream_next() gives it.  When it holds what
 * cannot be kept (bytes that are not UTF-8, halves of surrogate pairs, a key twice, an
 * enormous number) that part is replaced, so that the item can still be named, and
 * *problem says what was wrong; else *problem is NULL.  Yours.
 */
Json *item_parse(const char *text, size_t bytes, const char **problem, GError **error);
