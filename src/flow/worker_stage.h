/*
 * worker_stage.h - vectors to the staging: from then on they are never paid for again.
 */
#pragma once

#include "flow/worker.h"

/* Stages what the callers bring, until nothing more comes or there is nowhere to put it. */
void worker_stage(Work *work);
