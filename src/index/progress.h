/*
 * progress.h - how far the index builds of some sessions are, as the server tells.
 */
#pragma once

#include "pg/pg.h"

typedef struct
{
    gint64 pid;
    char phase[64];
    gint64 done;
    gint64 total; /* 0: not told */
} BuildProgress;

/* The builds under way in this database: an array of BuildProgress, yours. */
GArray *index_progress(Pg *pg, GError **error);
