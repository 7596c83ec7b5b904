/*
 * comparison_renderer.h - shows how far a comparison of two databases is.
 *
 * On a terminal one line is drawn again in its place; elsewhere there is a line every few seconds.
 */
#pragma once

#include "model/comparison.h"

typedef struct ComparisonRenderer ComparisonRenderer;

/* The descriptor is borrowed. */
ComparisonRenderer *comparison_renderer_new(int fd);

/* Borrowed for the call; call it as often as something changes. */
void comparison_renderer_show(ComparisonRenderer *renderer, const Comparison *comparison);

/* A sentence that stays. */
void comparison_renderer_note(ComparisonRenderer *renderer, const char *text);

/* Takes the line away, and frees it.  NULL is none. */
void comparison_renderer_end(ComparisonRenderer *renderer);
