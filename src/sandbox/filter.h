/*
 * filter.h - the system calls that remain, as a seccomp program.
 */
#pragma once

#include <glib.h>
#include <linux/filter.h>
#include <stdbool.h>

/*
 * What a program needs to start, read its files and compute, in an unnamed file (as
 * bubblewrap wants it).  -1 when it cannot be made.
 */
int filter_for_program(GError **error);

/* The same, and what a host needs: to fork, to take jobs, and to end with its parent. */
int filter_for_host(GError **error);

/* The program in that file, in memory that is yours. */
bool filter_read(int fd, struct sock_fprog *filter, GError **error);
