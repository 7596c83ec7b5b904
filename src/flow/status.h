/*
 * status.h - where a run stands, by its ledger; whoever works at it is not disturbed.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"
#include "model/run.h"

/* The run of that name, or for NULL the latest.  VF_ERROR_USAGE for a run that is not there,
 * VF_ERROR_FAILED when there is none at all.  Yours. */
RunProgress *flow_status(const Settings *settings, const char *name, GError **error);

typedef struct
{
    /* The run as it stands now, borrowed for the call. */
    void (*show)(void *data, const RunProgress *run);
    void *data;
} WatchListener;

/* The same again and again until nobody works at the run any more; then as it ended.
 * VF_ERROR_CANCELLED when the watching is interrupted. */
RunProgress *flow_watch(
    const Settings *settings, const char *name, const WatchListener *listener, Cancel *cancel,
    GError **error);
