/*
 * plan_file.h - keeps a plan where the user wishes.
 */
#pragma once

#include "base/json.h"

#include <stdbool.h>

/*
 * Writes the plan to the path.  A file is whole or as it was before; a link is followed, and what
 * is no file - a pipe, a device - is written to and stays what it is.
 */
bool plan_file_write(const Json *plan, const char *path, GError **error);
