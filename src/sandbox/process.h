/*
 * process.h - a confined process, seen from its parent: to start it, to listen, to end it.
 */
#pragma once

#include "sandbox/confine.h"

typedef struct
{
    int read;
    int write;
} Pipe;

#define NO_PIPE                                                                                    \
    (Pipe)                                                                                         \
    {                                                                                              \
        -1, -1                                                                                     \
    }

typedef struct
{
    pid_t pid; /* 0 when there is none */
    int pidfd; /* readable once it ended; -1 on old kernels */
    Pipe output;
    Pipe talk;
    Pipe report;
    int wait_status;
} Process;

#define NO_PROCESS                                                                                 \
    {                                                                                              \
        .pidfd = -1, .output = NO_PIPE, .talk = NO_PIPE, .report = NO_PIPE                         \
    }

/* The descriptor is -1 afterwards. */
void process_close(int *fd);

/* Closed on execve; our end, for reading, does not block. */
bool process_open_pipe(Pipe *ends, GError **error);
void process_close_pipe(Pipe *ends);

/* Returns when the process has become the program, or could not. */
bool process_start(Process *process, const Confinement *confinement, GError **error);

/* Kills it and whatever it started, and waits for it. */
void process_end(Process *process);

/* Closes what is open.  The process itself must have been ended. */
void process_clear(Process *process);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Process, process_clear)

/* Adds what is there, at most max bytes and one more to show that there were more; closes the
 * descriptor at its end. */
void process_drain(int *fd, GString *into, gint64 max);

/* What is listened to, and how its end is noticed. */
typedef struct
{
    int *output;
    int *talk;
    int ended_fd; /* readable when it ended; -1 when that can only be asked */
    bool (*has_ended)(void *data);
    void *data;
} Listening;

typedef enum
{
    ENDED,
    OUT_OF_TIME,
    TOO_MUCH_OUTPUT,
    STOPPED,
} Outcome;

/* Listens until it ends or must be ended. */
Outcome process_attend(
    const Listening *listening, const SandboxJob *job, Cancel *cancel, SandboxResult *result);

SandboxResult *process_result_new(void);

/*
 * Writes down what came of it; wait_status is what wait(2) says of one that ended by itself.
 * False when it was stopped.
 */
bool process_judge(Outcome outcome, const SandboxJob *job, int wait_status, SandboxResult *result);
