/*
 * graphemes.h - what a reader takes for one character: a letter with its accents,
 * an emoji with its joiners.
 */
#pragma once

#include <glib.h>

typedef struct Graphemes Graphemes;

/* VF_ERROR_FAILED when ICU lacks its data. */
Graphemes *graphemes_new(GError **error);
void graphemes_free(Graphemes *graphemes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Graphemes, graphemes_free)

/* Turns to a text, which is borrowed until the next one. */
void graphemes_begin(Graphemes *graphemes, const char *start, const char *end);

/* The end of the next one; the end of the text after the last. */
const char *graphemes_next(Graphemes *graphemes);
