/*
 * worker_session.h - a worker's session with the store, in which its bot is locked.
 */
#pragma once

#include "flow/worker.h"

/* The store is the one that was planned, takes what this embedder makes, and the bot is ours. */
bool worker_open_store(Work *work, GError **error);

/* A new session instead of a lost one.  Without it the store and the staging are NULL. */
bool worker_reopen_store(Work *work, GError **error);

void worker_close_store(Work *work);
