/*
 * tool.h - pg_dump and pg_restore: found, and run.
 */
#pragma once

#include "base/cancel.h"

#include <stdbool.h>

typedef struct
{
    char *folder;
    int version; /* the major one */
} Tool;

void tool_free(Tool *tool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tool, tool_free)

/*
 * The oldest installed one that knows a server of major version `wished`, or else the newest that
 * knows `needed`.  VF_ERROR_FAILED with the package to install when there is none.
 */
Tool *tool_find(int needed, int wished, GError **error);

/*
 * Runs one of its programs to its end (argv[0] is replaced by the path).  `input_fd` -1 is none.  A
 * descriptor of an unnamed file with what it wrote, at its beginning; yours.  -1 when it failed,
 * with its last words.
 */
int tool_run(
    const Tool *tool, const char *program, const char *const *argv, char **environment,
    int input_fd, Cancel *cancel, GError **error);

/* All that an unnamed file holds.  Yours. */
char *tool_text(int fd, GError **error);
