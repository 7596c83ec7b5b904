/*
 * This runs in the parent, over the output of the child: that output is foreign until it
 * was looked at, character by character, whoever wrote it.  The work is done in short
 * pieces, so memory does not grow, and a text of millions of combining marks, which
 * normalising would sort, stays cheap.
 */
#include "extract/normalise.h"

#include <stdbool.h>
#include <string.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

/*
 * A piece is normalised at the first boundary after so many units.  Boundaries are nearly
 * everywhere, but not within a run of combining marks: a longer run gets a joiner without
 * width, as Unicode's stream-safe text format has it, which is a boundary.
 */
#define PIECE_UNITS 128
#define MAX_RUN 64
#define JOINER 0x034F

/* A whole run may follow a nearly long enough piece, in two units each. */
#define MAX_PIECE_UNITS (PIECE_UNITS + 2 * MAX_RUN + 4)

/* Normalising to NFC at most triples the length. */
#define MAX_NORMAL_UNITS (3 * MAX_PIECE_UNITS)

#define REPLACEMENT 0xFFFD

typedef struct
{
    const UNormalizer2 *nfc;
    GString *text;
    UChar piece[MAX_PIECE_UNITS];
    int32_t units;
    int run; /* characters since the last boundary */
} Normaliser;

static void
append(GString *text, const UChar *units, int32_t count)
{
    char bytes[3 * MAX_NORMAL_UNITS];
    int32_t length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strToUTF8WithSub(bytes, sizeof(bytes), &length, units, count, REPLACEMENT, NULL, &status);
    g_assert(U_SUCCESS(status));
    g_string_append_len(text, bytes, length);
}

static void
flush(Normaliser *normaliser)
{
    UChar normal[MAX_NORMAL_UNITS];
    UErrorCode status = U_ZERO_ERROR;
    const int32_t count = unorm2_normalize(
        normaliser->nfc, normaliser->piece, normaliser->units, normal, MAX_NORMAL_UNITS, &status);
    g_assert(U_SUCCESS(status));
    append(normaliser->text, normal, count);
    normaliser->units = 0;
}

static void
put(Normaliser *normaliser, gunichar character)
{
    if (character <= 0xFFFF)
        normaliser->piece[normaliser->units++] = (UChar) character;
    else
    {
        normaliser->piece[normaliser->units++] = U16_LEAD((UChar32) character);
        normaliser->piece[normaliser->units++] = U16_TRAIL((UChar32) character);
    }
}

static void
add(Normaliser *normaliser, gunichar character)
{
    if (unorm2_hasBoundaryBefore(normaliser->nfc, (UChar32) character))
    {
        if (normaliser->units >= PIECE_UNITS)
            flush(normaliser);
        normaliser->run = 0;
    }
    else if (++normaliser->run == MAX_RUN)
    {
        add(normaliser, JOINER);
        normaliser->run = 1;
    }
    put(normaliser, character);
}

/* The character at *next, which moves on; U+FFFD for each byte of nonsense. */
static gunichar
next_character(const char **next, const char *end)
{
    const unsigned char first = (unsigned char) **next;
    const gunichar character = first < 0x80 ? first : g_utf8_get_char_validated(*next, end - *next);
    if (character > 0x10FFFF)
    {
        (*next)++;
        return REPLACEMENT;
    }
    *next += g_utf8_skip[first];
    return character;
}

static bool
is_line_end(gunichar c)
{
    return c == '\n' || c == '\v' || c == '\f' || c == '\r' || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

static bool
is_dropped(gunichar c)
{
    return (c < 0x20 && c != '\t') || (c >= 0x7F && c <= 0x9F) || /* controls */
           c == 0xAD ||                                           /* soft hyphen */
           c == 0x061C ||                                         /* Arabic letter mark */
           (c >= 0x200B && c <= 0x200F) ||                        /* zero width, direction */
           (c >= 0x202A && c <= 0x202E) ||                        /* embeddings */
           (c >= 0x2060 && c <= 0x2064) ||                        /* joiners without sign */
           (c >= 0x2066 && c <= 0x2069) ||                        /* isolates */
           c == 0xFEFF;                                           /* byte order mark */
}

static void
strip_ends(GString *text)
{
    static const char SPACES[] = " \t\n";
    while (text->len > 0 && strchr(SPACES, text->str[text->len - 1]) != NULL)
        g_string_truncate(text, text->len - 1);
    g_string_erase(text, 0, (gssize) strspn(text->str, SPACES));
}

char *
normalise_text(const char *bytes, size_t length)
{
    UErrorCode status = U_ZERO_ERROR;
    Normaliser normaliser = {
        .nfc = unorm2_getNFCInstance(&status), .text = g_string_sized_new(length)};
    g_assert(U_SUCCESS(status));

    const char *next = bytes;
    const char *end = bytes + length;
    bool after_return = false;
    while (next < end)
    {
        const gunichar character = next_character(&next, end);
        const bool second_half = after_return && character == '\n';
        after_return = character == '\r';
        if (second_half)
            continue;
        if (is_line_end(character))
            add(&normaliser, '\n');
        else if (!is_dropped(character))
            add(&normaliser, character);
    }
    flush(&normaliser);
    strip_ends(normaliser.text);
    const gsize size = normaliser.text->len + 1;
    return g_realloc(g_string_free(normaliser.text, FALSE), size);
}
