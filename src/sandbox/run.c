/*
 * The parent's side: fork, listen to the child until it ends, clear up.
 */
#include "base/error.h"
#include "sandbox/confine.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_TALK_BYTES 4096

/* How often an ended child is looked for on kernels without pidfd. */
#define LOOK_MS 20

/* bwrap says "128 + signal" of the program that it ran. */
#define BUBBLEWRAP_SIGNALLED 128

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
    pid_t pid;
    int pidfd; /* readable once it ended; -1 on old kernels */
    Pipe output;
    Pipe talk;
    Pipe report;
    int wait_status;
} Child;

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
child_clear(Child *child)
{
    close_fd(&child->pidfd);
    close_fd(&child->output.read);
    close_fd(&child->output.write);
    close_fd(&child->talk.read);
    close_fd(&child->talk.write);
    close_fd(&child->report.read);
    close_fd(&child->report.write);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Child, child_clear)

void
sandbox_result_free(SandboxResult *result)
{
    if (result == NULL)
        return;
    g_string_free(result->output, TRUE);
    g_string_free(result->talk, TRUE);
    g_free(result);
}

static SandboxResult *
result_new(void)
{
    SandboxResult *result = g_new0(SandboxResult, 1);
    result->output = g_string_new(NULL);
    result->talk = g_string_new(NULL);
    return result;
}

/* Only our end is non-blocking: the flag belongs to the end. */
static bool
open_pipe(Pipe *ends)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    *ends = (Pipe){.read = fds[0], .write = fds[1]};
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

static bool
set_start_error(GError **error, const char *what, int problem)
{
    g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "could not %s: %s", what, g_strerror(problem));
    return false;
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
static void
end_child(Child *child)
{
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    while (waitpid(child->pid, &child->wait_status, 0) < 0 && errno == EINTR)
        continue;
}

/* Waits until the child has become the program: its end of the pipe closes then. */
static bool
check_start(Child *child, const Confinement *confinement, GError **error)
{
    ConfineFailure failure;
    ssize_t got;
    fcntl(child->report.read, F_SETFL, 0);
    while ((got = read(child->report.read, &failure, sizeof(failure))) < 0 && errno == EINTR)
        continue;
    if (got == 0)
        return true;

    end_child(child);
    const int problem = got == sizeof(failure) ? failure.problem : EIO;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not %s in the sandbox \"%s\", for %s: %s",
        confine_step_name(got == sizeof(failure) ? failure.step : -1),
        sandbox_mode_name(confinement->mode), confinement->path, g_strerror(problem));
    return false;
}

static bool
start(Child *child, const Confinement *confinement, GError **error)
{
    if (!open_pipe(&child->output) || !open_pipe(&child->talk) || !open_pipe(&child->report))
        return set_start_error(error, "open a pipe", errno);

    child->pid = fork_quietly();
    if (child->pid < 0)
        return set_start_error(error, "start a process", errno);
    if (child->pid == 0)
        confinement_enter(confinement, child->output.write, child->talk.write, child->report.write);

    close_fd(&child->output.write);
    close_fd(&child->talk.write);
    close_fd(&child->report.write);
    child->pidfd = (int) syscall(SYS_pidfd_open, child->pid, 0);
    return check_start(child, confinement, error);
}

/* Reads what is there.  False at the end; into keeps at most max bytes, and one more to
 * show that there were more. */
static bool
drain(int fd, GString *into, gint64 max)
{
    char buffer[65536];
    ssize_t got;
    while ((got = read(fd, buffer, sizeof(buffer))) > 0)
    {
        const gint64 room = max + 1 - (gint64) into->len;
        if (room > 0)
            g_string_append_len(into, buffer, MIN((gssize) room, (gssize) got));
        if (room <= (gint64) got)
            break;
    }
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
listen_once(Child *child, SandboxResult *result, const SandboxJob *job)
{
    if (child->output.read >= 0 &&
        !drain(child->output.read, result->output, job->max_output_bytes))
        close_fd(&child->output.read);
    if (child->talk.read >= 0 && !drain(child->talk.read, result->talk, MAX_TALK_BYTES))
        close_fd(&child->talk.read);
}

/* It stays a zombie, to be waited for later. */
static bool
has_ended(const Child *child)
{
    siginfo_t info = {.si_pid = 0};
    const int asked = waitid(P_PID, (id_t) child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return asked == 0 && info.si_pid == child->pid;
}

static void
wait_for_news(const Child *child, Cancel *cancel, gint64 left_ms)
{
    struct pollfd news[] = {
        {.fd = child->output.read, .events = POLLIN},
        {.fd = child->talk.read, .events = POLLIN},
        {.fd = child->pidfd, .events = POLLIN},
        {.fd = cancel_fd(cancel), .events = POLLIN},
    };
    const gint64 patience = child->pidfd < 0 ? MIN(left_ms, LOOK_MS) : left_ms;
    poll(news, G_N_ELEMENTS(news), (int) MIN(patience, 60000));
}

/* Of a child that ended by itself. */
static SandboxEnd
how_it_ended(const Child *child, SandboxMode mode, int *status)
{
    bool signalled = WIFSIGNALED(child->wait_status);
    *status = signalled ? WTERMSIG(child->wait_status) : WEXITSTATUS(child->wait_status);
    if (mode == SANDBOX_BUBBLEWRAP && !signalled && *status > BUBBLEWRAP_SIGNALLED)
    {
        signalled = true;
        *status -= BUBBLEWRAP_SIGNALLED;
    }
    if (signalled && *status == SIGXCPU)
        return SANDBOX_TIMED_OUT;
    return signalled ? SANDBOX_SIGNALLED : SANDBOX_EXITED;
}

typedef enum
{
    ENDED,
    OUT_OF_TIME,
    TOO_MUCH_OUTPUT,
    STOPPED,
} Outcome;

/* Listens until the child ends or must be ended. */
static Outcome
attend(Child *child, const SandboxJob *job, Cancel *cancel, SandboxResult *result)
{
    const gint64 deadline = g_get_monotonic_time() + (gint64) job->timeout_s * G_USEC_PER_SEC;
    while (!cancel_requested(cancel))
    {
        const bool ended = has_ended(child);
        listen_once(child, result, job);
        if ((gint64) result->output->len > job->max_output_bytes)
            return TOO_MUCH_OUTPUT;
        if (ended)
            return ENDED;
        const gint64 left_ms = (deadline - g_get_monotonic_time() + 999) / 1000;
        if (left_ms <= 0)
            return OUT_OF_TIME;
        wait_for_news(child, cancel, left_ms);
    }
    return STOPPED;
}

/*
 * bwrap says what it could not do and exits with 1; a program of ours that begins so only
 * spoils its own result.
 */
static bool
check_bubblewrap(
    const SandboxResult *result, SandboxMode mode, const SandboxJob *job, GError **error)
{
    if (mode != SANDBOX_BUBBLEWRAP || result->end != SANDBOX_EXITED || result->status != 1 ||
        !g_str_has_prefix(result->talk->str, "bwrap: "))
        return true;

    g_autofree char *talk = g_utf8_make_valid(result->talk->str, -1);
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not run %s in the sandbox \"bubblewrap\": %s",
        job->argv[0], g_strdelimit(g_strchomp(talk), "\n", ' '));
    return false;
}

SandboxResult *
sandbox_run(SandboxMode mode, const SandboxJob *job, Cancel *cancel, GError **error)
{
    if (!cancel_check(cancel, error))
        return NULL;

    g_auto(Confinement) confinement = {.program_fd = -1, .landlock_fd = -1, .filter_fd = -1};
    if (!confinement_prepare(&confinement, mode, job, error))
        return NULL;

    g_auto(Child) child = {.pidfd = -1, .output = NO_PIPE, .talk = NO_PIPE, .report = NO_PIPE};
    if (!start(&child, &confinement, error))
        return NULL;

    g_autoptr(SandboxResult) result = result_new();
    const Outcome outcome = attend(&child, job, cancel, result);
    end_child(&child);
    switch (outcome)
    {
    case ENDED:
        result->end = how_it_ended(&child, mode, &result->status);
        break;
    case OUT_OF_TIME:
        result->end = SANDBOX_TIMED_OUT;
        break;
    case TOO_MUCH_OUTPUT:
        g_string_truncate(result->output, (gsize) job->max_output_bytes);
        result->end = SANDBOX_OUTPUT_TOO_LARGE;
        break;
    case STOPPED:
        cancel_check(cancel, error);
        return NULL;
    }
    return check_bubblewrap(result, mode, job, error) ? g_steal_pointer(&result) : NULL;
}
