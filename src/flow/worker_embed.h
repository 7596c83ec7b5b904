/*
 * worker_embed.h - chunks to vectors, by as many threads as calls may be in flight.
 */
#pragma once

#include "flow/worker.h"

/* A thread's life, with the Work: batches through the provider, until there are no more. */
void *worker_embed(void *work);

/* One thread fewer.  The last one to leave tells the stager that nothing more comes. */
void worker_leave_callers(Work *work);
