/*
 * json_scan.h - walks through JSON text of any length with a window of bounded size.
 *
 * What is skipped is checked as strictly as what is kept: a file that is damaged in one
 * place may be damaged in another.  Only what strings hold is not looked at: whether it
 * is UTF-8, and whether surrogates come in pairs.
 *
 * The first failure ends the walk: the function answers false (NULL, the end), and from then
 * on json_scan_error() has the reason: VF_ERROR_BAD_INPUT with line and byte,
 * VF_ERROR_CANCELLED, or what reading the file said.
 */
#pragma once

#include "base/cancel.h"

typedef struct JsonScan JsonScan;

enum
{
    JSON_SCAN_END = -1, /* instead of a byte, at the end of the file and after a failure */
};

/* Takes the descriptor over, which stands at the file's beginning. */
JsonScan *json_scan_new(int fd, Cancel *cancel);
void json_scan_free(JsonScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonScan, json_scan_free)

/* NULL while all is well.  Borrowed. */
const GError *json_scan_error(const JsonScan *scan);

/* The line of the next byte, from 1. */
guint64 json_scan_line(const JsonScan *scan);

/* The next byte, which stays. */
int json_scan_peek(JsonScan *scan);

/* Goes over a byte order mark. */
bool json_scan_mark(JsonScan *scan);

/* Goes to the next token. */
void json_scan_space(JsonScan *scan);

/*
 * The members of a list or an object that opens here, one by one:
 * `if (json_scan_first(scan, ']')) do … while (json_scan_another(scan, ']'));`
 * False after the closing byte.
 */
bool json_scan_first(JsonScan *scan, char closing);
bool json_scan_another(JsonScan *scan, char closing);

/* A key with its quotes, and goes to its value.  Borrowed until the next text. */
const char *json_scan_key(JsonScan *scan);

/* Goes over a value. */
bool json_scan_value(JsonScan *scan);

/* A value's text without the space between its tokens, NUL-terminated; borrowed until the next
 * one.  bytes may be NULL. */
const char *json_scan_text(JsonScan *scan, size_t *bytes);

/* Fails here; false. */
bool json_scan_fail(JsonScan *scan, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Fails because the next byte is not what was expected ("a colon"); false. */
bool json_scan_unexpected(JsonScan *scan, const char *expected);
