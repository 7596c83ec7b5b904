/*
 * show_run.h - what came of a run, for people, on stdout.
 */
#pragma once

#include "model/run.h"

/* One line for all, then a table of the bots that failed or were skipped, with reasons. */
void show_run(const RunProgress *run);
