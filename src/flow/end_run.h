/*
 * end_run.h - the end of a run whose bots have had their turn: the index, and the last word.
 */
#pragma once

#include "flow/applying.h"

bool end_run(Apply *apply, GError **error);
