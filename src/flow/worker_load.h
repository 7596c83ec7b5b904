/*
 * worker_load.h - the end of a bot: its staged rows become its rows.
 */
#pragma once

#include "flow/worker.h"

/* True in `adopted` when another worker loaded the very same since the plan was made. */
bool worker_adopt(Work *work, bool *adopted, GError **error);

/*
 * Tells how each source fared, and replaces the bot's rows unless something is missing that must
 * not be.  False with the reason then, and also when the bot is loaded in part only.
 */
bool worker_load(Work *work, GError **error);
