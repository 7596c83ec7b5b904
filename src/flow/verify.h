/*
 * verify.h - compares the new store with what it should hold.  Changes nothing.
 */
#pragma once

#include "base/cancel.h"
#include "base/notes.h"
#include "base/settings.h"
#include "model/verification.h"

/*
 * The level "counts": rows by bot and source against the catalogue and our marks; without a
 * catalogue against themselves.  `notes` hears of long waits.  Yours.
 */
Verification *flow_verify(
    const Settings *settings, const Notes *notes, Cancel *cancel, GError **error);
