#include "base/error.h"
#include "sandbox/sandbox.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static const char *const NAMES[] = {
    [SANDBOX_BUBBLEWRAP] = "bubblewrap",
    [SANDBOX_PLAIN] = "plain",
    [SANDBOX_OFF] = "off",
};

const char *
sandbox_mode_name(SandboxMode mode)
{
    return NAMES[mode];
}

/* Whether bwrap may make its namespaces here: many containers forbid it. */
static bool
bubblewrap_works(GError **error)
{
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const SandboxJob job = {
        .argv = (const char *const[]){"/usr/bin/true", NULL},
        .input_fd = nothing,
        .max_output_bytes = 1024,
        .timeout_s = 10,
    };
    g_autoptr(SandboxResult) result = sandbox_run(SANDBOX_BUBBLEWRAP, &job, NULL, error);
    if (nothing >= 0)
        close(nothing);
    if (result != NULL && result->end == SANDBOX_EXITED && result->status == 0)
        return true;

    if (result != NULL)
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED, "the trial of the sandbox \"bubblewrap\" failed");
    vf_error_hint(error, "allow user namespaces, or choose the sandbox \"plain\"");
    return false;
}

/*
 * Tried once: the answer is about the machine, and a trial costs milliseconds.  What it
 * cost to learn is never changed again.
 */
static bool works;
static pthread_once_t tried = PTHREAD_ONCE_INIT;

static void
try_bubblewrap(void)
{
    works = bubblewrap_works(NULL);
}

bool
sandbox_choose(const char *name, SandboxMode *mode, GError **error)
{
    if (strcmp(name, "auto") == 0)
    {
        pthread_once(&tried, try_bubblewrap);
        *mode = works ? SANDBOX_BUBBLEWRAP : SANDBOX_PLAIN;
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (strcmp(name, NAMES[i]) == 0)
        {
            *mode = (SandboxMode) i;
            if (*mode != SANDBOX_BUBBLEWRAP)
                return true;
            pthread_once(&tried, try_bubblewrap);
            return works || bubblewrap_works(error);
        }
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE,
        "there is no sandbox \"%s\"; use auto, bubblewrap, plain or off", name);
    return false;
}
