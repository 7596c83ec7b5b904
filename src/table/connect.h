/*
 * connect.h - sessions for copying: no time limits, and settings under which both ends write and
 * read values alike.
 *
 * Row security is off in the sense of the server: a policy that would hide rows is an error.
 */
#pragma once

#include "pg/pg.h"

/* For reading: names come out with their schema, whatever the role's search path. */
Pg *connect_source(const PgOptions *options, Cancel *cancel, GError **error);

/*
 * For writing.  `as_replica` gets whether triggers and foreign keys stay silent in this session,
 * which not every role may ask for.
 */
Pg *connect_target(const PgOptions *options, bool *as_replica, Cancel *cancel, GError **error);

/* "SYSTEM/DATABASE", what stays the same when the address changes; where the role may not ask for
 * the system's number, the address stands for it.  Yours. */
char *database_identity(Pg *pg, const char *url, GError **error);
