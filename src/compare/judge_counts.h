/*
 * judge_counts.h - what the counts of a store say against what it should hold.  Touches nothing.
 *
 * The splitter may make the same chunk twice of one source (a heading, a notice), so equal texts
 * are no fault by themselves.  A source was loaded more than once when every one of its texts is
 * there at least twice, unless the mark says that its worker wrote just so many; any other
 * repetition is a remark.  A page that is nothing but one repeated text looks like one that was
 * loaded twice, until it has a mark.
 *
 * Vectors that are not of length 1 are a difference where nine of ten are: the rest shows what the
 * model makes.
 */
#pragma once

#include "compare/counts.h"
#include "model/bot.h"
#include "model/verification.h"

/* A bot that should be in the store; all borrowed. */
typedef struct
{
    const Bot *bot;
    char *const *labels; /* of its sources, in their order: what the rows say */
} ExpectedBot;

typedef struct
{
    const Counts *counts;

    /* With a catalogue: the bots to be judged (of ExpectedBot), and all ids that it has, with the
     * number of bots that have it (GUINT_TO_POINTER).  Rows of other bots are orphans. */
    const GPtrArray *expected;
    GHashTable *known; /* NULL without a catalogue */

    /* Without one: bots that should have rows, and bots to be passed over; NULL-terminated or
     * NULL. */
    char *const *named;
    char *const *excluded;
} JudgeInput;

/* Yours; store, table and catalogue are not filled. */
Verification *judge_counts(const JudgeInput *input);
