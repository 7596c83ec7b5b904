#include "chunk/chars.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum
{
    SPACE = CHAR_SPACE,
    BLANK = CHAR_SPACE | CHAR_ASCII_SPACE,
};

const guint8 CHAR_KINDS[256] = {
    ['\t'] = BLANK,
    ['\n'] = BLANK,
    ['\v'] = BLANK,
    ['\f'] = BLANK,
    ['\r'] = BLANK,
    [' '] = BLANK,
    [0x1C] = SPACE,
    [0x1D] = SPACE,
    [0x1E] = SPACE,
    [0x1F] = SPACE,
    ['.'] = CHAR_END_MARK | CHAR_CLAUSE,
    ['?'] = CHAR_END_MARK | CHAR_BREAKER,
    ['!'] = CHAR_END_MARK | CHAR_BREAKER,
    [')'] = CHAR_BREAKER | CHAR_CLOSER | CHAR_LONER,
    [']'] = CHAR_BREAKER | CHAR_CLOSER | CHAR_LONER,
    ['}'] = CHAR_BREAKER | CHAR_CLOSER | CHAR_LONER,
    ['"'] = CHAR_BREAKER | CHAR_CLOSER | CHAR_LONER,
    ['\''] = CHAR_BREAKER | CHAR_CLOSER,
    ['('] = CHAR_BREAKER | CHAR_LONER,
    ['{'] = CHAR_BREAKER | CHAR_LONER,
    ['['] = CHAR_BREAKER | CHAR_LONER,
    [':'] = CHAR_BREAKER | CHAR_LONER,
    ['*'] = CHAR_BREAKER | CHAR_LONER,
    ['@'] = CHAR_BREAKER | CHAR_LONER,
    [';'] = CHAR_BREAKER | CHAR_LONER | CHAR_CLAUSE,
    [','] = CHAR_LONER | CHAR_CLAUSE,
    ['`'] = CHAR_LONER,
    ['&'] = CHAR_LONER,
    ['#'] = CHAR_LONER,
    ['-'] = CHAR_LONER,
};

size_t
char_wide_space(const char *p)
{
    const guint8 *u = (const guint8 *) p;

    switch (u[0])
    {
    case 0xC2: /* U+0085, U+00A0 */
        return u[1] == 0x85 || u[1] == 0xA0 ? 2 : 0;
    case 0xE1: /* U+1680 */
        return u[1] == 0x9A && u[2] == 0x80 ? 3 : 0;
    case 0xE2: /* U+2000 to 200A, 2028, 2029, 202F; 205F */
        if (u[1] == 0x80)
            return u[2] <= 0x8A || u[2] == 0xA8 || u[2] == 0xA9 || u[2] == 0xAF ? 3 : 0;
        return u[1] == 0x81 && u[2] == 0x9F ? 3 : 0;
    case 0xE3: /* U+3000 */
        return u[1] == 0x80 && u[2] == 0x80 ? 3 : 0;
    default:
        return 0;
    }
}

static UChar32
code_point(const char *p)
{
    UChar32 c;
    size_t i = 0;
    U8_NEXT_UNSAFE((const guint8 *) p, i, c);
    return c;
}

bool
char_is_lower(const char *p)
{
    return (guint8) *p < 0x80 ? g_ascii_islower(*p) : u_isULowercase(code_point(p));
}

bool
char_is_upper(const char *p)
{
    return (guint8) *p < 0x80 ? g_ascii_isupper(*p) : u_isUUppercase(code_point(p));
}

bool
char_is_digit(const char *p)
{
    return (guint8) *p < 0x80 ? g_ascii_isdigit(*p) : u_isdigit(code_point(p));
}

bool
char_is_letter(const char *p)
{
    if ((guint8) *p < 0x80)
        return g_ascii_isalpha(*p) || *p == '_';

    UChar32 c = code_point(p);
    return u_isalpha(c) ||
           (u_getIntPropertyValue(c, UCHAR_NUMERIC_TYPE) != U_NT_NONE && !u_isdigit(c));
}

bool
char_joins(const char *p)
{
    if ((guint8) *p < 0x80)
        return false;

    int kind = u_getIntPropertyValue(code_point(p), UCHAR_GRAPHEME_CLUSTER_BREAK);
    return kind == U_GCB_EXTEND || kind == U_GCB_SPACING_MARK || kind == U_GCB_ZWJ;
}

const char *
chars_skip_spaces(const char *p, const char *end)
{
    size_t bytes;
    while (p < end && (bytes = char_space(p)) > 0)
        p += bytes;
    return p;
}

const char *
chars_skip_joined(const char *p, const char *end)
{
    while (p < end && char_joins(p))
        p += char_bytes(p);
    return p;
}

const char *
chars_strip_end(const char *start, const char *end)
{
    while (end > start)
    {
        const char *last = end - 1;
        while (((guint8) *last & 0xC0) == 0x80)
            last--;
        if (char_space(last) == 0)
            break;
        end = last;
    }
    return end;
}

/*
 * Eight bytes at a time: a character is a byte that does not continue another,
 * and bytes that do are 10xxxxxx.
 */
static size_t
continuations(const char *p)
{
    guint64 word;
    memcpy(&word, p, sizeof word);
    guint64 high = word & G_GUINT64_CONSTANT(0x8080808080808080);
    return high == 0 ? 0 : (size_t) __builtin_popcountll(high & ~(word << 1));
}

size_t
chars_count(const char *start, const char *end)
{
    size_t count = (size_t) (end - start);
    const char *p = start;

    for (; end - p >= 8; p += 8)
        count -= continuations(p);
    for (; p < end; p++)
        count -= ((guint8) *p & 0xC0) == 0x80;
    return count;
}

const char *
chars_forward(const char *start, const char *end, size_t count)
{
    const char *p = start;

    /* Eight bytes begin eight characters at most. */
    while (end - p >= 8 && count >= 8)
    {
        count -= 8 - continuations(p);
        p += 8;
    }
    while (p < end && ((guint8) *p & 0xC0) == 0x80)
        p++;
    for (; p < end && count > 0; count--)
        p += char_bytes(p);
    return p;
}

bool
chars_fit(const char *start, const char *end, size_t count)
{
    return (size_t) (end - start) <= count || chars_forward(start, end, count) == end;
}
