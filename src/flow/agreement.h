/*
 * agreement.h - which run a command is, and what its user has agreed to.
 *
 * Both are hashes: the same command resumes the same run, and asks nobody again as long
 * as what it would embed is what was agreed to.
 */
#pragma once

#include "base/settings.h"
#include "model/plan.h"

/*
 * Of command, source, target and selection.  `space` is what is known of the embedder without
 * asking it.  Yours.
 */
char *agreement_run_id(
    const Settings *settings, const char *catalogue, const char *store_identity, const char *space);

/*
 * Of what is going to be embedded and how large it is, and of rows that go.  A bot that was
 * embedded meanwhile is kept, or blocked when it was loaded in part, and still counts.  Yours.
 */
char *agreement_hash(const Settings *settings, const Plan *plan);

/* VF_ERROR_MISMATCH when a plan from a file was made for another store, embedder or splitter. */
bool agreement_check(const Plan *agreed, const Plan *now, GError **error);

/*
 * Why a bot that may be embedded or removed now is not what was agreed, by that plan's
 * plan_index(): another action, knowledge that was edited, files of another size, a price above the
 * plan's highest. Yours; NULL when it is.
 */
char *agreement_objection(GHashTable *agreed, const PlannedBot *bot);
