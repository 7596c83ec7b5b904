/*
 * A recursive descent over a window of bytes that is filled again when it is used
 * up.  What is skipped is checked as strictly as what is kept: a file damaged in a
 * conversation may be damaged in a bot.  While a text is being recorded, each
 * window's share is put aside before the next one takes its place.
 *
 * The first failure stays: from then on every function answers false.
 */
#include "catalogue/item_stream.h"

#include "base/error.h"
#include "catalogue/byte_stream.h"

#include <string.h>

enum
{
    WINDOW_BYTES = 256 * 1024,
    MAX_TEXT_BYTES = 8 * 1024 * 1024,
    MAX_NESTING = 72,
    END = -1, /* instead of a byte, at the end of the file */
};

typedef enum
{
    BEFORE_FIRST_PAGE,
    BETWEEN_PAGES,
    IN_PAGE,  /* before a member's key */
    IN_ITEMS, /* before an item of a page's list */
} Place;

struct ItemStream
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

    Place place;
    bool page_has_items; /* "Items" or "Item" was seen */
    bool page_continues;
    PageEnd page_end; /* of the last page that had "Items" */
    guint64 item_line;
};

ItemStream *
item_stream_new(int fd, Cancel *cancel)
{
    ItemStream *stream = g_new0(ItemStream, 1);
    stream->bytes = byte_stream_new(fd);
    stream->cancel = cancel;
    stream->window = g_malloc(WINDOW_BYTES);
    stream->at = stream->end = stream->window;
    stream->line = 1;
    stream->text = g_string_new(NULL);
    return stream;
}

void
item_stream_free(ItemStream *stream)
{
    if (stream == NULL)
        return;
    byte_stream_free(stream->bytes);
    g_clear_error(&stream->error);
    g_free(stream->window);
    g_string_free(stream->text, TRUE);
    g_free(stream);
}

guint64
item_stream_line(const ItemStream *stream)
{
    return stream->item_line;
}

PageEnd
item_stream_page_end(const ItemStream *stream)
{
    return stream->page_end;
}

static bool G_GNUC_PRINTF(2, 3) fail(ItemStream *stream, const char *format, ...)
{
    if (stream->error != NULL)
        return false;

    va_list args;
    va_start(args, format);
    g_autofree char *reason = g_strdup_vprintf(format, args);
    va_end(args);

    const guint64 offset = stream->window_offset + (guint64) (stream->at - stream->window);
    g_set_error(
        &stream->error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "line %" G_GUINT64_FORMAT " (byte %" G_GUINT64_FORMAT "): %s", stream->line, offset,
        reason);
    return false;
}

/* Puts the window's recorded part aside. */
static bool
keep_recorded(ItemStream *stream)
{
    if (stream->recorded_from == NULL)
        return true;

    const size_t bytes = (size_t) (stream->at - stream->recorded_from);
    if (bytes > MAX_TEXT_BYTES - stream->text->len)
        return fail(
            stream, "an item of more than %d MB is none of DynamoDB",
            MAX_TEXT_BYTES / (1024 * 1024));
    g_string_append_len(stream->text, (const char *) stream->recorded_from, (gssize) bytes);
    stream->recorded_from = stream->at;
    return true;
}

static bool
refill(ItemStream *stream)
{
    if (stream->error != NULL || !cancel_check(stream->cancel, &stream->error) ||
        !keep_recorded(stream))
        return false;

    stream->window_offset += (guint64) (stream->end - stream->window);
    stream->at = stream->end = stream->window;
    if (stream->recorded_from != NULL)
        stream->recorded_from = stream->window;

    const ssize_t got =
        byte_stream_read(stream->bytes, stream->window, WINDOW_BYTES, &stream->error);
    if (got > 0)
        stream->end = stream->window + got;
    return got > 0;
}

/* The byte that stands next, which is not used up, or END. */
static inline int
peek(ItemStream *stream)
{
    return stream->at < stream->end || refill(stream) ? *stream->at : END;
}

static void
begin_recording(ItemStream *stream)
{
    g_string_truncate(stream->text, 0);
    stream->recorded_from = stream->at;
}

static bool
end_recording(ItemStream *stream)
{
    const bool kept = keep_recorded(stream);
    stream->recorded_from = NULL;
    return kept;
}

static bool
unexpected(ItemStream *stream, const char *expected)
{
    const int byte = peek(stream);

    if (byte == END)
    {
        fail(stream, "the file ends where %s should be", expected);
        vf_error_hint(&stream->error, "the file is cut off: write it again");
        return false;
    }
    if (g_ascii_isgraph((char) byte))
        return fail(stream, "expected %s, found '%c'", expected, byte);
    return fail(stream, "expected %s, found the byte 0x%02x", expected, (unsigned) byte);
}

static void
use_up_space(ItemStream *stream)
{
    for (;;)
    {
        while (stream->at < stream->end && *stream->at == ' ')
            stream->at++;

        const int byte = peek(stream);
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        if (byte == '\n')
            stream->line++;
        stream->at++;
    }
}

/* Goes to the next token.  The space is not recorded: of a pretty printed item it is more than
 * half, and would cost the parser that much of its time. */
static void
skip_space(ItemStream *stream)
{
    const bool is_recording = stream->recorded_from != NULL;

    if (peek(stream) > ' ' || !keep_recorded(stream))
        return;
    stream->recorded_from = NULL;
    use_up_space(stream);
    if (is_recording)
        stream->recorded_from = stream->at;
}

/* Uses this one byte up. */
static bool
skip_byte(ItemStream *stream, int byte, const char *expected)
{
    if (peek(stream) != byte)
        return unexpected(stream, expected);
    stream->at++;
    return true;
}

static bool
skip_hex(ItemStream *stream)
{
    for (int i = 0; i < 4; i++)
    {
        if (!g_ascii_isxdigit((char) peek(stream)))
            return unexpected(stream, "four hexadecimal digits after \\u");
        stream->at++;
    }
    return true;
}

/* What follows a backslash. */
static bool
skip_escape(ItemStream *stream)
{
    const int byte = peek(stream);

    if (byte == END || byte == '\0' || strchr("\"\\/bfnrtu", byte) == NULL)
        return unexpected(stream, "a character that may follow a backslash");
    stream->at++;
    return byte != 'u' || skip_hex(stream);
}

static bool
skip_string(ItemStream *stream, const char *expected)
{
    if (!skip_byte(stream, '"', expected))
        return false;
    for (;;)
    {
        while (stream->at < stream->end && *stream->at != '"' && *stream->at != '\\' &&
               *stream->at >= ' ')
            stream->at++;

        const int byte = peek(stream);
        if (byte == END || byte < ' ')
            return unexpected(stream, "the rest of a string");
        stream->at++;
        if (byte == '"')
            return true;
        if (byte == '\\' && !skip_escape(stream))
            return false;
    }
}

static bool
skip_word(ItemStream *stream, const char *word)
{
    for (; *word != '\0'; word++)
        if (!skip_byte(stream, *word, "true, false or null"))
            return false;
    return true;
}

static bool
skip_digits(ItemStream *stream)
{
    if (!g_ascii_isdigit((char) peek(stream)))
        return unexpected(stream, "a digit");
    while (g_ascii_isdigit((char) peek(stream)))
        stream->at++;
    return true;
}

static bool
skip_number(ItemStream *stream)
{
    if (peek(stream) == '-')
        stream->at++;

    if (peek(stream) == '0')
        stream->at++;
    else if (!skip_digits(stream))
        return false;

    if (peek(stream) == '.')
    {
        stream->at++;
        if (!skip_digits(stream))
            return false;
    }
    if (peek(stream) == 'e' || peek(stream) == 'E')
    {
        stream->at++;
        if (peek(stream) == '+' || peek(stream) == '-')
            stream->at++;
        return skip_digits(stream);
    }
    return true;
}

static bool skip_value(ItemStream *stream, int nesting);

/* The rest of a list or an object after one of its members: true when one more follows. */
static bool
another_member(ItemStream *stream, char closing)
{
    skip_space(stream);
    if (peek(stream) == closing)
    {
        stream->at++;
        return false;
    }
    if (!skip_byte(stream, ',', closing == '}' ? "a comma or }" : "a comma or ]"))
        return false;
    skip_space(stream);
    return true;
}

static bool
skip_colon(ItemStream *stream)
{
    skip_space(stream);
    if (!skip_byte(stream, ':', "a colon"))
        return false;
    skip_space(stream);
    return true;
}

static bool
skip_key(ItemStream *stream)
{
    return skip_string(stream, "a key in double quotes") && skip_colon(stream);
}

/* Opens a list or an object: true when it has a member. */
static bool
first_member(ItemStream *stream, char closing)
{
    stream->at++;
    skip_space(stream);
    if (peek(stream) != closing)
        return true;
    stream->at++;
    return false;
}

static bool
skip_object(ItemStream *stream, int nesting)
{
    if (first_member(stream, '}'))
        do
            if (!skip_key(stream) || !skip_value(stream, nesting + 1))
                return false;
        while (another_member(stream, '}'));
    return stream->error == NULL;
}

static bool
skip_list(ItemStream *stream, int nesting)
{
    if (first_member(stream, ']'))
        do
            if (!skip_value(stream, nesting + 1))
                return false;
        while (another_member(stream, ']'));
    return stream->error == NULL;
}

static bool
skip_value(ItemStream *stream, int nesting)
{
    if (nesting > MAX_NESTING)
        return fail(stream, "nested more than %d deep, which DynamoDB never is", MAX_NESTING);
    switch (peek(stream))
    {
    case '{':
        return skip_object(stream, nesting);
    case '[':
        return skip_list(stream, nesting);
    case '"':
        return skip_string(stream, "a string");
    case 't':
        return skip_word(stream, "true");
    case 'f':
        return skip_word(stream, "false");
    case 'n':
        return skip_word(stream, "null");
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
        return skip_number(stream);
    default:
        return unexpected(stream, "a value");
    }
}

/* A byte order mark: nothing for UTF-8, a useful message for UTF-16. */
static bool
skip_mark(ItemStream *stream)
{
    const int byte = peek(stream);

    if (byte == 0xff || byte == 0xfe)
    {
        fail(stream, "the file is UTF-16, as PowerShell's > writes it");
        vf_error_hint(
            &stream->error, "convert it with \"iconv -f UTF-16 -t UTF-8\", or write it with cmd");
        return false;
    }
    if (byte != 0xef)
        return true;
    stream->at++;
    return skip_byte(stream, 0xbb, "the rest of a byte order mark") &&
           skip_byte(stream, 0xbf, "the rest of a byte order mark");
}

static bool
begin_page(ItemStream *stream)
{
    if (peek(stream) != '{')
        return unexpected(stream, "an object with \"Items\" or \"Item\"");
    stream->page_has_items = stream->page_continues = false;
    stream->place = IN_PAGE;
    return first_member(stream, '}') || fail(stream, "an empty object, without \"Items\"");
}

static bool
end_page(ItemStream *stream)
{
    stream->place = BETWEEN_PAGES;
    if (stream->page_continues)
        stream->page_end = PAGE_CONTINUED;
    return stream->page_has_items || fail(stream, "an object with neither \"Items\" nor \"Item\"");
}

/* After a member of a page. */
static bool
next_key(ItemStream *stream)
{
    stream->place = IN_PAGE;
    return another_member(stream, '}') || (stream->error == NULL && end_page(stream));
}

static bool
begin_items(ItemStream *stream)
{
    if (peek(stream) != '[')
        return unexpected(stream, "the list of \"Items\"");
    stream->page_has_items = true;
    stream->page_end = PAGE_LAST; /* unless another member says more */
    stream->place = IN_ITEMS;
    return first_member(stream, ']') || next_key(stream);
}

/* Records one item; its text is what item_stream_next() gives. */
static bool
record_item(ItemStream *stream)
{
    if (peek(stream) != '{')
        return unexpected(stream, "an item");
    stream->item_line = stream->line;
    begin_recording(stream);
    return skip_object(stream, 1) && end_recording(stream);
}

/* `"LastEvaluatedKey": {…}` or `"NextToken": "…"`, unless it is as good as absent. */
static bool
note_continuation(ItemStream *stream)
{
    begin_recording(stream);
    if (!skip_value(stream, 1) || !end_recording(stream))
        return false;

    static const char *const nothing[] = {"null", "{}", "\"\"", NULL};
    if (!g_strv_contains(nothing, stream->text->str))
        stream->page_continues = true;
    return next_key(stream);
}

/* Reads a member's key and goes on with what it announces. */
static bool
enter_member(ItemStream *stream, bool *found)
{
    begin_recording(stream);
    if (!skip_string(stream, "a key in double quotes") || !end_recording(stream) ||
        !skip_colon(stream))
        return false;

    const char *key = stream->text->str;
    if (strcmp(key, "\"Items\"") == 0)
        return begin_items(stream);
    if (strcmp(key, "\"LastEvaluatedKey\"") == 0 || strcmp(key, "\"NextToken\"") == 0)
        return note_continuation(stream);
    if (strcmp(key, "\"Item\"") == 0)
    {
        *found = stream->page_has_items = true;
        return record_item(stream) && next_key(stream);
    }
    return skip_value(stream, 1) && next_key(stream);
}

static bool
enter_item(ItemStream *stream, bool *found)
{
    *found = true;
    if (!record_item(stream))
        return false;
    return another_member(stream, ']') || (stream->error == NULL && next_key(stream));
}

/* One step through the file; false at its end and after a failure. */
static bool
step(ItemStream *stream, bool *found)
{
    switch (stream->place)
    {
    case BEFORE_FIRST_PAGE:
        stream->place = BETWEEN_PAGES;
        return skip_mark(stream);
    case BETWEEN_PAGES:
        skip_space(stream);
        return peek(stream) != END && begin_page(stream);
    case IN_PAGE:
        return enter_member(stream, found);
    case IN_ITEMS:
        return enter_item(stream, found);
    }
    g_assert_not_reached();
}

const char *
item_stream_next(ItemStream *stream, size_t *bytes, GError **error)
{
    bool found = false;

    while (!found && stream->error == NULL && step(stream, &found))
        continue;

    if (stream->error != NULL)
    {
        g_propagate_error(error, g_error_copy(stream->error));
        return NULL;
    }
    if (!found)
        return NULL;
    *bytes = stream->text->len;
    return stream->text->str;
}
