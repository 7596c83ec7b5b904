/*
 * run_status.h - the exit status of a run, whoever tells of it.
 */
#pragma once

#include "cli/command.h"
#include "model/run.h"

/* Of a run that nobody works at any more. */
ExitStatus status_of_run(const RunProgress *run);
