/*
 * intent.h - the permission to create something in the outside world.
 *
 * Whatever starts a task, makes a slot or a cluster takes an Intent, and only
 * ledger_intend() makes one: so that everything created was written down before.
 */
#pragma once

#include <glib.h>

typedef struct
{
    gint64 id;     /* in the ledger */
    char name[96]; /* of what is created, derived from run and attempt: "vecferry-RUN-7" */
} Intent;
