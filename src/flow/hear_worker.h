/*
 * hear_worker.h - what a worker says of its own work.
 *
 * It is good for showing progress and for the reason of a failure.  It decides nothing: a
 * worker may say nothing at all, and end_job() asks the store.
 */
#pragma once

#include "flow/applying.h"

bool hear_worker(Apply *apply, Job *job, const WorkEvent *event, GError **error);
