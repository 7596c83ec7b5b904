/*
 * sequences.h - lets the target's sequences go on where the source's stand.
 */
#pragma once

#include "model/table.h"
#include "pg/pg.h"

/*
 * Sets the sequences that the tables (an array of Table) own or take their defaults from; with
 * `tables` NULL every sequence.  Ask the source after all rows were read: sequences know no
 * snapshots.  With `only_forward` none is set back.  `missing` gets the names, yours, of those that
 * the target does not have.  An identity's sequence is found by its column.
 */
bool sequences_copy(
    Pg *source, Pg *target, const GPtrArray *tables, bool only_forward, GPtrArray *missing,
    GError **error);
