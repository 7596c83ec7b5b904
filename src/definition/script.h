/*
 * script.h - takes the script that pg_restore writes apart, one definition at a time.
 */
#pragma once

#include "definition/definition.h"

/*
 * Adds the definitions of a script (of `pg_restore --verbose`, which tells numbers) to an array of
 * Definition.  What stands before the first one sets up a session, and is passed over.
 */
void script_read(const char *script, bool after_rows, GPtrArray *definitions);

/*
 * The statements of a text, one each, without those that only say who speaks: an array of char *,
 * yours.  Quotes and dollar quotes are understood.
 */
GPtrArray *script_statements(const char *text);
