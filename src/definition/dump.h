/*
 * dump.h - the definitions of a database, as pg_dump tells them.
 *
 * Without owners and places on disk, which belong to a cluster.  The schema `vecferry` is passed
 * over, and so are tables that the role may not read: pg_dump would stop at the first.
 */
#pragma once

#include "definition/definition.h"
#include "definition/tool.h"
#include "pg/pg.h"

/*
 * An array of Definition in the order in which they can be made; yours.  `snapshot` is the name of
 * one that is held elsewhere, NULL for none.
 */
GPtrArray *definitions_dump(
    const Tool *tool, Pg *pg, const char *snapshot, Cancel *cancel, GError **error);
