/*
 * extensions.h - compares the extensions of both ends.
 */
#pragma once

#include "definition/definition.h"
#include "pg/pg.h"

/*
 * `notes` gets which ones are older in the target than in the source.  VF_ERROR_MISMATCH when the
 * extension vector lives in another schema there: definitions name its types with the schema.
 */
bool extensions_compare(
    Pg *source, Pg *target, const GPtrArray *definitions, GPtrArray *notes, GError **error);
