#include "chunk/punkt.h"

#include "chunk/chars.h"

#include <string.h>

/*
 * Whatever follows a token decides on it with its first few characters: at most
 * five tell that ". . ." begins, one more is a comma before it.  Behind so many
 * bytes a longer text changes nothing any more.
 */
enum
{
    REACH_BYTES = 8 * 4,
};

bool
punkt_is_candidate(const char *mark, const char *end)
{
    if (!char_is(mark, CHAR_END_MARK) || mark + 1 == end)
        return false;
    if (char_is(mark + 1, CHAR_BREAKER))
        return true;
    return char_space(mark + 1) > 0 && chars_skip_spaces(mark + 1, end) < end;
}

const char *
punkt_next_start(const char *mark, const char *end)
{
    const char *start = chars_skip_spaces(mark + 1, end);
    const char *closed = start;

    while (closed < end && char_is(closed, CHAR_CLOSER))
        closed++;
    if (closed == start)
        return start;
    if (closed == end || char_space(closed) > 0 ||
        (end - closed >= 2 && memcmp(closed, "--", 2) == 0))
        return chars_skip_spaces(closed, end);
    return start;
}

/* Behind the dot at p and one space in the same line; NULL when it is followed otherwise. */
static const char *
spaced_dot(const char *p, const char *end)
{
    if (end - p < 2 || *p != '.' || p[1] == '\n')
        return NULL;

    size_t bytes = char_space(p + 1);
    return bytes > 0 && p + 1 + bytes < end ? p + 1 + bytes : NULL;
}

/* True when "--", ".." or ". . ." begins at p. */
static bool
begins_run(const char *p, const char *end)
{
    if (*p != '-' && *p != '.')
        return false;
    if (end - p >= 2 && p[1] == *p)
        return true;

    const char *second = spaced_dot(p, end);
    const char *third = second != NULL ? spaced_dot(second, end) : NULL;
    return third != NULL && *third == '.';
}

static const char *
run_end(const char *p, const char *end)
{
    if (p[1] == *p)
    {
        char c = *p;
        while (p < end && *p == c)
            p++;
        return p;
    }

    const char *next;
    while ((next = spaced_dot(p, end)) != NULL && *next == '.')
        p = next;
    return p + 1;
}

static bool
ends_word(const char *p, const char *end)
{
    return p == end || char_is(p, CHAR_BREAKER) || char_space(p) > 0 || begins_run(p, end);
}

/* The end of the token that begins at p. */
static const char *
token_end(const char *p, const char *end)
{
    if (begins_run(p, end))
        return run_end(p, end);
    if (char_is(p, CHAR_LONER))
        return p + 1;

    p += char_bytes(p);
    while (!ends_word(p, end) && !(*p == ',' && ends_word(p + 1, end)))
        p += char_bytes(p);
    return p;
}

/* "A." */
static bool
is_initial(const char *token, const char *token_end)
{
    return token + char_bytes(token) + 1 == token_end && char_is_letter(token);
}

/* "1." or ".5." or "1,000.00." */
static bool
is_number(const char *token, const char *token_end)
{
    const char *p = *token == '.' ? token + 1 : token;
    if (p == token_end || !char_is_digit(p))
        return false;
    while (p < token_end && (char_is_digit(p) || *p == ',' || *p == '.' || *p == '-'))
        p += char_bytes(p);
    return p == token_end;
}

/* True when a sentence ends with the token, given that next follows it. */
static bool
token_ends_sentence(const char *token, const char *token_stop, const char *next, const char *end)
{
    if (token_stop == token + 1 && char_is(token, CHAR_END_MARK))
        return true;
    if (token_stop[-1] != '.' || token_stop[-2] == '.')
        return false;

    bool initial = is_initial(token, token_stop);
    if (!initial && !is_number(token, token_stop))
        return true;
    if (strchr(";:,.!?", *next) != NULL && token_end(next, end) == next + 1)
        return false;
    return !char_is_lower(next) && !(initial && char_is_upper(next));
}

/* The end of the word behind the spaces, or of the breaker, that follows the mark. */
static const char *
context_end(const char *mark, const char *end)
{
    if (char_is(mark + 1, CHAR_BREAKER))
        return mark + 2;

    const char *p = chars_skip_spaces(mark + 1, end);
    while (p < end && char_space(p) == 0)
        p += char_bytes(p);
    return p;
}

bool
punkt_ends_sentence(const char *word, const char *mark, const char *end, const char **sure)
{
    const char *context = context_end(mark, end);
    const char *token = chars_skip_spaces(word, context);

    while (token < context)
    {
        const char *token_stop = token_end(token, context);
        const char *next = chars_skip_spaces(token_stop, context);

        if (next < context && token_ends_sentence(token, token_stop, next, context))
        {
            *sure = next + REACH_BYTES;
            return true;
        }
        token = next;
    }
    return false;
}

void
punkt_begin(Punkt *punkt, const char *start, const char *end)
{
    *punkt = (Punkt){
        .end = end,
        .scan = start,
        .last_word = start,
        .spaces_after = start,
    };
}

/* The next candidate, NULL after the last. */
static const char *
next_candidate(Punkt *punkt)
{
    const char *p = punkt->scan;
    while (p < punkt->end && !(char_is(p, CHAR_END_MARK) && punkt_is_candidate(p, punkt->end)))
        p++;
    punkt->scan = p < punkt->end ? p + 1 : p;
    return p < punkt->end ? p : NULL;
}

/*
 * The word of a candidate begins behind the last space since the candidate before;
 * without one both are in the same word.  NLTK does not see a space in the very
 * first place, and here only ASCII's spaces count.
 */
static const char *
start_of_word(const Punkt *punkt, const char *mark)
{
    for (const char *p = mark; p > punkt->spaces_after + 1; p--)
        if (char_is(p - 1, CHAR_ASCII_SPACE))
            return p;
    return punkt->last_word;
}

bool
punkt_next(Punkt *punkt, SentenceEnd *found)
{
    for (;;)
    {
        const char *mark = next_candidate(punkt);
        const char *word = mark != NULL ? start_of_word(punkt, mark) : NULL;
        *found = (SentenceEnd){.mark = punkt->last_mark, .word = punkt->last_word};

        if (mark != NULL)
        {
            punkt->last_mark = mark;
            punkt->last_word = word;
            punkt->spaces_after = mark;
        }
        else
            punkt->last_mark = NULL;

        bool last_of_word = found->mark != NULL && (mark == NULL || found->mark <= word);
        if (last_of_word && punkt_ends_sentence(found->word, found->mark, punkt->end, &found->sure))
        {
            found->next = punkt_next_start(found->mark, punkt->end);
            return true;
        }
        if (mark == NULL)
        {
            found->mark = NULL;
            return false;
        }
    }
}
