/*
 * sentences.h - cuts a text into sentences.
 *
 * The splitter that we follow cuts every sentence that is too long once more, as
 * if it were a text of its own, and so on.  This tells sentences that need no such
 * second look: the parts are those that the repeated cutting ends with.
 *
 * White space between two sentences belongs to the first.
 */
#pragma once

#include "chunk/punkt.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct
{
    const char *at; /* where the next part begins */
    const char *end;
    size_t size;    /* characters; a longer part is cut once more */
    bool corrected; /* ends at the marks of other scripts, too, and looks only once */

    Punkt punkt;
    const char *sentence_end; /* where the sentence under way ends */
    const char *core;         /* the part of it that the second look leaves whole */
    const char *core_end;
    const char *next_mark; /* corrected: where the marks let a sentence begin */
} Sentences;

/* False when the text is one sentence only. */
bool sentences_begin(
    Sentences *sentences, const char *start, const char *end, size_t size, bool corrected);

/* The end of the next part, which begins at sentences->at; NULL after the last. */
const char *sentences_next(Sentences *sentences);
