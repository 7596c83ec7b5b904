/*
 * verify_workers.h - hashes the tables of both sides with several sessions, then looks for the rows
 * that differ.
 *
 * A failure that is a table's own becomes its problem; one that may pass is tried again with a new
 * session, as long as the snapshot lives.
 */
#pragma once

#include "compare/pair_tables.h"
#include "flow/verify_listener.h"
#include "flow/verify_sides.h"

typedef struct
{
    bool rows;              /* false: only their number */
    guint most_differences; /* that are named of each table */
    double throttle;        /* bytes in a second of each side; 0: none */
    VerifySide *sides[SIDE_COUNT];
    const GPtrArray *pairs; /* of TablePair */
    Comparison *comparison; /* of which only these threads change what they count */
    gint64 part_bytes;
    guint connections; /* at each side */
    const VerifyListener *listener;
    Cancel *cancel;
} VerifyWork;

/* Fills the comparison. */
bool verify_work(const VerifyWork *work, GError **error);
