/*
 * session.h - lends a session what an index build needs, until it is given back.
 */
#pragma once

#include "index/memory.h"
#include "pg/pg.h"

/*
 * Sets memory and workers of the session; with `serial` no workers, whose memory is shared and must
 * be had in one piece.  `means`, unless NULL, gets what was lent.  VF_ERROR_FAILED when the server
 * does not let itself be asked.
 */
bool index_lend(
    Pg *pg, const IndexShape *shape, gint64 limit, guint at_a_time, bool serial, IndexMeans *means,
    GError **error);
void index_give_back(Pg *pg);

/* True for a failure after which a serial build may succeed. */
bool index_wants_serial(const GError *error);
