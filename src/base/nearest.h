/*
 * nearest.h - the name that somebody probably meant.
 */
#pragma once

/* The candidate with the smallest edit distance; NULL when there are none.  Borrowed. */
const char *nearest(const char *word, char *const *candidates);
