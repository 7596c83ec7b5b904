/*
 * worker_watch.h - sees to it that no wait of a worker outlasts the user's wish.
 */
#pragma once

#include "flow/worker.h"

/*
 * A thread's life, with the Work.  Hands the user's wish on: nothing new is begun, what is paid for
 * is kept for as long as that takes, but not longer.  After a failure, too, calls under way are not
 * waited for without end.
 */
void *worker_watch(void *work);
