/*
 * run.h - how far a run and its bots are.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef enum
{
    BOT_PENDING,   /* not begun, or begun by a run that was interrupted */
    BOT_LAUNCHED,  /* a worker was started and has not spoken yet */
    BOT_RUNNING,   /* a worker speaks */
    BOT_SUCCEEDED, /* every source is in the store */
    BOT_FAILED,    /* the reason says why */
    BOT_SKIPPED,   /* not attempted; the reason says why */
} BotState;

typedef enum
{
    EVIDENCE_NONE,
    EVIDENCE_REPORTED, /* only somebody's status says so */
    EVIDENCE_PROVEN,   /* our worker's mark, or rows seen in the store */
} Evidence;

typedef struct
{
    char *user;
    char *bot;
    char *title;
    BotState state;
    Evidence evidence;
    int attempts;
    char *task;             /* who works at it: "process 4711"; NULL */
    gint64 chunks;          /* loaded or staged so far */
    gint64 reused;          /* of them, paid for by an earlier attempt */
    gint64 tokens;          /* billed */
    gint64 expected_chunks; /* by the plan; -1 unknown */
    double expected_usd;    /* likewise; negative unknown */
    char *code;             /* vf_error_name() of the failure; NULL */
    char *reason;           /* why it failed or was skipped; NULL */
    gint64 started_ms;      /* since the epoch; 0 not yet */
    gint64 ended_ms;
} BotProgress;

BotProgress *bot_progress_new(const char *user, const char *bot, const char *title);
void bot_progress_free(BotProgress *progress);

/* Why it failed or was skipped, on one line and without passwords; both NULL: it did neither. */
void bot_progress_set_reason(BotProgress *progress, const char *code, const char *reason);

typedef enum
{
    RUN_RUNNING,
    RUN_INTERRUPTED, /* nobody works at it; the same command resumes */
    RUN_DONE,        /* every bot succeeded */
    RUN_FAILED,      /* all bots had their turn; some failed or were skipped */
} RunState;

typedef struct
{
    char *id;
    char *kind; /* "apply" */
    RunState state;
    char *stop;     /* vf_error_name() of what ended it before all bots had their turn; NULL */
    char *store;    /* address, without password */
    char *embedder; /* the space */
    gint64 created_ms;
    gint64 ended_ms;      /* 0 while it is not ended */
    gint64 worked_ms;     /* time in which somebody worked at it */
    double usd;           /* spent, reservations in doubt included; negative when unpriced */
    double expected_usd;  /* by the plan; negative unknown */
    double usd_per_token; /* negative unknown */
    gint64 tokens;
    gint64 other_tokens; /* billed by the same meter to bots that are no longer in the run */
    GPtrArray *bots;     /* of BotProgress, in the plan's order */
} RunProgress;

RunProgress *run_progress_new(void);
void run_progress_free(RunProgress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RunProgress, run_progress_free)

guint run_progress_count(const RunProgress *progress, BotState state);

/* Chunks of all bots, loaded or staged. */
gint64 run_progress_chunks(const RunProgress *progress);

/* What the meter says was spent, without what was spent on bots that are no longer in the run. */
void run_progress_set_spent(RunProgress *progress, gint64 tokens, double usd);

/* What the bot's tokens cost; negative unknown. */
double run_progress_usd_of(const RunProgress *progress, const BotProgress *bot);

/* "pending", …; the other way BOT_PENDING for an unknown word. */
const char *bot_state_name(BotState state);
BotState bot_state_from_name(const char *name);
bool bot_state_is_final(BotState state);

const char *run_state_name(RunState state);

/* "proven", "reported"; NULL for none. */
const char *evidence_name(Evidence evidence);
Evidence evidence_from_name(const char *name);
