/*
 * verification_json.h - a verification as JSON: what `verify --json` prints.
 */
#pragma once

#include "base/json.h"
#include "model/verification.h"

/*
 * {"equal", "level", "tables": [{"table", "rows_old", "rows_new", "equal", …}], "bots": [{"bot",
 * "rows_old", "rows_new", "equal", …}], "findings": [{"bot", "source", "kind", "difference",
 * "rows", "message"}], …}.  At the level "counts" there is no old store: rows_old is null.  Yours.
 */
Json *verification_to_json(const Verification *verification);
