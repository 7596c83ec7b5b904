/*
 * ask_model.h - the one question to a model of which nobody knows how long its vectors are.
 *
 * It costs a few tokens.  They are reserved in the run's meter before it is asked, and the answer
 * is kept there, so that a run asks once.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"

/* VF_ERROR_DENIED when the cap does not allow it. */
bool ask_model(
    const Settings *settings, const char *run, Cancel *cancel, int *dimensions, GError **error);
