/*
 * punkt.h - where sentences begin, as an untrained Punkt tokenizer sees it.
 *
 * NLTK's PunktSentenceTokenizer without a model knows no abbreviation and no
 * language; what is left of it are a few rules around the marks . ? and !:
 *
 *   - A candidate is a mark with a breaker or with spaces and a word behind it.
 *   - Of the candidates in one word only the last counts.
 *   - It is looked at in its context: from the start of its word to the end of the
 *     next word, or to the breaker.  The context is cut into tokens, and when a
 *     token other than the last ends a sentence, the mark does.
 *   - The next sentence begins behind the spaces, and behind closing quotes and
 *     brackets if those are followed by a space, by "--" or by the end.
 *
 * It works from left to right in linear time and keeps nothing but a few places.
 */
#pragma once

#include <stdbool.h>

typedef struct
{
    const char *mark; /* the . ? or ! that ends the sentence */
    const char *word; /* the start of the word that the mark stands in */
    const char *sure; /* from here on each candidate of that word would end a sentence, too */
    const char *next; /* where the next sentence begins; the end when none follows */
} SentenceEnd;

typedef struct
{
    const char *end;       /* of the text */
    const char *scan;      /* candidates before here are known */
    const char *last_mark; /* the last candidate, NULL before the first */
    const char *last_word;
    const char *spaces_after; /* a space that ends a word is looked for behind here */
} Punkt;

void punkt_begin(Punkt *punkt, const char *start, const char *end);

/* Finds the next end of a sentence.  False when the rest of the text has none to tell. */
bool punkt_next(Punkt *punkt, SentenceEnd *found);

/* The single rules, for who must apply them once more.  The text ends at end. */
bool punkt_is_candidate(const char *mark, const char *end);
bool punkt_ends_sentence(const char *word, const char *mark, const char *end, const char **sure);
const char *punkt_next_start(const char *mark, const char *end);
