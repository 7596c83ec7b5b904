/*
 * confine.h - from a fork of ours to the program, restricted on the way.
 *
 * All is prepared before the fork: afterwards, in a copy of a process with many threads,
 * only system calls are made, so no stage program is needed in between.
 */
#pragma once

#include "sandbox/sandbox.h"

#include <linux/filter.h>

typedef struct
{
    SandboxMode mode;
    const SandboxJob *job;
    bool hosts; /* the program forks a child for each job, which has the limits */
    pid_t parent;

    int program_fd; /* what is executed: the program, or bwrap */
    char *path;     /* its resolved path */
    char **argv;    /* the program's arguments, or bwrap's */
    char **envp;

    int landlock_fd; /* -1 when the kernel has none or the mode needs none */
    int filter_fd;   /* -1 in mode off */
    struct sock_fprog filter;
} Confinement;

#define NO_CONFINEMENT                                                                             \
    {                                                                                              \
        .program_fd = -1, .landlock_fd = -1, .filter_fd = -1                                       \
    }

/* What the child says when it did not reach the program. */
typedef struct
{
    int step; /* for confine_step_name() */
    int problem;
} ConfineFailure;

/* For a program that does this job, or that hosts such jobs. */
bool confinement_prepare(
    Confinement *confinement, SandboxMode mode, const SandboxJob *job, GError **error);
bool confinement_prepare_host(
    Confinement *confinement, SandboxMode mode, const SandboxJob *job, GError **error);
void confinement_clear(Confinement *confinement);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Confinement, confinement_clear)

/* In the child.  A ConfineFailure goes to report_fd if this did not work. */
G_GNUC_NORETURN void confinement_enter(
    const Confinement *confinement, int output_fd, int talk_fd, int report_fd);

/* In a child of a host, which is confined already but for what each job has of its own. */
typedef struct
{
    gint64 max_memory_bytes;
    int timeout_s;
    bool filtered; /* no further processes, and the system calls of a program */
} JobLimits;

bool confine_job(const JobLimits *limits, const struct sock_fprog *filter);

/* "could not …": what that step of the child does. */
const char *confine_step_name(int step);
