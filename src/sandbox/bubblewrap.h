/*
 * bubblewrap.h - how bwrap is called.
 */
#pragma once

#include "sandbox/sandbox.h"

/* Where the child finds the filter. */
#define BUBBLEWRAP_FILTER_FD 3

/* The path of bwrap, yours; NULL when it is not installed. */
char *bubblewrap_path(void);

/* The arguments that run the program (at that resolved path) in namespaces of its own. */
char **bubblewrap_argv(const char *program, const SandboxJob *job);

/* bwrap says what it could not do, so; a program of ours that begins so only spoils its own
 * result. */
bool bubblewrap_complains(const char *talk);
void bubblewrap_set_error(GError **error, const char *program, const char *talk);
