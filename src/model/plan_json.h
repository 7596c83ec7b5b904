/*
 * plan_json.h - a plan as JSON: what `plan --json` prints and `plan -o` keeps.
 */
#pragma once

#include "base/json.h"
#include "model/plan.h"

/* Yours. */
Json *plan_to_json(const Plan *plan);

/*
 * Reads what plan_to_json() made; VF_ERROR_USAGE when it is something else.  Of the bots only what
 * `apply` compares comes back: names, fingerprints, actions, rows, the sources' bytes, and how high
 * tokens and dollars may be; numbers that it does not say are -1.
 */
Plan *plan_from_json(const Json *json, GError **error);
