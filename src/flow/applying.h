/*
 * applying.h - a run while it is carried out, as its parts share it.
 *
 * The story: begin_run.h writes down what will be done; work_through.h gives every job
 * its turn, by start_job.h, hear_worker.h and end_job.h; end_run.h ends it.  What came of
 * a job is asked of the store (ask_store.h), never of its worker.
 *
 * Nothing here knows what a worker is but stage_launcher() and the Launcher that it gives.
 * Workers that outlive a run would be taken over between begin_jobs() and work_through():
 * the ledger knows the intents of a bot that is not done, and an Attempt made of such an
 * intent, with its job `working`, is waited for and ended like any other.
 *
 * All of it belongs to one thread.
 */
#pragma once

#include "base/intent.h"
#include "base/retry.h"
#include "base/settings.h"
#include "catalogue/catalogue.h"
#include "flow/apply_listener.h"
#include "launch/launcher.h"
#include "state/ledger.h"
#include "store/store.h"

/* One worker's work at a bot. */
typedef struct
{
    Intent intent;      /* by which ledger, launcher and mark know it */
    gint64 deadline_us; /* of the time limit */
    gint64 asked_us;    /* when the worker was asked to stop; 0: it was not */
    bool timed_out;
    bool final_said;
    gint64 tokens_before; /* billed to the bot by earlier attempts */
} Attempt;

/* A bot that is to be embedded. */
typedef struct
{
    const PlannedBot *planned;
    BotProgress *progress; /* the run's */
    bool working;
    Attempt attempt;      /* under way, or the last one */
    char *last_words;     /* the reason of the last attempt, its hint included; NULL */
    char *waits_for;      /* what the user was told last that its worker waits for; NULL */
    gint64 not_before_us; /* a retry waits */
    Retry retry;
} Job;

typedef struct
{
    const Settings *settings;
    const ApplyListener *listener;
    Notes notes; /* the listener's */
    Cancel *cancel;
    Plan *plan;
    RunProgress *run;
    Ledger *ledger;
    Launcher *launcher;
    Catalogue *catalogue;
    gint64 unreadable_since_us; /* 0: the catalogue could be read the last time */
    gint64 read_again_us;       /* not before */
    StoreMap map;
    Store *store;    /* reopened when its session is lost */
    bool store_fell; /* a worker heard why it is down: waiting for it is of no use */
    RetryPolicy policy;
    char *meter;
    char *settings_text;
    GArray *jobs; /* of Job, in the plan's order */
    guint working;
    gint64 pause_end_us; /* of the provider's pause that the user was told of */
    GError *stop;        /* what ends the whole run: no key, cap reached, full disk */
} Apply;

void apply_clear(Apply *apply);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Apply, apply_clear)

/* A sentence for the person who watches. */
void apply_note(const Apply *apply, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Something changed: the person who watches sees the run as it stands. */
void apply_tell(Apply *apply);

/* The run gets what was spent so far, by its meter. */
void apply_read_meter(Apply *apply);

/* How far a bot is, into the ledger, and told. */
bool apply_write_bot(Apply *apply, const BotProgress *progress, GError **error);
