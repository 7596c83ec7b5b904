/*
 * verify_stores.h - compares the tables of two databases.  Changes neither.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"
#include "flow/verify_listener.h"

typedef struct
{
    bool rows;              /* false: only their number */
    char *const *tables;    /* patterns, as of tables_describe(), here and below */
    char *const *schemas;   /* likewise */
    char *const *excluded;  /* likewise */
    guint most_differences; /* that are named of each table */
    double throttle;        /* bytes that are read in a second of each side; 0: as fast as can be */
} VerifyStoresOptions;

/*
 * Each side is read in a snapshot of its own, in read-only transactions, both at once.  A table
 * whose rows cannot be read has a problem; only what concerns all of them is an error.  Yours.
 */
Comparison *flow_verify_stores(
    const Settings *settings, const VerifyStoresOptions *options, const VerifyListener *listener,
    Cancel *cancel, GError **error);
