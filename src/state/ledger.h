/*
 * ledger.h - what a run has asked of the outside world, and what came of it.
 *
 * One SQLite file a run, `RUN.db` in the state folder, and beside it a lock: who
 * holds the lock works at the run, so a run that says "running" without a holder was
 * interrupted.  What landed in a store is recorded there (vecferry.mark), not here.
 */
#pragma once

#include "base/intent.h"
#include "model/run.h"

#include <stdbool.h>

typedef struct Ledger Ledger;

/* $XDG_STATE_HOME/vecferry, or what --state says.  Yours. */
char *ledger_folder(const char *setting);

/* FOLDER/RUN.db, FOLDER/RUN.meter.  Yours. */
char *ledger_path(const char *folder, const char *run);
char *ledger_meter_path(const char *folder, const char *run);

/*
 * Opens or makes the run's ledger and takes its lock; VF_ERROR_BUSY when somebody else works at the
 * run.
 */
Ledger *ledger_open(const char *folder, const char *run, GError **error);
void ledger_close(Ledger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Ledger, ledger_close)

/*
 * Writes down the run and its bots as they are planned; what is pending in `run` is pending again.
 * Bots known from before keep what they spent and their attempts, and `run` is told.  Bots that are
 * no longer in `run` are no longer in the run.
 */
bool ledger_begin(Ledger *ledger, RunProgress *run, GError **error);

/* What the user agreed to, so that a resume need not ask again: the bots' fingerprints in one
 * hash.  NULL when nothing was agreed. */
char *ledger_agreed(Ledger *ledger, GError **error);
bool ledger_agree(Ledger *ledger, const char *bots, GError **error);

/* Before a worker is started for the bot: counts the attempt. */
bool ledger_intend(
    Ledger *ledger, const char *user, const char *bot, Intent *intent, GError **error);

/* It was started as this task ("process 4711"). */
bool ledger_launched(Ledger *ledger, const Intent *intent, const char *task, GError **error);

/* Whether no bot that was ever in the run is anything but succeeded, be the present list as it may.
 */
bool ledger_all_succeeded(Ledger *ledger, bool *all, GError **error);

/* How far a bot is; everything of `bot` but task, attempts and title is written. */
bool ledger_update(Ledger *ledger, const BotProgress *bot, GError **error);

/* All bots had their turn, or `stop` ended the run before (a vf_error_name(); NULL). */
bool ledger_end(Ledger *ledger, RunState state, const char *stop, GError **error);

/* The ids of all runs in the folder, that at which somebody worked last first; NULL-terminated.
 * Yours. */
char **ledger_runs(const char *folder);

/* A run as it stands; from any process at any time.  VF_ERROR_USAGE when it is not there, or was
 * never begun because nobody agreed to it.  Yours. */
RunProgress *ledger_read(const char *folder, const char *run, GError **error);

/* The same with bots that are no longer in the run, because it was begun again with a shorter list.
 */
RunProgress *ledger_read_all(const char *folder, const char *run, GError **error);
