/*
 * work_through.h - gives every job its turn, so many at a time.
 */
#pragma once

#include "flow/applying.h"

/*
 * Returns when no worker is left and no job waits for one, when `apply->stop` ended the run, or
 * when it was interrupted.
 */
bool work_through(Apply *apply, GError **error);
