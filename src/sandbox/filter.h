/*
 * filter.h - the system calls that remain, as a seccomp program.
 */
#pragma once

#include <glib.h>

/*
 * What a program needs to start, read its files and compute, in an unnamed file (as
 * bubblewrap wants it).  -1 when it cannot be made.
 */
int filter_for_program(GError **error);
