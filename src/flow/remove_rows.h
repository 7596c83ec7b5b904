/*
 * remove_rows.h - a job that needs no worker: the bot's rows go.
 */
#pragma once

#include "flow/applying.h"

/* Removes what the plan said, and ends the job. */
bool remove_rows(Apply *apply, Job *job, GError **error);
