/*
 * end_job.h - what came of a job: done, to be tried again, failed or skipped.
 */
#pragma once

#include "flow/applying.h"

/*
 * The worker of the job is gone; `how` says how, NULL when it ended well.  Whether it succeeded is
 * asked of the store.  A failure that every other bot would meet too becomes `apply->stop`.
 */
bool end_job(Apply *apply, Job *job, const char *how, GError **error);

/* The bot's rows are in the store. */
void succeed_job(Job *job, bool complete, gint64 rows);

/* The attempt failed: the job is tried again later, or has had its turn. */
void fail_job(Apply *apply, Job *job, const GError *failure);

/* The bot has had its turn without an attempt. */
bool skip_job(Apply *apply, Job *job, const GError *why, GError **error);
