/*
 * verify_stores.h - the form of `vecferry verify` that compares two databases.
 */
#pragma once

#include "cli/command.h"

/* Whether the arguments ask for it: they name a source, a target, or the level "rows". */
bool asks_for_stores(char *const *arguments);

bool command_verify_stores(const Invocation *invocation, ExitStatus *status, GError **error);
