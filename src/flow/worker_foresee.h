/*
 * worker_foresee.h - a quick look at all files of a bot before the first of them is paid for.
 */
#pragma once

#include "flow/worker.h"

/*
 * Where a bot must be whole, a file that can never be read fails here, so that nothing is paid for
 * the others.  Pages are not loaded twice for this.
 */
void worker_foresee(Work *work);
