/*
 * fault.h - places at which a test lets the process die, or somebody else.
 *
 * `VECFERRY_FAULT=after-stage` kills the process (SIGKILL, as a power cut would) at
 * the first pass of that point, `after-stage:7` at the seventh.  The list below is
 * complete: tests take the names from `vecferry fault-points`.
 *
 * With `VECFERRY_FAULT_HOOK=COMMAND` as well the process lives on: it stands at the point until the
 * shell has run the command, which may kill the database server meanwhile.
 */
#pragma once

#include <glib.h>

typedef enum
{
    FAULT_AFTER_PLAN,         /* the plan is agreed, the ledger knows nothing yet */
    FAULT_AFTER_INTENT,       /* the ledger says "launching", no worker runs yet */
    FAULT_AFTER_LAUNCH,       /* the worker runs, the ledger does not know */
    FAULT_BEFORE_LEDGER_DONE, /* the worker's success was heard, not written down */
    FAULT_AFTER_RESERVE,      /* money is reserved, the provider not yet called */
    FAULT_AFTER_EMBED,        /* the provider was paid, the vectors are not staged */
    FAULT_AFTER_STAGE,        /* a batch of vectors is staged */
    FAULT_BEFORE_REPLACE,     /* all is staged, the old rows still stand */
    FAULT_INSIDE_REPLACE,     /* the old rows are deleted in the open transaction */
    FAULT_AFTER_REPLACE,      /* rows and mark are committed, nobody was told */
    FAULT_INSIDE_INDEX,       /* the store's index is being built */
    FAULT_BEFORE_PART,        /* a part of a copy is announced, none of its rows is read */
    FAULT_INSIDE_PART,        /* its rows and its mark are written in the open transaction */
    FAULT_AFTER_PART,         /* they are committed, nobody was told */
    FAULT_INSIDE_FORGET,      /* parts that no longer hold are deleted in the open transaction */
    FAULT_AFTER_PARTS,        /* all rows are copied, sequences and the rest are not */
    FAULT_INSIDE_DEFINITIONS, /* one more definition is made in the open transaction before the rows
                               */
    FAULT_AFTER_DEFINITIONS,  /* all of them are committed, no row is read */
    FAULT_INSIDE_DEFINITION,  /* a key, constraint or trigger is made in the open transaction */
    FAULT_COUNT,
} FaultPoint;

/* "after-plan", …; NULL from FAULT_COUNT on. */
const char *fault_name(FaultPoint point);

/* Dies here, or waits for the hook, if the environment says so. */
void fault_point(FaultPoint point);
