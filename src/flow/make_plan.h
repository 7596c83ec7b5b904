/*
 * make_plan.h - looks at catalogue, documents and store, and makes the plan.  Changes nothing.
 *
 * A model whose dimensions neither the user nor the store's column tells is asked (ask_model.h).
 */
#pragma once

#include "base/cancel.h"
#include "base/notes.h"
#include "base/settings.h"
#include "model/plan.h"

/*
 * With `agreed` (else NULL) only of that plan's bots; one that the catalogue no longer has is
 * blocked.  `notes` hears of long waits.
 */
Plan *flow_make_plan(
    const Settings *settings, const Plan *agreed, const Notes *notes, Cancel *cancel,
    GError **error);

/* Reads a plan that `plan -o` kept. */
Plan *flow_load_plan(const char *path, GError **error);
