/*
 * show_comparison.h - what came of comparing two databases, for people, on stdout.
 */
#pragma once

#include "model/comparison.h"

/* A table of the tables that differ or could not be compared (with `all` of the others too), the
 * differences, and a line that says what was compared and what came of it. */
void show_comparison(const Comparison *comparison, bool all);
