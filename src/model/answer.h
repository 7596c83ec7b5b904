/*
 * answer.h - one chunk that answers a question.
 */
#pragma once

#include <glib.h>

typedef struct
{
    double distance; /* NAN where the store knows none: a row without vector */
    char *source;    /* "" for NULL, as the text */
    char *text;
} Answer;

void answer_free(Answer *answer);
