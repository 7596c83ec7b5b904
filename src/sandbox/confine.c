#include "sandbox/confine.h"

#include "base/error.h"
#include "sandbox/bubblewrap.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* nobody, on every Linux */
#define OTHER_ID 65534

#define MAX_OPEN_FILES 64

/* What every program needs to be loaded. */
static const char *const SYSTEM_PATHS[] = {
    "/usr", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", NULL,
};

static const char *const PROC_PATHS[] = {"/proc", NULL};

typedef enum
{
    STEP_SESSION,
    STEP_SIGNALS,
    STEP_DESCRIPTORS,
    STEP_LIMITS,
    STEP_USER,
    STEP_PRIVILEGES,
    STEP_LANDLOCK,
    STEP_PARENT,
    STEP_FILTER,
    STEP_EXECUTE,
} Step;

static const char *const STEP_NAMES[] = {
    [STEP_SESSION] = "begin a session",
    [STEP_SIGNALS] = "reset the signals",
    [STEP_DESCRIPTORS] = "arrange the descriptors",
    [STEP_LIMITS] = "set the limits",
    [STEP_USER] = "become another user",
    [STEP_PRIVILEGES] = "give up privileges",
    [STEP_LANDLOCK] = "restrict the files",
    [STEP_PARENT] = "bind its life to ours",
    [STEP_FILTER] = "restrict the system calls",
    [STEP_EXECUTE] = "execute",
};

const char *
confine_step_name(int step)
{
    return step >= 0 && step < (int) G_N_ELEMENTS(STEP_NAMES) ? STEP_NAMES[step] : "begin";
}

/* --- before the fork ------------------------------------------------------------- */

static bool
open_program(Confinement *confinement, const char *path, GError **error)
{
    confinement->program_fd = open(path, O_PATH | O_CLOEXEC);
    if (confinement->program_fd < 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not open the program %s: %s", path,
            g_strerror(errno));
        return false;
    }
    return true;
}

/* The real path: the given one may be /proc/self/exe, which is another in the child. */
static char *
resolved_path(int program_fd, const char *path)
{
    g_autofree char *link = g_strdup_printf("/proc/self/fd/%d", program_fd);
    g_autofree char *target = g_file_read_link(link, NULL);
    return target != NULL ? g_steal_pointer(&target) : g_strdup(path);
}

static bool
prepare_filter(Confinement *confinement, GError **error)
{
    confinement->filter_fd =
        confinement->hosts ? filter_for_host(error) : filter_for_program(error);
    return confinement->filter_fd >= 0 &&
           filter_read(confinement->filter_fd, &confinement->filter, error);
}

static bool
prepare_landlock(Confinement *confinement, GError **error)
{
    GError *problem = NULL;
    const char *const program[] = {confinement->path, NULL};
    const char *const *lists[] = {
        SYSTEM_PATHS, program, confinement->job->readable,
        confinement->job->proc ? PROC_PATHS : NULL};
    confinement->landlock_fd = landlock_rules(lists, G_N_ELEMENTS(lists), &problem);
    if (problem != NULL)
    {
        g_propagate_error(error, problem);
        return false;
    }
    return true;
}

static bool
prepare_bubblewrap(Confinement *confinement, GError **error)
{
    g_autofree char *bwrap = bubblewrap_path();
    if (bwrap == NULL)
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_FAILED, "bubblewrap is not installed");
        vf_error_hint(error, "install bubblewrap, or choose the sandbox \"plain\"");
        return false;
    }
    confinement->argv = bubblewrap_argv(confinement->path, confinement->job);
    close(confinement->program_fd);
    return open_program(confinement, bwrap, error);
}

static char **
copied(const char *const *strings)
{
    g_autoptr(GStrvBuilder) copy = g_strv_builder_new();
    for (; strings != NULL && *strings != NULL; strings++)
        g_strv_builder_add(copy, *strings);
    return g_strv_builder_end(copy);
}

static bool
prepare(
    Confinement *confinement, SandboxMode mode, const SandboxJob *job, bool hosts, GError **error)
{
    *confinement = (Confinement){
        .mode = mode,
        .job = job,
        .hosts = hosts,
        .parent = getpid(),
        .program_fd = -1,
        .landlock_fd = -1,
        .filter_fd = -1,
    };
    if (!open_program(confinement, job->argv[0], error))
        return false;
    confinement->path = resolved_path(confinement->program_fd, job->argv[0]);
    if (mode != SANDBOX_OFF && !prepare_filter(confinement, error))
        return false;
    if (mode == SANDBOX_BUBBLEWRAP)
    {
        confinement->envp = copied(NULL); /* bwrap sets the program's */
        return prepare_bubblewrap(confinement, error);
    }

    confinement->argv = copied(job->argv);
    confinement->envp = copied(job->environment);
    return mode == SANDBOX_OFF || prepare_landlock(confinement, error);
}

bool
confinement_prepare(
    Confinement *confinement, SandboxMode mode, const SandboxJob *job, GError **error)
{
    return prepare(confinement, mode, job, false, error);
}

bool
confinement_prepare_host(
    Confinement *confinement, SandboxMode mode, const SandboxJob *job, GError **error)
{
    return prepare(confinement, mode, job, true, error);
}

static void
close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void
confinement_clear(Confinement *confinement)
{
    close_if_open(confinement->program_fd);
    close_if_open(confinement->landlock_fd);
    close_if_open(confinement->filter_fd);
    g_free(confinement->filter.filter);
    g_free(confinement->path);
    g_strfreev(confinement->argv);
    g_strfreev(confinement->envp);
}

/* --- in the child: system calls only ---------------------------------------------- */

/* The caller's blocked and ignored signals are not the program's business.  Writing a file
 * fails, but does not kill. */
static bool
reset_signals(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            sigaction(number, &by_default, NULL); /* two belong to the C library: EINVAL */

    sigset_t none;
    sigemptyset(&none);
    return sigaction(SIGXFSZ, &ignored, NULL) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

/* For kernels before 5.11. */
static bool
close_one_by_one(unsigned first)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return false;
    const unsigned end = limit.rlim_cur > 1048576 ? 1048576 : (unsigned) limit.rlim_cur;
    for (unsigned fd = first; fd < end; fd++)
        fcntl((int) fd, F_SETFD, FD_CLOEXEC);
    return true;
}

/* 0, 1, 2 (and the filter for bwrap) stay open, all else ends with the execve. */
static bool
arrange_descriptors(const Confinement *confinement, int output_fd, int talk_fd)
{
    const int input = fcntl(confinement->job->input_fd, F_DUPFD_CLOEXEC, 10);
    const int output = fcntl(output_fd, F_DUPFD_CLOEXEC, 10);
    const int talk = fcntl(talk_fd, F_DUPFD_CLOEXEC, 10);
    if (input < 0 || output < 0 || talk < 0)
        return false;
    if (dup2(input, 0) != 0 || dup2(output, 1) != 1 || dup2(talk, 2) != 2)
        return false;

    unsigned first = 3;
    if (confinement->mode == SANDBOX_BUBBLEWRAP)
    {
        /* It may have that number already, and dup2() would leave its close-on-exec as it is. */
        if (dup2(confinement->filter_fd, BUBBLEWRAP_FILTER_FD) != BUBBLEWRAP_FILTER_FD ||
            fcntl(BUBBLEWRAP_FILTER_FD, F_SETFD, 0) != 0)
            return false;
        first = BUBBLEWRAP_FILTER_FD + 1;
    }
    return syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0 ||
           close_one_by_one(first);
}

static bool
set_limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    if (getrlimit(resource, &now) != 0)
        return false;
    if (now.rlim_max != RLIM_INFINITY && hard > now.rlim_max)
        hard = now.rlim_max;
    const struct rlimit limit = {.rlim_cur = soft < hard ? soft : hard, .rlim_max = hard};
    return setrlimit(resource, &limit) == 0;
}

/* What a job may use; of a host's these are its children's, one by one. */
static bool
set_job_limits(int timeout_s, gint64 max_memory_bytes)
{
    const rlim_t seconds = (rlim_t) timeout_s;
    const rlim_t memory = (rlim_t) max_memory_bytes;
    return set_limit(RLIMIT_CPU, seconds, seconds + 1) &&
           (memory == 0 || set_limit(RLIMIT_AS, memory, memory)) && set_limit(RLIMIT_FSIZE, 0, 0);
}

static bool
set_limits(const Confinement *confinement)
{
    const SandboxJob *job = confinement->job;
    return (confinement->hosts || set_job_limits(job->timeout_s, job->max_memory_bytes)) &&
           set_limit(RLIMIT_CORE, 0, 0) && set_limit(RLIMIT_NOFILE, MAX_OPEN_FILES, MAX_OPEN_FILES);
}

/*
 * The raw system calls: the C library's functions want to tell other threads, which do
 * not exist here.  Root that may not change its id (a container without the capability)
 * goes on when Landlock guards the files instead.
 */
static bool
become_another_user(const Confinement *confinement)
{
    if (geteuid() != 0)
        return true;
    const bool changed = syscall(SYS_setgroups, 0, NULL) == 0 &&
                         syscall(SYS_setresgid, OTHER_ID, OTHER_ID, OTHER_ID) == 0 &&
                         syscall(SYS_setresuid, OTHER_ID, OTHER_ID, OTHER_ID) == 0;
    return changed || confinement->landlock_fd >= 0;
}

static bool
give_up_privileges(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           syscall(SYS_capset, &header, none) == 0;
}

/* After the change of user, which resets it.  A parent that died before is noticed too. */
static bool
die_with_parent(const Confinement *confinement)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == confinement->parent;
}

/* It is one process already, so it cannot have another one. */
static bool
forbid_processes(void)
{
    return set_limit(RLIMIT_NPROC, 1, 1);
}

/* Which step failed; STEP_EXECUTE when all went well and only that is left. */
static Step
confine_plainly(const Confinement *confinement)
{
    if (!become_another_user(confinement))
        return STEP_USER;
    if (!give_up_privileges())
        return STEP_PRIVILEGES;
    if (confinement->landlock_fd >= 0 &&
        syscall(SYS_landlock_restrict_self, confinement->landlock_fd, 0) != 0)
        return STEP_LANDLOCK;
    if (!confinement->hosts && !forbid_processes())
        return STEP_LIMITS;
    if (!die_with_parent(confinement))
        return STEP_PARENT;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &confinement->filter) != 0)
        return STEP_FILTER;
    return STEP_EXECUTE;
}

/*
 * bwrap's inner process waits until the outer one lets it go on, forever if that one is killed
 * before; only later it asks to die with it.  So the outer one of a host is not bound to us before
 * bwrap does so itself: until then a host without a caller finds out, and ends.
 */
static bool
binds_itself(const Confinement *confinement)
{
    return confinement->mode == SANDBOX_BUBBLEWRAP && confinement->hosts;
}

static Step
confine(const Confinement *confinement, int output_fd, int talk_fd)
{
    if (setsid() < 0 || chdir("/") != 0)
        return STEP_SESSION;
    if (!reset_signals())
        return STEP_SIGNALS;
    if (!arrange_descriptors(confinement, output_fd, talk_fd))
        return STEP_DESCRIPTORS;
    if (!set_limits(confinement))
        return STEP_LIMITS;
    if (confinement->mode == SANDBOX_PLAIN)
        return confine_plainly(confinement);
    return binds_itself(confinement) || die_with_parent(confinement) ? STEP_EXECUTE : STEP_PARENT;
}

bool
confine_job(const JobLimits *limits, const struct sock_fprog *filter)
{
    return set_job_limits(limits->timeout_s, limits->max_memory_bytes) &&
           (!limits->filtered ||
            (forbid_processes() && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter) == 0));
}

void
confinement_enter(const Confinement *confinement, int output_fd, int talk_fd, int report_fd)
{
    /* High enough not to be in the way of the standard descriptors. */
    const int report = fcntl(report_fd, F_DUPFD_CLOEXEC, 20);
    const int program = fcntl(confinement->program_fd, F_DUPFD_CLOEXEC, 20);

    errno = 0;
    const Step step = confine(confinement, output_fd, talk_fd);
    if (step == STEP_EXECUTE)
        syscall(SYS_execveat, program, "", confinement->argv, confinement->envp, AT_EMPTY_PATH);

    const ConfineFailure failure = {.step = (int) step, .problem = errno};
    if (write(report, &failure, sizeof(failure)) < 0)
        _exit(126);
    _exit(127);
}
