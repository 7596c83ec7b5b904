#include "extract/charset.h"

#include <string.h>
#include <uchardet/uchardet.h>
#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>
#include <unicode/ucsdet.h>
#include <unicode/uscript.h>

/* Where declarations stand, and how much the detectors look at. */
#define DECLARATION_BYTES 4096
#define DETECTED_BYTES ((size_t) 256 * 1024)

#define DEFAULT_CHARSET "windows-1252"

static bool
begins_with(const char *bytes, size_t length, const char *mark, size_t mark_length)
{
    return length >= mark_length && memcmp(bytes, mark, mark_length) == 0;
}

#define BEGINS_WITH(mark) begins_with(bytes, length, mark, sizeof(mark) - 1)

static const char *
marked_charset(const char *bytes, size_t length)
{
    if (BEGINS_WITH("\xEF\xBB\xBF"))
        return "UTF-8";
    if (BEGINS_WITH("\xFF\xFE\0\0"))
        return "UTF-32LE";
    if (BEGINS_WITH("\0\0\xFE\xFF"))
        return "UTF-32BE";
    if (BEGINS_WITH("\xFF\xFE"))
        return "UTF-16LE";
    if (BEGINS_WITH("\xFE\xFF"))
        return "UTF-16BE";
    return NULL;
}

/* g_utf8_validate refuses NUL, which UTF-16 is full of. */
static bool
is_utf8(const char *bytes, size_t length)
{
    return g_utf8_validate_len(bytes, length, NULL) &&
           g_strstr_len(bytes, (gssize) length, "\x1B$") == NULL;
}

/* A text cut off in a character, or with a stray byte, is still no other charset: there
 * hardly any sequence would be right by chance. */
static bool
is_nearly_utf8(const char *bytes, size_t length)
{
    const char *next = bytes;
    const char *end = bytes + length;
    size_t right = 0;
    size_t wrong = 0;
    while (next < end)
    {
        const unsigned char first = (unsigned char) *next;
        if (first < 0x80)
        {
            next++;
            continue;
        }
        const bool valid = g_utf8_get_char_validated(next, end - next) <= 0x10FFFF;
        right += valid;
        wrong += !valid;
        next += valid ? g_utf8_skip[first] : 1;
    }
    return right >= 4 && wrong * 20 <= right && memchr(bytes, '\x1B', length) == NULL;
}

/* --- declared ------------------------------------------------------------------------ */

/* Names as browsers understand them: much that calls itself the first is the second. */
static const char *const ALIASES[][2] = {
    {"ascii", DEFAULT_CHARSET},
    {"us-ascii", DEFAULT_CHARSET},
    {"iso-8859-1", DEFAULT_CHARSET},
    {"iso8859-1", DEFAULT_CHARSET},
    {"latin1", DEFAULT_CHARSET},
    {"iso-8859-9", "windows-1254"},
    {"iso-8859-11", "windows-874"},
    {"tis-620", "windows-874"},
    {"shift_jis", "ibm-943_P15A-2003"},
    {"shift-jis", "ibm-943_P15A-2003"},
    {"sjis", "ibm-943_P15A-2003"},
    {"x-sjis", "ibm-943_P15A-2003"},
    {"cp932", "ibm-943_P15A-2003"},
    {"windows-31j", "ibm-943_P15A-2003"},
    {"gb2312", "gb18030"},
    {"gbk", "gb18030"},
    {"euc-kr", "windows-949"},
    {"ks_c_5601-1987", "windows-949"},
    {"uhc", "windows-949"},
    {"hz-gb-2312", "HZ"},
};

/* Charsets in which ASCII text can mean something else: never believed. */
static bool
is_treacherous(const char *name)
{
    static const char *const prefixes[] = {"utf-7", "utf7", "scsu", "bocu", "imap", "cesu"};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_ascii_strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static const char *
canonical_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ALIASES); i++)
        if (g_ascii_strcasecmp(name, ALIASES[i][0]) == 0)
            return ALIASES[i][1];
    return name;
}

static UConverter *
open_converter(const char *charset)
{
    UErrorCode status = U_ZERO_ERROR;
    UConverter *converter = ucnv_open(charset, &status);
    if (U_SUCCESS(status))
        return converter;
    ucnv_close(converter);
    return NULL;
}

/* C1 controls are in no text: they are what a wrong single-byte charset makes. */
static bool
has_c1_control(const UChar *units, const UChar *end)
{
    for (; units < end; units++)
        /* ICU has filled them; clang thinks not, because ICU takes their end as const.
         * NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        if (*units >= 0x80 && *units <= 0x9F && *units != 0x85)
            return true;
    return false;
}

static bool
decodes(const char *bytes, size_t length, const char *charset)
{
    UConverter *converter = open_converter(charset);
    if (converter == NULL)
        return false;

    UErrorCode status = U_ZERO_ERROR;
    ucnv_setToUCallBack(converter, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &status);
    const char *next = bytes;
    const char *end = bytes + length;
    bool good = U_SUCCESS(status);
    bool more = true;
    while (good && more)
    {
        UChar units[4096];
        UChar *target = units;
        status = U_ZERO_ERROR;
        ucnv_toUnicode(
            converter, &target, units + G_N_ELEMENTS(units), &next, end, NULL, TRUE, &status);
        more = status == U_BUFFER_OVERFLOW_ERROR;
        good = (more || U_SUCCESS(status)) && !has_c1_control(units, target);
    }
    ucnv_close(converter);
    return good;
}

static char *
value_after(const char *text, const char *word)
{
    const char *found = strcasestr(text, word);
    if (found == NULL)
        return NULL;
    const char *value = found + strlen(word);
    value += strspn(value, " \t\r\n=\"'");
    const size_t length =
        strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:");
    return length == 0 || length > 40 ? NULL : g_strndup(value, length);
}

char *
charset_declared(const char *bytes, size_t length)
{
    g_autofree char *beginning = g_strndup(bytes, MIN(length, DECLARATION_BYTES));
    if (g_str_has_prefix(beginning, "<?xml"))
    {
        char *prolog_end = strstr(beginning, "?>");
        if (prolog_end != NULL)
        {
            *prolog_end = '\0';
            char *encoding = value_after(beginning, "encoding=");
            *prolog_end = '?';
            if (encoding != NULL)
                return encoding;
        }
    }
    return value_after(beginning, "charset=");
}

/* --- UTF-16 without a mark ------------------------------------------------------------- */

static unsigned
unit_at(const char *bytes, size_t i, bool little)
{
    const unsigned first = (unsigned char) bytes[i];
    const unsigned second = (unsigned char) bytes[i + 1];
    return little ? second << 8 | first : first << 8 | second;
}

static const UScriptCode CERTAIN_SCRIPTS[] = {
    USCRIPT_LATIN, USCRIPT_CYRILLIC,   USCRIPT_GREEK,    USCRIPT_HEBREW,   USCRIPT_ARABIC,
    USCRIPT_THAI,  USCRIPT_DEVANAGARI, USCRIPT_HIRAGANA, USCRIPT_KATAKANA,
};

/* What a text in one of the world's scripts is made of; ideographs are not counted among
 * the certain ones, because any two bytes are likely to be one. */
static bool
is_certain_letter(unsigned unit)
{
    if ((unit >= ' ' && unit < 0x7F) || unit == '\t' || unit == '\n' || unit == '\r')
        return true;
    if (unit < 0xA0 || unit > 0x33FF)
        return false;
    UErrorCode status = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript((UChar32) unit, &status);
    for (size_t i = 0; i < G_N_ELEMENTS(CERTAIN_SCRIPTS); i++)
        if (script == CERTAIN_SCRIPTS[i])
            return true;
    return unit >= 0x3000 && unit <= 0x3002; /* ideographic space, comma, full stop */
}

static bool
is_ideograph_or_syllable(unsigned unit)
{
    return (unit >= 0x3000 && unit <= 0x9FFF) || (unit >= 0xAC00 && unit <= 0xD7A3) ||
           (unit >= 0xFF00 && unit <= 0xFFEF) || (unit >= 0x2010 && unit <= 0x2030);
}

/* Per thousand units, how many can be in a text (all nearly must), and how many are
 * surely letters of it (a quarter must: kana between ideographs, say). */
static bool
reads_as_utf16(const char *bytes, size_t length, bool little)
{
    const size_t end = MIN(length, DETECTED_BYTES) & ~(size_t) 1;
    const size_t units = end / 2;
    size_t certain = 0;
    size_t possible = 0;
    for (size_t i = 0; i < end; i += 2)
    {
        const unsigned unit = unit_at(bytes, i, little);
        if (is_certain_letter(unit))
            certain++;
        else if (is_ideograph_or_syllable(unit))
            possible++;
    }
    return units >= 4 && (certain + possible) * 1000 >= units * 950 &&
           certain * 1000 >= units * 250;
}

/* Of 20,000 ideographs one is U+4E00, so a few zeros on the wrong side are normal. */
static const char *
utf16_by_zeros(const char *bytes, size_t length)
{
    const size_t end = MIN(length, DETECTED_BYTES) & ~(size_t) 1;
    size_t zeros[2] = {0, 0};
    for (size_t i = 0; i < end; i++)
        zeros[i & 1] += bytes[i] == '\0';
    if (zeros[0] > 10 * zeros[1] && zeros[0] * 50 >= end)
        return "UTF-16BE";
    if (zeros[1] > 10 * zeros[0] && zeros[1] * 50 >= end)
        return "UTF-16LE";
    return NULL;
}

static const char *
unmarked_utf16(const char *bytes, size_t length)
{
    if (length % 2 != 0)
        return NULL;
    const bool little = reads_as_utf16(bytes, length, true);
    const bool big = reads_as_utf16(bytes, length, false);
    if (little != big)
        return little ? "UTF-16LE" : "UTF-16BE";
    const char *by_zeros = utf16_by_zeros(bytes, length);
    return by_zeros != NULL && decodes(bytes, length, by_zeros) ? by_zeros : NULL;
}

/* --- escapes and detectors --------------------------------------------------------------- */

static const char *
escaped_charset(const char *bytes, size_t length)
{
    if (g_strstr_len(bytes, (gssize) length, "\x1B$)C") != NULL)
        return "ISO-2022-KR";
    if (g_strstr_len(bytes, (gssize) length, "\x1B$)A") != NULL ||
        g_strstr_len(bytes, (gssize) length, "\x1B$)G") != NULL)
        return "ISO-2022-CN";
    if (g_strstr_len(bytes, (gssize) length, "\x1B$B") != NULL ||
        g_strstr_len(bytes, (gssize) length, "\x1B$@") != NULL ||
        g_strstr_len(bytes, (gssize) length, "\x1B$(") != NULL)
        return "ISO-2022-JP-2";
    return NULL;
}

static char *
ask_uchardet(const char *bytes, size_t length)
{
    uchardet_t detector = uchardet_new();
    char *name = NULL;
    if (uchardet_handle_data(detector, bytes, MIN(length, DETECTED_BYTES)) == 0)
    {
        uchardet_data_end(detector);
        name = g_strdup(uchardet_get_charset(detector));
    }
    uchardet_delete(detector);
    return name != NULL ? name : g_strdup("");
}

/* It calls short German text IBM852 and windows-1252 a Macintosh's. */
static bool
is_believable(const char *name)
{
    if (*name == '\0' || strcmp(name, "ASCII") == 0 || strcmp(name, "ISO-8859-1") == 0)
        return false;
    if (g_str_has_prefix(name, "MAC-"))
        return false;
    return !g_str_has_prefix(name, "IBM8") || strcmp(name, "IBM866") == 0;
}

static char *
ask_icu(const char *bytes, size_t length)
{
    UErrorCode status = U_ZERO_ERROR;
    UCharsetDetector *detector = ucsdet_open(&status);
    ucsdet_setText(detector, bytes, (int32_t) MIN(length, DETECTED_BYTES), &status);
    const UCharsetMatch *match = ucsdet_detect(detector, &status);
    const char *name = match == NULL ? NULL : ucsdet_getName(match, &status);
    char *copy = U_FAILURE(status) || name == NULL ? NULL : g_strdup(name);
    ucsdet_close(detector);
    return copy;
}

static bool
can_convert(const char *charset)
{
    UConverter *converter = open_converter(charset);
    ucnv_close(converter);
    return converter != NULL;
}

static char *
detected_charset(const char *bytes, size_t length)
{
    g_autofree char *first = ask_uchardet(bytes, length);
    if (is_believable(first) && can_convert(canonical_name(first)))
        return g_strdup(canonical_name(first));
    g_autofree char *second = ask_icu(bytes, length);
    if (second != NULL && !g_str_has_prefix(second, "UTF-") && can_convert(canonical_name(second)))
        return g_strdup(canonical_name(second));
    return g_strdup(DEFAULT_CHARSET);
}

char *
charset_of(const char *bytes, size_t length, const char *declared)
{
    const char *name = marked_charset(bytes, length);
    if (name != NULL)
        return g_strdup(name);
    if (is_utf8(bytes, length) || is_nearly_utf8(bytes, length))
        return g_strdup("UTF-8");
    if (declared != NULL && *declared != '\0' && !is_treacherous(declared) &&
        decodes(bytes, length, canonical_name(declared)))
        return g_strdup(canonical_name(declared));
    name = unmarked_utf16(bytes, length);
    if (name == NULL)
        name = escaped_charset(bytes, length);
    return name != NULL ? g_strdup(name) : detected_charset(bytes, length);
}

/* --- decoding ------------------------------------------------------------------------------ */

static void
append_without_nul(GString *text, const char *bytes, size_t length)
{
    const char *end = bytes + length;
    while (bytes < end)
    {
        const char *nul = memchr(bytes, '\0', (size_t) (end - bytes));
        const char *stop = nul == NULL ? end : nul;
        g_string_append_len(text, bytes, stop - bytes);
        bytes = stop + 1;
    }
}

static void
convert(UConverter *from, UConverter *to, const char *bytes, size_t length, GString *text)
{
    UChar pivot[2048];
    UChar *pivot_source = pivot;
    UChar *pivot_target = pivot;
    const char *next = bytes;
    UErrorCode status = U_BUFFER_OVERFLOW_ERROR;
    for (UBool first = TRUE; status == U_BUFFER_OVERFLOW_ERROR; first = FALSE)
    {
        char buffer[8192];
        char *target = buffer;
        status = U_ZERO_ERROR;
        ucnv_convertEx(
            to, from, &target, buffer + sizeof(buffer), &next, bytes + length, pivot, &pivot_source,
            &pivot_target, pivot + G_N_ELEMENTS(pivot), first, TRUE, &status);
        append_without_nul(text, buffer, (size_t) (target - buffer));
    }
}

GString *
charset_decode(const char *bytes, size_t length, const char *charset)
{
    GString *text = g_string_sized_new(length + 1);
    UConverter *from = open_converter(charset);
    UConverter *to = open_converter("UTF-8");
    if (from == NULL)
        from = open_converter(DEFAULT_CHARSET);
    if (from != NULL && to != NULL)
        convert(from, to, bytes, length, text);
    ucnv_close(from);
    ucnv_close(to);
    if (g_str_has_prefix(text->str, "\xEF\xBB\xBF"))
        g_string_erase(text, 0, 3);
    return text;
}

bool
charset_is_binary(const char *bytes, size_t length)
{
    if (marked_charset(bytes, length) != NULL || unmarked_utf16(bytes, length) != NULL)
        return false;
    const size_t end = MIN(length, DETECTED_BYTES);
    size_t controls = 0;
    for (size_t i = 0; i < end; i++)
    {
        const unsigned char c = (unsigned char) bytes[i];
        controls += c == '\0' || (c < 0x20 && strchr("\t\n\r\f\b\x1A\x1B", c) == NULL);
    }
    return controls * 200 > end;
}
