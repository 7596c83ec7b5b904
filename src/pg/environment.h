/*
 * environment.h - how a program of PostgreSQL's own finds the server of a session.
 *
 * What a session was opened with, its password included, as variables that libpq reads.  They go
 * into the program's environment, which only its own user can see, and never into its arguments.
 */
#pragma once

#include "pg/pg.h"

/* "NAME=value", NULL-terminated, yours: all that the program needs, and nothing else of our own
 * environment but what finds programs and files. */
char **pg_environment(const Pg *pg);
