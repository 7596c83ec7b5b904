/*
 * A recursive descent over a window of bytes that is filled again when it is used
 * up.  While a text is being recorded, each window's share is put aside before the
 * next one takes its place.
 */
#include "catalogue/json_scan.h"

#include "base/error.h"
#include "catalogue/byte_stream.h"

#include <string.h>

enum
{
    WINDOW_BYTES = 256 * 1024,
    MAX_TEXT_BYTES = 8 * 1024 * 1024,
    MAX_NESTING = 72,
    END = JSON_SCAN_END,
};

struct JsonScan
{
    ByteStream *bytes;
    Cancel *cancel;
    GError *error;

    guchar *window;
    const guchar *at;
    const guchar *end;
    guint64 window_offset; /* of the window's first byte in the file */
    guint64 line;

    GString *text;               /* what was recorded */
    const guchar *recorded_from; /* NULL while nothing is recorded */
};

JsonScan *
json_scan_new(int fd, Cancel *cancel)
{
    JsonScan *scan = g_new0(JsonScan, 1);
    scan->bytes = byte_stream_new(fd);
    scan->cancel = cancel;
    scan->window = g_malloc(WINDOW_BYTES);
    scan->at = scan->end = scan->window;
    scan->line = 1;
    scan->text = g_string_new(NULL);
    return scan;
}

void
json_scan_free(JsonScan *scan)
{
    if (scan == NULL)
        return;
    byte_stream_free(scan->bytes);
    g_clear_error(&scan->error);
    g_free(scan->window);
    g_string_free(scan->text, TRUE);
    g_free(scan);
}

guint64
json_scan_line(const JsonScan *scan)
{
    return scan->line;
}

const GError *
json_scan_error(const JsonScan *scan)
{
    return scan->error;
}

bool
json_scan_fail(JsonScan *scan, const char *format, ...)
{
    if (scan->error != NULL)
        return false;

    va_list args;
    va_start(args, format);
    g_autofree char *reason = g_strdup_vprintf(format, args);
    va_end(args);

    const guint64 offset = scan->window_offset + (guint64) (scan->at - scan->window);
    g_set_error(
        &scan->error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "line %" G_GUINT64_FORMAT " (byte %" G_GUINT64_FORMAT "): %s", scan->line, offset, reason);
    return false;
}

/* Puts the window's recorded part aside. */
static bool
keep_recorded(JsonScan *scan)
{
    if (scan->recorded_from == NULL)
        return true;

    const size_t bytes = (size_t) (scan->at - scan->recorded_from);
    if (bytes > MAX_TEXT_BYTES - scan->text->len)
        return json_scan_fail(
            scan, "an item of more than %d MB is none of DynamoDB", MAX_TEXT_BYTES / (1024 * 1024));
    g_string_append_len(scan->text, (const char *) scan->recorded_from, (gssize) bytes);
    scan->recorded_from = scan->at;
    return true;
}

static bool
refill(JsonScan *scan)
{
    if (scan->error != NULL || !cancel_check(scan->cancel, &scan->error) || !keep_recorded(scan))
        return false;

    scan->window_offset += (guint64) (scan->end - scan->window);
    scan->at = scan->end = scan->window;
    if (scan->recorded_from != NULL)
        scan->recorded_from = scan->window;

    const ssize_t got = byte_stream_read(scan->bytes, scan->window, WINDOW_BYTES, &scan->error);
    if (got > 0)
        scan->end = scan->window + got;
    return got > 0;
}

/* The byte that stands next, which is not used up, or END. */
static inline int
peek(JsonScan *scan)
{
    return scan->at < scan->end || refill(scan) ? *scan->at : END;
}

static void
begin_recording(JsonScan *scan)
{
    g_string_truncate(scan->text, 0);
    scan->recorded_from = scan->at;
}

static bool
end_recording(JsonScan *scan)
{
    const bool kept = keep_recorded(scan);
    scan->recorded_from = NULL;
    return kept;
}

bool
json_scan_unexpected(JsonScan *scan, const char *expected)
{
    const int byte = peek(scan);

    if (scan->error != NULL)
        return false;
    if (byte == END)
    {
        json_scan_fail(scan, "the file ends where %s should be", expected);
        vf_error_hint(&scan->error, "the file is cut off: write it again");
        return false;
    }
    if (g_ascii_isgraph((char) byte))
        return json_scan_fail(scan, "expected %s, found '%c'", expected, byte);
    return json_scan_fail(scan, "expected %s, found the byte 0x%02x", expected, (unsigned) byte);
}

static void
use_up_space(JsonScan *scan)
{
    for (;;)
    {
        while (scan->at < scan->end && *scan->at == ' ')
            scan->at++;

        const int byte = peek(scan);
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        if (byte == '\n')
            scan->line++;
        scan->at++;
    }
}

/* Goes to the next token.  The space is not recorded: of a pretty printed item it is more than
 * half, and would cost the parser that much of its time. */
void
json_scan_space(JsonScan *scan)
{
    const bool is_recording = scan->recorded_from != NULL;

    if (peek(scan) > ' ' || !keep_recorded(scan))
        return;
    scan->recorded_from = NULL;
    use_up_space(scan);
    if (is_recording)
        scan->recorded_from = scan->at;
}

/* Uses this one byte up. */
static bool
skip_byte(JsonScan *scan, int byte, const char *expected)
{
    if (peek(scan) != byte)
        return json_scan_unexpected(scan, expected);
    scan->at++;
    return true;
}

static bool
skip_hex(JsonScan *scan)
{
    for (int i = 0; i < 4; i++)
    {
        if (!g_ascii_isxdigit((char) peek(scan)))
            return json_scan_unexpected(scan, "four hexadecimal digits after \\u");
        scan->at++;
    }
    return true;
}

/* What follows a backslash. */
static bool
skip_escape(JsonScan *scan)
{
    const int byte = peek(scan);

    if (byte == END || byte == '\0' || strchr("\"\\/bfnrtu", byte) == NULL)
        return json_scan_unexpected(scan, "a character that may follow a backslash");
    scan->at++;
    return byte != 'u' || skip_hex(scan);
}

static bool
skip_string(JsonScan *scan, const char *expected)
{
    if (!skip_byte(scan, '"', expected))
        return false;
    for (;;)
    {
        while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\' && *scan->at >= ' ')
            scan->at++;

        const int byte = peek(scan);
        if (byte == END || byte < ' ')
            return json_scan_unexpected(scan, "the rest of a string");
        scan->at++;
        if (byte == '"')
            return true;
        if (byte == '\\' && !skip_escape(scan))
            return false;
    }
}

static bool
skip_word(JsonScan *scan, const char *word)
{
    for (; *word != '\0'; word++)
        if (!skip_byte(scan, *word, "true, false or null"))
            return false;
    return true;
}

static bool
skip_digits(JsonScan *scan)
{
    if (!g_ascii_isdigit((char) peek(scan)))
        return json_scan_unexpected(scan, "a digit");
    while (g_ascii_isdigit((char) peek(scan)))
        scan->at++;
    return true;
}

static bool
skip_number(JsonScan *scan)
{
    if (peek(scan) == '-')
        scan->at++;

    if (peek(scan) == '0')
        scan->at++;
    else if (!skip_digits(scan))
        return false;

    if (peek(scan) == '.')
    {
        scan->at++;
        if (!skip_digits(scan))
            return false;
    }
    if (peek(scan) == 'e' || peek(scan) == 'E')
    {
        scan->at++;
        if (peek(scan) == '+' || peek(scan) == '-')
            scan->at++;
        return skip_digits(scan);
    }
    return true;
}

static bool skip_value(JsonScan *scan, int nesting);

/* The rest of a list or an object after one of its members: true when one more follows. */
bool
json_scan_another(JsonScan *scan, char closing)
{
    json_scan_space(scan);
    if (peek(scan) == closing)
    {
        scan->at++;
        return false;
    }
    if (!skip_byte(scan, ',', closing == '}' ? "a comma or }" : "a comma or ]"))
        return false;
    json_scan_space(scan);
    return true;
}

static bool
skip_colon(JsonScan *scan)
{
    json_scan_space(scan);
    if (!skip_byte(scan, ':', "a colon"))
        return false;
    json_scan_space(scan);
    return true;
}

static bool
skip_key(JsonScan *scan)
{
    return skip_string(scan, "a key in double quotes") && skip_colon(scan);
}

/* Opens a list or an object: true when it has a member. */
bool
json_scan_first(JsonScan *scan, char closing)
{
    scan->at++;
    json_scan_space(scan);
    if (peek(scan) != closing)
        return scan->error == NULL;
    scan->at++;
    return false;
}

static bool
skip_object(JsonScan *scan, int nesting)
{
    if (json_scan_first(scan, '}'))
        do
            if (!skip_key(scan) || !skip_value(scan, nesting + 1))
                return false;
        while (json_scan_another(scan, '}'));
    return scan->error == NULL;
}

static bool
skip_list(JsonScan *scan, int nesting)
{
    if (json_scan_first(scan, ']'))
        do
            if (!skip_value(scan, nesting + 1))
                return false;
        while (json_scan_another(scan, ']'));
    return scan->error == NULL;
}

static bool
skip_value(JsonScan *scan, int nesting)
{
    if (nesting > MAX_NESTING)
        return json_scan_fail(
            scan, "nested more than %d deep, which DynamoDB never is", MAX_NESTING);
    switch (peek(scan))
    {
    case '{':
        return skip_object(scan, nesting);
    case '[':
        return skip_list(scan, nesting);
    case '"':
        return skip_string(scan, "a string");
    case 't':
        return skip_word(scan, "true");
    case 'f':
        return skip_word(scan, "false");
    case 'n':
        return skip_word(scan, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return skip_number(scan);
    default:
        return json_scan_unexpected(scan, "a value");
    }
}

/* A byte order mark: nothing for UTF-8, a useful message for UTF-16. */
bool
json_scan_mark(JsonScan *scan)
{
    const int byte = peek(scan);

    if (byte == 0xff || byte == 0xfe)
    {
        json_scan_fail(scan, "the file is UTF-16, as PowerShell's > writes it");
        vf_error_hint(
            &scan->error, "convert it with \"iconv -f UTF-16 -t UTF-8\", or write it with cmd");
        return false;
    }
    if (byte != 0xef)
        return true;
    scan->at++;
    return skip_byte(scan, 0xbb, "the rest of a byte order mark") &&
           skip_byte(scan, 0xbf, "the rest of a byte order mark");
}

int
json_scan_peek(JsonScan *scan)
{
    return scan->error == NULL ? peek(scan) : END;
}

bool
json_scan_value(JsonScan *scan)
{
    return skip_value(scan, 1);
}

const char *
json_scan_key(JsonScan *scan)
{
    begin_recording(scan);
    if (!skip_string(scan, "a key in double quotes") || !end_recording(scan) || !skip_colon(scan))
        return NULL;
    return scan->text->str;
}

const char *
json_scan_text(JsonScan *scan, size_t *bytes)
{
    begin_recording(scan);
    if (!skip_value(scan, 1) || !end_recording(scan))
        return NULL;
    if (bytes != NULL)
        *bytes = scan->text->len;
    return scan->text->str;
}
