/*
 * run_json.h - a run as plain JSON: what `status --json` and `apply --json` print.
 *
 * {"run", "kind", "state", "bots": [{"user", "bot", "state", "evidence", "attempts", "task",
 * "chunks", "reason", …}], "total": {…}}.  Members may be added; these stay.  What is not
 * known is null.
 */
#pragma once

#include "base/json.h"
#include "model/run.h"

/* `now_ms` is since the epoch.  Yours. */
Json *run_to_json(const RunProgress *run, gint64 now_ms);
