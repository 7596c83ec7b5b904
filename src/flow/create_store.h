/*
 * create_store.h - makes the guide's schema in a new store.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"

/* The store's address for people, yours.  A dry run looks whether it could, and makes nothing. */
char *flow_create_store(
    const Settings *settings, int dimensions, bool dry_run, Cancel *cancel, GError **error);
