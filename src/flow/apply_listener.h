/*
 * apply_listener.h - whoever watches a run while it is carried out, and is asked before.
 */
#pragma once

#include "model/plan.h"
#include "model/run.h"

typedef struct
{
    /* Shows the plan and asks; false: the user does not want it. */
    bool (*confirm)(void *data, const Plan *plan);

    /* Something changed; the run is borrowed and changes again afterwards. */
    void (*progress)(void *data, const RunProgress *run);

    /* A sentence for the person who watches. */
    void (*note)(void *data, const char *text);

    /* The failure that ended the run before all bots had their turn; once, after the last progress.
     */
    void (*stopped)(void *data, const GError *why);
    void *data;
} ApplyListener;
