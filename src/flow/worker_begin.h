/*
 * worker_begin.h - everything that a worker needs, before any money is spent.
 */
#pragma once

#include "flow/worker.h"

/* Makes the stages, opens the store, and lists the sources with what is staged of them already. */
bool worker_begin(Work *work, GError **error);

/* Frees what the work owns, however far it came. */
void worker_end(Work *work);
