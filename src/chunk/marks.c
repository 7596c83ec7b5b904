#include "chunk/marks.h"

#include "chunk/chars.h"

#include <stdbool.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

/* The character at p and the place behind it. */
static UChar32
take(const char *p, const char **behind)
{
    UChar32 c;
    size_t i = 0;
    U8_NEXT_UNSAFE((const guint8 *) p, i, c);
    *behind = p + i;
    return c;
}

/* ASCII's own marks are Punkt's business. */
static bool
is_mark(UChar32 c)
{
    return c >= 0x80 && u_hasBinaryProperty(c, UCHAR_S_TERM);
}

/* Full stops of other widths, which stand in numbers, too. */
static bool
is_decimal_point(UChar32 c)
{
    return c == 0xFF0E || c == 0xFE52;
}

static bool
is_closer(UChar32 c)
{
    if (c == '"' || c == '\'')
        return false; /* it may as well open the next sentence */

    int kind = u_charType(c);
    return kind == U_END_PUNCTUATION || kind == U_FINAL_PUNCTUATION;
}

/* Behind all characters from p on that still belong to the sentence. */
static const char *
sentence_end(const char *p, const char *end)
{
    while (p < end)
    {
        const char *behind;
        UChar32 c = take(p, &behind);
        if (!is_mark(c) && !char_is(p, CHAR_END_MARK) && !is_closer(c) && !char_joins(p))
            break;
        p = behind;
    }
    return p;
}

const char *
marks_next_start(const char *p, const char *end)
{
    while (p < end)
    {
        const char *behind;
        if ((guint8) *p < 0x80)
        {
            p++;
            continue;
        }

        UChar32 c = take(p, &behind);
        p = behind;
        if (!is_mark(c) || (is_decimal_point(c) && p < end && char_is_digit(p)))
            continue;

        p = chars_skip_spaces(sentence_end(p, end), end);
        return p < end ? p : NULL;
    }
    return NULL;
}
