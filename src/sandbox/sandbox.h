/*
 * sandbox.h - runs a program that can do nothing but its work.
 *
 * The program reads one descriptor and writes text.  It has no network, no secrets in
 * its environment, no other descriptors, cannot write files or start processes, and is
 * killed when it needs more time, memory or output than it was given.
 *
 * There are three modes:
 *
 *   bubblewrap  its own namespaces (files, network, processes, …), made by bwrap
 *   plain       for places without user namespaces (ECS, Lambda): another user when we
 *               are root, no privileges, and Landlock for files where the kernel has it
 *   off         limits only; never chosen unless named
 *
 * In the first two a seccomp filter lists the system calls that remain; in all three
 * there are limits on processor time, memory, files and descriptors.
 */
#pragma once

#include "base/cancel.h"

#include <stdbool.h>

typedef enum
{
    SANDBOX_BUBBLEWRAP,
    SANDBOX_PLAIN,
    SANDBOX_OFF,
} SandboxMode;

/*
 * The mode of that name; "auto" is bubblewrap where that works, tried once in the life
 * of the process, else plain.  An unknown name is VF_ERROR_USAGE; bubblewrap that was
 * named and does not work is VF_ERROR_FAILED with a hint.
 */
bool sandbox_choose(const char *name, SandboxMode *mode, GError **error);

/* "bubblewrap", "plain", "off": for a log line that says which one is active. */
const char *sandbox_mode_name(SandboxMode mode);

typedef struct
{
    const char *const *argv;        /* the program's absolute path first; no shell */
    const char *const *environment; /* "NAME=value", all that it gets; NULL for nothing */
    const char *const *readable;    /* further paths it may read and run; NULL for none */
    int input_fd;                   /* its standard input */
    gint64 max_output_bytes;
    gint64 max_memory_bytes; /* of address space; 0 for no limit */
    int timeout_s;           /* wall clock and, at the same time, processor time */
    bool proc;               /* show it /proc, of its own processes where possible */
} SandboxJob;

typedef enum
{
    SANDBOX_EXITED,           /* status is the exit status */
    SANDBOX_SIGNALLED,        /* status is the signal */
    SANDBOX_TIMED_OUT,        /* by either clock */
    SANDBOX_OUTPUT_TOO_LARGE, /* killed in the middle of it */
} SandboxEnd;

typedef struct
{
    SandboxEnd end;
    int status;
    GString *output; /* what it wrote before it ended; any bytes */
    GString *talk;   /* the beginning of its standard error; any bytes */
} SandboxResult;

/*
 * Runs the job to its end.  NULL only when it could not be run (VF_ERROR_FAILED) or the
 * stop was asked for (VF_ERROR_CANCELLED): how the program fared is in the result.  No
 * process is left behind.  May be called from many threads.
 */
SandboxResult *sandbox_run(SandboxMode mode, const SandboxJob *job, Cancel *cancel, GError **error);

void sandbox_result_free(SandboxResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SandboxResult, sandbox_result_free)

/* --- a host: one program for many jobs ----------------------------------------------------- */

/*
 * Starting a program in a sandbox costs more than a small job.  A host is a program of ours
 * that is started once and has a process of its own for each job, forked from it before it
 * knows of any: no job sees another one's process, input or output.  A host's program calls
 * sandbox_serve() first of all.
 */
typedef struct SandboxHost SandboxHost;

/*
 * Of the program only argv, environment, readable and proc count.  It is started when it is
 * first needed, by the thread that runs the job, and lives no longer than that thread.
 */
SandboxHost *sandbox_host_new(SandboxMode mode, const SandboxJob *program);

/* Ends the program, too. */
void sandbox_host_free(SandboxHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SandboxHost, sandbox_host_free)

/*
 * Like sandbox_run(), for one job at a time.  Of the job argv are all arguments, without a
 * program's path; environment, readable and proc are the host's.
 */
SandboxResult *sandbox_host_run(
    SandboxHost *host, const SandboxJob *job, Cancel *cancel, GError **error);

/*
 * In the host's program.  Returns in each job's process, with the job's arguments, yours, and
 * its descriptors 0, 1 and 2 in place; NULL in the host itself, when it is no longer needed.
 */
char **sandbox_serve(void);

/*
 * Called by a sandboxed program of ours before it touches foreign bytes: from here on it
 * can compute, use the descriptors it has, and end.  Opening a file, running a program
 * and executable memory are gone, for good.
 */
bool sandbox_seal(GError **error);
