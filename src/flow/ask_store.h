/*
 * ask_store.h - asks the new store what came of a job.
 *
 * The session is opened again when it was lost, and the question asked again.
 */
#pragma once

#include "flow/applying.h"
#include "store/mark.h"

/* Opens `apply->store`, or opens it again when its session is lost.  Waits two minutes for a server
 * that is away, but not when `apply->store_fell`. */
bool reach_store(Apply *apply, GError **error);

/* A question failed because the session was lost over it, for the so-manieth time: another try may
 * help. */
bool ask_store_again(const Apply *apply, int tries);

/* Whether the rows of this very attempt arrived, whatever its worker said or could not say. */
bool ask_store(Apply *apply, const Job *job, WorkersMark *mark, GError **error);

/* Whether another run has loaded the bot after this one's plan was made. */
bool ask_for_newer(Apply *apply, const Job *job, bool *found, gint64 *rows, GError **error);
