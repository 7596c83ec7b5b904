/*
 * plan.h - for every bot one action with its reason, time and cost.  Pure data.
 */
#pragma once

#include "model/bot.h"
#include "model/document.h"

typedef enum
{
    ACTION_KEEP,    /* the new store holds every source already */
    ACTION_COPY,    /* the old store holds good rows */
    ACTION_EMBED,   /* rows are missing, damaged or of another space */
    ACTION_NONE,    /* there is no knowledge to load */
    ACTION_REMOVE,  /* there is none any more, and rows of ours stand there */
    ACTION_BLOCKED, /* it cannot work; the reason says why and what would help */
    ACTION_ORPHAN,  /* rows whose bot is not in the catalogue */
    ACTION_COUNT,
} Action;

const char *action_name(Action action);
bool action_from_name(const char *name, Action *action);

typedef struct
{
    double low;
    double expected;
    double high;
} Estimate;

typedef struct
{
    char *label; /* as the rows' source column will say */
    Action action;
    char *reason;
    gint64 bytes;   /* -1 unknown */
    bool stands;    /* of a bot to embed: this one's rows stay, and cost nothing */
    bool may_stand; /* likewise, if its text turns out to be the same */
} PlannedSource;

typedef struct
{
    Bot *bot; /* NULL for an orphan, and in a plan that was read from a file */
    char *user;
    char *id;
    char *title;
    char *fingerprint;
    Action action;
    char *reason;
    GPtrArray *sources; /* of PlannedSource */
    gint64 rows;        /* in the new store now */
    gint64 marked_ms;   /* when we last loaded it; -1 never.  Not in a plan's file */
    Estimate chunks;    /* of what is to be embedded; 0 for other actions */
    Estimate tokens;
    Estimate usd;     /* negative when the price is not known */
    Estimate seconds; /* one worker at it */
} PlannedBot;

/* One way to fill the new store. */
typedef struct
{
    const char *name; /* "embed", "copy", "follow" */
    bool possible;
    bool recommended;
    Estimate usd; /* negative unknown */
    Estimate seconds;
    const char *stop; /* of the service */
    const char *risk;
    const char *needs; /* what must be there first; for an impossible one what is missing */
} Method;

typedef struct
{
    char *id;
    gint64 created_ms;
    char *catalogue;
    char *new_store; /* address without password */
    char *store_identity;
    char *space;
    char *splitter;
    char *price;     /* where the price comes from, for people */
    bool rehearsal;  /* the embedder is only for trying */
    int dimensions;  /* of the model's vectors */
    bool asks_model; /* the store told the dimensions: whether the model agrees is to be asked */
    char *run;       /* the run that carries it out */
    GPtrArray *bots; /* of PlannedBot */
    GArray *methods; /* of Method */
    Estimate chunks;
    Estimate tokens;
    Estimate usd;
    Estimate seconds; /* wall clock, all workers together */
} Plan;

PlannedBot *planned_bot_new(const char *user, const char *id, const char *title);
void planned_bot_free(PlannedBot *bot);
PlannedSource *planned_source_new(const char *label, Action action, const char *reason);

Plan *plan_new(void);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

guint plan_count(const Plan *plan, Action action);

/* The plan's bots by their names, for plan_find(); borrows the bots.  Yours. */
GHashTable *plan_index(const Plan *plan);

/* The bot of that name; NULL when there is none. */
PlannedBot *plan_find(GHashTable *index, const char *user, const char *id);
