/*
 * apply.h - carries out a plan, bot by bot, and can be interrupted anywhere.
 *
 * The truth about a bot is the mark in the store; the ledger remembers what was asked
 * of workers.  The same command resumes: bots whose mark holds are kept, and vectors
 * that were staged are not paid for again.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"
#include "flow/apply_listener.h"

typedef struct
{
    const Plan *agreed; /* a plan from a file: only its bots, only as planned; NULL: plan now */
    bool assume_yes;
    bool dry_run; /* plan and show, nothing more */
} ApplyOptions;

/*
 * The run as it ended, yours; its state is RUN_FAILED when some bots failed or were skipped.  NULL
 * with the error when nothing was done or it was interrupted; NULL without error when the user said
 * no, or for a dry run.
 */
RunProgress *flow_apply(
    const Settings *settings, const ApplyOptions *options, const ApplyListener *listener,
    Cancel *cancel, GError **error);
