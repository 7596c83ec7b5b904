/*
 * chars.h - characters as the splitter's rules see them.
 *
 * The rules were born in Python, so a space, a letter or a digit is what Python
 * takes for one.  Everywhere in this folder text is valid UTF-8 that ends with a
 * NUL, a range ends between two characters, and p < end stands on a character.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What an ASCII character can be; it may be several. */
enum
{
    CHAR_SPACE = 1,            /* str.isspace(); char_space() wants it to be one */
    CHAR_ASCII_SPACE = 1 << 1, /* string.whitespace */
    CHAR_END_MARK = 1 << 2,    /* . ? ! */
    CHAR_BREAKER = 1 << 3,     /* never inside a word, unless it is the first character */
    CHAR_CLOSER = 1 << 4,      /* may follow an end mark and still belong to the sentence */
    CHAR_LONER = 1 << 5,       /* begins no word; a token of its own */
    CHAR_CLAUSE = 1 << 6,      /* , . ; */
};

extern const guint8 CHAR_KINDS[256];

/* True when p stands on an ASCII character of one of those kinds. */
static inline bool
char_is(const char *p, int kinds)
{
    return (CHAR_KINDS[(guint8) *p] & kinds) != 0;
}

/* The bytes of the space at p; 0 when p stands on something else. */
size_t char_wide_space(const char *p);

static inline size_t
char_space(const char *p)
{
    return (guint8) *p < 0x80 ? (size_t) (CHAR_KINDS[(guint8) *p] & CHAR_SPACE)
                              : char_wide_space(p);
}

/* The bytes of the character at p. */
static inline size_t
char_bytes(const char *p)
{
    guint8 lead = (guint8) *p;
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

/* str.islower(), isupper(), isdecimal(), and isalnum() or '_' but no digit. */
bool char_is_lower(const char *p);
bool char_is_upper(const char *p);
bool char_is_digit(const char *p);
bool char_is_letter(const char *p);

/* True for what joins the character before it: an accent, a joiner, a vowel sign. */
bool char_joins(const char *p);

/* The first character from p on that is no space; end when there is none. */
const char *chars_skip_spaces(const char *p, const char *end);

/* The first character from p on that does not join the one before it. */
const char *chars_skip_joined(const char *p, const char *end);

/* The end of the text without the spaces behind it. */
const char *chars_strip_end(const char *start, const char *end);

/* How many characters stand between the two. */
size_t chars_count(const char *start, const char *end);

/* So many characters further on, but no further than end. */
const char *chars_forward(const char *start, const char *end, size_t count);

/* True when at most so many characters stand between the two.  Costs no more than they do. */
bool chars_fit(const char *start, const char *end, size_t count);
