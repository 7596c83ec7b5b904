/*
 * A process for one job, all its own.
 */
#include "base/error.h"
#include "sandbox/bubblewrap.h"
#include "sandbox/process.h"

#include <sys/wait.h>

/* bwrap says "128 + signal" of the program that it ran. */
#define BUBBLEWRAP_SIGNALLED 128

/* It stays a zombie, to be waited for later. */
static bool
has_ended(void *data)
{
    const Process *process = data;
    siginfo_t info = {.si_pid = 0};
    const int asked = waitid(P_PID, (id_t) process->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return asked == 0 && info.si_pid == process->pid;
}

static int
status_of_program(SandboxMode mode, int wait_status)
{
    if (mode == SANDBOX_BUBBLEWRAP && WIFEXITED(wait_status) &&
        WEXITSTATUS(wait_status) > BUBBLEWRAP_SIGNALLED)
        return WEXITSTATUS(wait_status) - BUBBLEWRAP_SIGNALLED; /* as if ended by that signal */
    return wait_status;
}

static bool
check_bubblewrap(
    const SandboxResult *result, SandboxMode mode, const SandboxJob *job, GError **error)
{
    const bool failed = mode == SANDBOX_BUBBLEWRAP && result->end == SANDBOX_EXITED &&
                        result->status == 1 && bubblewrap_complains(result->talk->str);
    if (failed)
        bubblewrap_set_error(error, job->argv[0], result->talk->str);
    return !failed;
}

SandboxResult *
sandbox_run(SandboxMode mode, const SandboxJob *job, Cancel *cancel, GError **error)
{
    if (!cancel_check(cancel, error))
        return NULL;

    g_auto(Confinement) confinement = NO_CONFINEMENT;
    if (!confinement_prepare(&confinement, mode, job, error))
        return NULL;

    g_auto(Process) process = NO_PROCESS;
    if (!process_start(&process, &confinement, error))
        return NULL;

    g_autoptr(SandboxResult) result = process_result_new();
    const Listening listening = {
        .output = &process.output.read,
        .talk = &process.talk.read,
        .ended_fd = process.pidfd,
        .has_ended = has_ended,
        .data = &process,
    };
    const Outcome outcome = process_attend(&listening, job, cancel, result);
    process_end(&process);
    if (!process_judge(outcome, job, status_of_program(mode, process.wait_status), result))
    {
        cancel_check(cancel, error);
        return NULL;
    }
    return check_bubblewrap(result, mode, job, error) ? g_steal_pointer(&result) : NULL;
}
