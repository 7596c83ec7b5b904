#include "catalogue/item_json.h"

#include "base/error.h"

#include <stdbool.h>
#include <string.h>

static const char *
problem_of(const json_error_t *reason)
{
    switch ((int) json_error_code(reason))
    {
    case json_error_invalid_utf8:
        return "its text is not UTF-8 (was the file written in another encoding?)";
    case json_error_duplicate_key:
        return "an attribute is there twice";
    case json_error_numeric_overflow:
        return "it holds a number that is too large";
    case json_error_null_byte_in_key:
        return "the name of an attribute holds a NUL character";
    default:
        return "its text holds half of a surrogate pair";
    }
}

/* The code unit of an escape like \u00e9 at text, or -1 when none is there. */
static int
code_unit(const char *text, const char *end)
{
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;

    int unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit * 16 + g_ascii_xdigit_value(text[i]);
    return unit;
}

static bool
is_first_half(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool
is_second_half(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* Copies what begins with a backslash; gives its end. */
static const char *
mend_escape(GString *mended, const char *at, const char *end)
{
    const int unit = code_unit(at, end);
    size_t bytes = unit < 0 ? 2 : 6;

    if (is_first_half(unit) && is_second_half(code_unit(at + 6, end)))
        bytes = 12;
    else if (unit == 0 || is_first_half(unit) || is_second_half(unit))
    {
        g_string_append(mended, "\\ufffd");
        return at + 6;
    }
    g_string_append_len(mended, at, (gssize) bytes);
    return at + bytes;
}

/* Copies one character, or a mark in the place of a byte that belongs to none. */
static const char *
mend_character(GString *mended, const char *at, const char *end)
{
    const gunichar character = g_utf8_get_char_validated(at, end - at);

    if (character == (gunichar) -1 || character == (gunichar) -2)
    {
        g_string_append_unichar(mended, 0xfffd);
        return at + 1;
    }
    g_string_append_unichar(mended, character);
    return at + g_unichar_to_utf8(character, NULL);
}

static GString *
mended_text(const char *text, size_t bytes)
{
    GString *mended = g_string_sized_new(bytes);
    const char *const end = text + bytes;
    bool in_string = false;

    for (const char *at = text; at < end;)
    {
        if (*at == '\\')
        {
            at = mend_escape(mended, at, end);
            continue;
        }
        if (*at == '"')
            in_string = !in_string;
        if (in_string || (*at != '-' && !g_ascii_isdigit(*at)))
        {
            at = mend_character(mended, at, end);
            continue;
        }
        /* A bare number is nothing that DynamoDB writes: its value does not matter. */
        g_string_append_c(mended, '0');
        at += strspn(at, "+-.0123456789eE");
    }
    return mended;
}

Json *
item_parse(const char *text, size_t bytes, const char **problem, GError **error)
{
    json_error_t reason;
    Json *item = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &reason);

    *problem = NULL;
    if (item != NULL)
        return item;

    *problem = problem_of(&reason);
    GString *mended = mended_text(text, bytes);
    item = json_loadb(mended->str, mended->len, 0, &reason);
    g_string_free(mended, TRUE);
    if (item == NULL)
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "an item could not be parsed (line %d of it)",
            reason.line);
    return item;
}
