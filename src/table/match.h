/*
 * match.h - finds the target's table for each of the source's, and says what stands in the way.
 */
#pragma once

#include "model/table.h"
#include "pg/pg.h"

/*
 * The target's tables (of `targets`, an array of Table) in the order of the source's, borrowed; the
 * array is yours.  VF_ERROR_MISMATCH when a table or column is missing, or a column is of another
 * type or of narrower limits.
 */
GPtrArray *tables_match(const GPtrArray *sources, const GPtrArray *targets, GError **error);

/*
 * Whether rows may be written without side effects.  When triggers and foreign keys cannot be
 * silenced (`as_replica` false), tables that have some are refused: VF_ERROR_DENIED.  Privileges
 * that are missing, too.
 */
bool tables_check_writing(Pg *target, const GPtrArray *targets, bool as_replica, GError **error);
