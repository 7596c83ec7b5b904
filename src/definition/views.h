/*
 * views.h - materialised views, whose rows are made anew in the target.
 */
#pragma once

#include "definition/definition.h"
#include "pg/pg.h"

/* The quoted names of those among the definitions that hold rows in the source: an array of char *,
 * yours. */
GPtrArray *views_filled(Pg *source, const GPtrArray *definitions, GError **error);

/*
 * Fills them in the target, those first that others read.  `problems` gets a sentence (yours) for
 * each that could not be filled.
 */
bool views_fill(Pg *target, const GPtrArray *names, GPtrArray *problems, GError **error);
