/*
 * worker_embed.h - chunks to vectors, by more threads than calls may be in flight.
 *
 * A gate lets no more of them call.  The others prepare their batches, or write down what they
 * brought, so that a call's place is taken again as soon as it is free.
 */
#pragma once

#include "flow/worker.h"

/* A thread's life, with the Work: batches through the provider, until there are no more. */
void *worker_embed(void *work);

/* One thread fewer.  The last one to leave tells the stager that nothing more comes. */
void worker_leave_callers(Work *work);
