/*
 * start_job.h - a job's turn: its bot is read again, and a worker gets it.
 */
#pragma once

#include "flow/applying.h"

/*
 * Afterwards the job is working, or ended because its bot changed or another run was faster, or as
 * pending as before because the catalogue cannot be read for the moment.
 */
bool start_job(Apply *apply, Job *job, GError **error);
