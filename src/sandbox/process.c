#include "sandbox/process.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_TALK_BYTES 4096

/* How often an ended process is looked for on kernels without pidfd. */
#define LOOK_MS 20

void
process_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void
process_close_pipe(Pipe *ends)
{
    process_close(&ends->read);
    process_close(&ends->write);
}

void
process_clear(Process *process)
{
    process_close(&process->pidfd);
    process_close_pipe(&process->output);
    process_close_pipe(&process->talk);
    process_close_pipe(&process->report);
}

void
sandbox_result_free(SandboxResult *result)
{
    if (result == NULL)
        return;
    g_string_free(result->output, TRUE);
    g_string_free(result->talk, TRUE);
    g_free(result);
}

SandboxResult *
process_result_new(void)
{
    SandboxResult *result = g_new0(SandboxResult, 1);
    result->output = g_string_new(NULL);
    result->talk = g_string_new(NULL);
    return result;
}

/* --- its beginning and its end ------------------------------------------------------- */

static bool
set_start_error(GError **error, const char *what, int problem)
{
    g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "could not %s: %s", what, g_strerror(problem));
    return false;
}

/* Only our end is non-blocking: the flag belongs to the end. */
bool
process_open_pipe(Pipe *ends, GError **error)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return set_start_error(error, "open a pipe", errno);
    *ends = (Pipe){.read = fds[0], .write = fds[1]};
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0 || set_start_error(error, "open a pipe", errno);
}

/* All signals are blocked across the fork, so that no handler of ours runs in the child. */
static pid_t
fork_quietly(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = fork();
    const int saved = errno;
    if (pid != 0)
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

/*
 * Kills the whole group, because without a sandbox the program may have started others,
 * and only then waits: until then the group's number cannot be given to somebody else.
 */
void
process_end(Process *process)
{
    kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, &process->wait_status, 0) < 0 && errno == EINTR)
        continue;
    process->pid = 0;
}

/* Waits until the child has become the program: its end of the pipe closes then. */
static bool
check_start(Process *process, const Confinement *confinement, GError **error)
{
    ConfineFailure failure;
    ssize_t got;
    fcntl(process->report.read, F_SETFL, 0);
    while ((got = read(process->report.read, &failure, sizeof(failure))) < 0 && errno == EINTR)
        continue;
    if (got == 0)
        return true;

    process_end(process);
    const int problem = got == sizeof(failure) ? failure.problem : EIO;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not %s in the sandbox \"%s\", for %s: %s",
        confine_step_name(got == sizeof(failure) ? failure.step : -1),
        sandbox_mode_name(confinement->mode), confinement->path, g_strerror(problem));
    return false;
}

bool
process_start(Process *process, const Confinement *confinement, GError **error)
{
    if (!process_open_pipe(&process->output, error) || !process_open_pipe(&process->talk, error) ||
        !process_open_pipe(&process->report, error))
        return false;

    process->pid = fork_quietly();
    if (process->pid < 0)
    {
        process->pid = 0;
        return set_start_error(error, "start a process", errno);
    }
    if (process->pid == 0)
        confinement_enter(
            confinement, process->output.write, process->talk.write, process->report.write);

    process_close(&process->output.write);
    process_close(&process->talk.write);
    process_close(&process->report.write);
    process->pidfd = (int) syscall(SYS_pidfd_open, process->pid, 0);
    return check_start(process, confinement, error);
}

/* --- listening ------------------------------------------------------------------------- */

void
process_drain(int *fd, GString *into, gint64 max)
{
    char buffer[65536];
    ssize_t got;
    if (*fd < 0)
        return;
    while ((got = read(*fd, buffer, sizeof(buffer))) > 0)
    {
        const gint64 room = max + 1 - (gint64) into->len;
        if (room > 0)
            g_string_append_len(into, buffer, MIN((gssize) room, (gssize) got));
        if (room <= (gint64) got)
            return;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        process_close(fd);
}

static void
wait_for_news(const Listening *listening, Cancel *cancel, gint64 left_ms)
{
    struct pollfd news[] = {
        {.fd = *listening->output, .events = POLLIN},
        {.fd = *listening->talk, .events = POLLIN},
        {.fd = listening->ended_fd, .events = POLLIN},
        {.fd = cancel_fd(cancel), .events = POLLIN},
    };
    const gint64 patience = listening->ended_fd < 0 ? MIN(left_ms, LOOK_MS) : left_ms;
    poll(news, G_N_ELEMENTS(news), (int) MIN(patience, 60000));
}

Outcome
process_attend(
    const Listening *listening, const SandboxJob *job, Cancel *cancel, SandboxResult *result)
{
    const gint64 deadline = g_get_monotonic_time() + (gint64) job->timeout_s * G_USEC_PER_SEC;
    while (!cancel_requested(cancel))
    {
        const bool ended = listening->has_ended(listening->data);
        process_drain(listening->output, result->output, job->max_output_bytes);
        process_drain(listening->talk, result->talk, MAX_TALK_BYTES);
        if ((gint64) result->output->len > job->max_output_bytes)
            return TOO_MUCH_OUTPUT;
        if (ended)
            return ENDED;
        const gint64 left_ms = (deadline - g_get_monotonic_time() + 999) / 1000;
        if (left_ms <= 0)
            return OUT_OF_TIME;
        wait_for_news(listening, cancel, left_ms);
    }
    return STOPPED;
}

static SandboxEnd
how_it_ended(int wait_status, int *status)
{
    const bool signalled = WIFSIGNALED(wait_status);
    *status = signalled ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    if (signalled && *status == SIGXCPU)
        return SANDBOX_TIMED_OUT;
    return signalled ? SANDBOX_SIGNALLED : SANDBOX_EXITED;
}

bool
process_judge(Outcome outcome, const SandboxJob *job, int wait_status, SandboxResult *result)
{
    switch (outcome)
    {
    case ENDED:
        result->end = how_it_ended(wait_status, &result->status);
        return true;
    case OUT_OF_TIME:
        result->end = SANDBOX_TIMED_OUT;
        return true;
    case TOO_MUCH_OUTPUT:
        g_string_truncate(result->output, (gsize) job->max_output_bytes);
        result->end = SANDBOX_OUTPUT_TOO_LARGE;
        return true;
    case STOPPED:
        break;
    }
    return false;
}
