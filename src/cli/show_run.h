/*
 * show_run.h - what came of a run, for people, on stdout.
 */
#pragma once

#include "model/run.h"

/* Of a run that ended: one line for all, then a table of the bots that failed or were skipped, with
 * reasons. */
void show_run(const RunProgress *run);

/* Of any run: where it stands in all, then a table of its bots. */
void show_status(const RunProgress *run);

/* One JSON object. */
void print_run_json(const RunProgress *run);
