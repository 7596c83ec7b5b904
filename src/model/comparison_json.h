/*
 * comparison_json.h - a comparison as JSON: what `verify --json` prints for two databases.
 */
#pragma once

#include "base/json.h"
#include "model/comparison.h"

/*
 * {"equal", "proven", "level", "source", "target", "tables": [{"table", "rows_old", "rows_new",
 * "equal", "differences": [{"key", "kind", …}], …}], …}.  "equal" of a table whose rows could not
 * be compared is null, unless something else differs.  Yours.
 */
Json *comparison_to_json(const Comparison *comparison);
