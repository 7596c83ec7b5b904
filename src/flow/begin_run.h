/*
 * begin_run.h - the run as it begins: its bots, and the jobs that they make.
 */
#pragma once

#include "flow/applying.h"

/* One line for each bot that has a turn; `agreed` is a plan from a file, or NULL.  Yours. */
RunProgress *begin_run(const Apply *apply, const Plan *agreed);

/* One job for each bot that is to be embedded. */
void begin_jobs(Apply *apply);
