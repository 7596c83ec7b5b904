/*
 * choose.h - which definitions belong to the tables that are copied.
 *
 * Everything is, unless tables or schemas were named: then it is those tables, what they are built
 * on, and what hangs on them alone.  What is left out takes with it whatever needs it.
 *
 * Always left out is what only the source's own cluster is concerned with, or what a managed
 * service refuses: publications, subscriptions, event triggers, comments on extensions.
 */
#pragma once

#include "definition/definition.h"
#include "model/table.h"

/*
 * Sets `left_out` in each of the definitions.  `tables` are those that are copied (of Table, as the
 * dumped database has them); `only_them` when tables or schemas were named.  `notes` gets a
 * sentence (yours) for what a person should know.
 */
void definitions_choose(
    GPtrArray *definitions, const GPtrArray *tables, bool only_them, GPtrArray *notes);
