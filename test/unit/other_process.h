/*
 * other_process.h - what another process does, for tests of what processes share.
 *
 * The child tells by a byte that it is ready and then waits for a byte, or to be killed.
 */
#pragma once

#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
    pid_t pid;
    int to;
    int from;
} OtherProcess;

/* What the child may call. */
typedef struct
{
    int to;
    int from;
} OtherSide;

static inline void
other_ready(const OtherSide *side)
{
    g_assert_cmpint(write(side->to, "r", 1), ==, 1);
}

static inline void
other_wait(const OtherSide *side)
{
    char byte = 0;
    g_assert_cmpint(read(side->from, &byte, 1), >=, 0);
}

/* Runs `work` in a child, which ends with its result as exit status. */
static inline OtherProcess
other_start(int (*work)(const OtherSide *side, void *data), void *data)
{
    int down[2];
    int up[2];
    const pid_t parent = getpid();

    g_assert_cmpint(pipe(down), ==, 0);
    g_assert_cmpint(pipe(up), ==, 0);
    const pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0)
    {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(127);
        close(down[1]);
        close(up[0]);
        const OtherSide side = {up[1], down[0]};
        _exit(work(&side, data));
    }
    close(down[0]);
    close(up[1]);
    return (OtherProcess){pid, down[1], up[0]};
}

static inline void
other_await(const OtherProcess *other)
{
    char byte = 0;
    g_assert_cmpint(read(other->from, &byte, 1), ==, 1);
}

/* Its exit status; of one that was killed the negative signal. */
static inline int
other_end(const OtherProcess *other)
{
    int status = 0;
    close(other->to);
    g_assert_cmpint(waitpid(other->pid, &status, 0), ==, other->pid);
    close(other->from);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static inline void
other_kill(const OtherProcess *other)
{
    kill(other->pid, SIGKILL);
    g_assert_cmpint(other_end(other), ==, -SIGKILL);
}
