/*
 * make.h - from what should be and what is, the plan.  Touches nothing.
 */
#pragma once

#include "model/observation.h"
#include "model/plan.h"
#include "plan/estimate.h"

/* How one source looked from outside. */
typedef struct
{
    char *label;
    DocumentFacts facts;
    char *problem; /* why it cannot be loaded; NULL when it is there */
} SourceLook;

typedef struct
{
    GPtrArray *sources; /* of SourceLook, in the bot's order; empty when nobody looked */
    int longest_chunk;  /* characters that one chunk of this bot may have */
    int chunk_size;     /* as the splitter will use it */
    int chunk_overlap;
} BotLook;

BotLook *bot_look_new(void);
void bot_look_free(BotLook *look);
SourceLook *source_look_new(const char *label);

typedef struct
{
    const char *catalogue;
    const GPtrArray *bots;    /* of Bot: the selected ones */
    const GPtrArray *all;     /* of Bot: the whole catalogue, the very same objects */
    const GPtrArray *looks;   /* of BotLook, one for each bot */
    GHashTable *known;        /* set of all bot ids of the catalogue; NULL: no orphans wanted */
    const Observation *store; /* the new store */
    const char *space;
    const char *splitter;
    gint64 max_characters; /* the model's limit for one text; 0 none */
    bool rehearsal;
    bool allow_partial;
    const char *price_origin;
    EstimateRules rules;
    gint64 now_ms;
} PlanInput;

/* Yours. */
Plan *plan_make(const PlanInput *input);
