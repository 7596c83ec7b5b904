/*
 * worker_read.h - documents to chunks, in batches as large as a call may be.
 */
#pragma once

#include "flow/worker.h"

/* A thread's life, with the Work: every source is read and cut; what is staged is passed over. */
void *worker_read(void *work);
