/*
 * create_store.h - makes the guide's schema in a new store.
 */
#pragma once

#include "base/cancel.h"
#include "base/notes.h"
#include "base/settings.h"

/* The store's address for people, yours.  A dry run looks whether it could, and makes nothing.
 * `notes` hears of long waits. */
char *flow_create_store(
    const Settings *settings, int dimensions, bool dry_run, const Notes *notes, Cancel *cancel,
    GError **error);
