/*
 * All filters are lists of what is allowed; all else fails with EPERM, as do system
 * calls that do not exist yet.  Failing is kinder than killing: the C library asks for
 * many things that it can do without.
 */
#include "sandbox/filter.h"

#include "base/error.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Computing, the descriptors one has, and the end. */
static const char *const COMPUTING[] = {
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "read",
    "readv",
    "pread64",
    "preadv",
    "write",
    "writev",
    "lseek",
    "_llseek",
    "fstat",
    "fstat64",
    "close",
    "poll",
    "ppoll",
    "futex",
    "futex_time64",
    "sched_yield",
    "clock_gettime",
    "clock_gettime64",
    "gettimeofday",
    "time",
    "getrandom",
    "getpid",
    "gettid",
    "getrusage",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "sigaltstack",
    "restart_syscall",
    "exit",
    "exit_group",
    "membarrier",
    "rseq",
    "nanosleep",
    "clock_nanosleep",
    NULL,
};

/* Starting: programs, files to look at, what the C library asks of the machine. */
static const char *const STARTING[] = {
    "execve",
    "execveat",
    "access",
    "faccessat",
    "faccessat2",
    "stat",
    "stat64",
    "lstat",
    "lstat64",
    "newfstatat",
    "fstatat64",
    "statx",
    "statfs",
    "statfs64",
    "fstatfs",
    "fstatfs64",
    "readlink",
    "readlinkat",
    "getdents",
    "getdents64",
    "getcwd",
    "mmap",
    "mmap2",
    "mprotect",
    "dup",
    "dup2",
    "dup3",
    "fadvise64",
    "fadvise64_64",
    "arch_prctl",
    "set_tls",
    "set_tid_address",
    "set_robust_list",
    "getrlimit",
    "ugetrlimit",
    "getuid",
    "getuid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getegid",
    "getegid32",
    "getppid",
    "uname",
    "sysinfo",
    "sched_getaffinity",
    "sched_getscheduler",
    "wait4",
    "waitid", /* bwrap's own first process is behind the filter too */
    "seccomp",
    NULL,
};

/* A system call with one argument that decides. */
typedef struct
{
    const char *name;
    struct scmp_arg_cmp when;
} Conditional;

#define ARG(number, comparison, ...)                                                               \
    {                                                                                              \
        .arg = (number), .op = (comparison), __VA_ARGS__                                           \
    }
#define ARG_IS(number, value) ARG(number, SCMP_CMP_EQ, .datum_a = (value))
#define ARG_LACKS(number, bits) ARG(number, SCMP_CMP_MASKED_EQ, .datum_a = (bits), .datum_b = 0)

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

static const Conditional STARTING_WHEN[] = {
    {"open", ARG_LACKS(1, WRITING)},
    {"openat", ARG_LACKS(2, WRITING)},
    {"prlimit64", ARG_IS(0, 0)}, /* one's own limits, not the parent's */
    {"prctl", ARG_IS(0, PR_SET_NO_NEW_PRIVS)},
    {"prctl", ARG_IS(0, PR_SET_SECCOMP)},
    {"fcntl", ARG_IS(1, F_GETFD)},
    {"fcntl", ARG_IS(1, F_SETFD)},
    {"fcntl", ARG_IS(1, F_GETFL)},
    {"fcntl", ARG_IS(1, F_DUPFD)},
    {"fcntl", ARG_IS(1, F_DUPFD_CLOEXEC)},
};

/* A host makes the filter of its children, too. */
static const char *const HOSTING[] = {
    "recvmsg", "send", "sendto", "memfd_create", "close_range", "setrlimit", NULL,
};

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

static const Conditional HOSTING_WHEN[] = {
    {"clone", ARG_LACKS(0, NAMESPACES)},
    {"prctl", ARG_IS(0, PR_SET_PDEATHSIG)},
};

static const Conditional SEALED_WHEN[] = {
    {"mmap", ARG_LACKS(2, PROT_EXEC)},
    {"mmap2", ARG_LACKS(2, PROT_EXEC)},
    {"mprotect", ARG_LACKS(2, PROT_EXEC)},
};

/* Calls that this architecture does not have are passed over, here and below. */
static int
allow_all(scmp_filter_ctx filter, const char *const *names)
{
    int problem = 0;
    for (; *names != NULL && problem == 0; names++)
    {
        const int call = seccomp_syscall_resolve_name(*names);
        if (call >= 0)
            problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
    return problem;
}

static int
allow_when(scmp_filter_ctx filter, const Conditional *rules, size_t count)
{
    int problem = 0;
    for (size_t i = 0; i < count && problem == 0; i++)
    {
        const int call = seccomp_syscall_resolve_name(rules[i].name);
        if (call >= 0)
            problem = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &rules[i].when);
    }
    return problem;
}

static bool
fail(int problem, const char *what, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not %s the system call filter: %s", what,
        g_strerror(-problem));
    return false;
}

/* Writes it down and frees it; problem is what went wrong before. */
static int
filter_to_file(scmp_filter_ctx filter, int problem, GError **error)
{
    const int fd = problem == 0 ? memfd_create("filter", MFD_CLOEXEC) : -1;
    if (problem == 0)
        problem = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
    if (problem == 0 && lseek(fd, 0, SEEK_SET) != 0)
        problem = -errno;
    seccomp_release(filter);

    if (problem == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    fail(problem, "make", error);
    return -1;
}

static int
allow_program(scmp_filter_ctx filter)
{
    int problem = filter == NULL ? -ENOMEM : allow_all(filter, COMPUTING);
    if (problem == 0)
        problem = allow_all(filter, STARTING);
    if (problem == 0)
        problem = allow_when(filter, STARTING_WHEN, G_N_ELEMENTS(STARTING_WHEN));
    return problem;
}

int
filter_for_program(GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    return filter_to_file(filter, allow_program(filter), error);
}

int
filter_for_host(GError **error)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int problem = allow_program(filter);
    if (problem == 0)
        problem = allow_all(filter, HOSTING);
    if (problem == 0)
        problem = allow_when(filter, HOSTING_WHEN, G_N_ELEMENTS(HOSTING_WHEN));
    return filter_to_file(filter, problem, error);
}

bool
filter_read(int fd, struct sock_fprog *filter, GError **error)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        status.st_size = 0;
    const size_t size = (size_t) status.st_size;
    filter->len = (unsigned short) (size / sizeof(struct sock_filter));
    filter->filter = g_malloc(size);
    if (size > 0 && pread(fd, filter->filter, size, 0) == (ssize_t) size)
        return true;
    g_set_error_literal(error, VF_ERROR, VF_ERROR_FAILED, "could not read the system call filter");
    return false;
}

bool
sandbox_seal(GError **error)
{
    int problem = -ENOMEM;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter != NULL)
        problem = allow_all(filter, COMPUTING);
    if (problem == 0)
        problem = allow_when(filter, SEALED_WHEN, G_N_ELEMENTS(SEALED_WHEN));
    if (problem == 0)
        problem = seccomp_load(filter);
    seccomp_release(filter);

    return problem == 0 ? true : fail(problem, "load", error);
}
