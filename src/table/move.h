/*
 * move.h - copies one part: rows and mark in one transaction of the target.
 *
 * The rows go by in the server's binary form (or, where a type has none that means the same in
 * another cluster, as text) and are not looked at.  What arrived must be as many rows as were
 * read, and as many as the fingerprint counted.
 *
 * After an error both sessions are good for nothing but pg_close().
 */
#pragma once

#include "model/table.h"
#include "pg/pipe.h"
#include "table/copy_run.h"

typedef struct
{
    const Table *table;  /* in the source */
    const Table *target; /* the same in the target */
    const Part *part;
    const char *origin; /* as in PartMark */
} Move;

typedef struct
{
    gint64 rows;
    gint64 bytes;
    bool landed_before; /* an attempt of which nobody knew had committed it */
} Moved;

bool move_part(
    Pg *source, Pg *target, const CopyRun *run, const Move *move, const PipeListener *listener,
    Moved *moved, GError **error);
