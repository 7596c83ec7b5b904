/*
 * This program is also the one that is run: `test-sandbox probe NAME ARGUMENT` tries
 * something forbidden and says by its exit status whether that worked.  Each attack is
 * made in mode off as well, to see that it can succeed.  And each is made twice: as a program
 * of its own, and as a job of a host.
 */
#include "base/error.h"
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEGABYTE (1024 * 1024)

/* What a probe answers with. */
enum
{
    WORKED = 0,
    REFUSED = 10,
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

/* --- the probes -------------------------------------------------------------------------- */

static int
worked_if(bool success)
{
    return success ? WORKED : REFUSED;
}

static int
probe_socket(const char *family)
{
    return worked_if(socket(atoi(family), SOCK_DGRAM, 0) >= 0);
}

static int
probe_connect(const char *port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t) atoi(port)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    return worked_if(connect(fd, (const struct sockaddr *) &address, sizeof(address)) == 0);
}

static int
probe_read(const char *path)
{
    char byte;
    const int fd = open(path, O_RDONLY);
    return worked_if(read(fd, &byte, 1) == 1);
}

static int
probe_create(const char *path)
{
    return worked_if(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0);
}

static int
probe_overwrite(const char *path)
{
    return worked_if(open(path, O_RDWR) >= 0 || truncate(path, 0) == 0);
}

static int
probe_unlink(const char *path)
{
    return worked_if(unlink(path) == 0);
}

static int
probe_list(const char *path)
{
    return worked_if(open(path, O_RDONLY | O_DIRECTORY) >= 0);
}

static int
probe_fork(const char *unused)
{
    (void) unused;
    const pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return worked_if(pid > 0);
}

static int
probe_ptrace(const char *unused)
{
    (void) unused;
    return worked_if(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
}

static int
probe_signal(const char *pid)
{
    return worked_if(kill(atoi(pid), 0) == 0);
}

static int
probe_limit(const char *pid)
{
    struct rlimit limit;
    return worked_if(prlimit(atoi(pid), RLIMIT_NOFILE, NULL, &limit) == 0);
}

static int
probe_environment(const char *unused)
{
    (void) unused;
    return worked_if(getenv("AWS_SECRET_ACCESS_KEY") != NULL || getenv("PGPASSWORD") != NULL);
}

static int
probe_descriptor(const char *number)
{
    return worked_if(fcntl(atoi(number), F_GETFD) >= 0);
}

static int
probe_namespace(const char *unused)
{
    (void) unused;
    return worked_if(unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_NEWNS) == 0);
}

/* Calls with nonsense: EPERM says that they do not even get to look at it. */
static int
probe_calls(const char *unused)
{
    (void) unused;
    static const long calls[] = {
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_keyctl,
        SYS_add_key,
        SYS_bpf,
        SYS_userfaultfd,
        SYS_io_uring_setup,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_perf_event_open,
        SYS_init_module,
        SYS_kexec_load,
        SYS_open_by_handle_at,
        SYS_setns,
        SYS_socketpair,
        SYS_sendmsg,
        SYS_memfd_create,
        SYS_tgkill,
        SYS_ioctl,
        SYS_chmod,
        SYS_rename,
        SYS_clone3,
        SYS_pidfd_getfd,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
        if (syscall(calls[i], -1L, -1L, -1L, -1L, -1L, -1L) >= 0 || errno != EPERM)
            return WORKED;
    return REFUSED;
}

static int
probe_memory(const char *megabytes)
{
    const size_t size = (size_t) atoi(megabytes) * MEGABYTE;
    return worked_if(
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int
probe_root(const char *unused)
{
    (void) unused;
    return worked_if(getuid() == 0 || geteuid() == 0);
}

static int
probe_sealed_open(const char *seal)
{
    if (*seal != '\0' && !sandbox_seal(NULL))
        return 1;
    return worked_if(open("/usr/bin/true", O_RDONLY) >= 0);
}

static int
probe_sealed_execute(const char *seal)
{
    if (*seal != '\0' && !sandbox_seal(NULL))
        return 1;
    execl("/usr/bin/true", "true", NULL);
    return REFUSED;
}

static int
probe_sealed_code(const char *seal)
{
    if (*seal != '\0' && !sandbox_seal(NULL))
        return 1;
    return worked_if(
        mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int
probe_sealed_compute(const char *unused)
{
    (void) unused;
    if (!sandbox_seal(NULL))
        return 1;
    g_autofree char *memory = g_malloc0(10 * MEGABYTE);
    return worked_if(write(1, memory, 1) == 1);
}

static int
probe_copy(const char *unused)
{
    (void) unused;
    char buffer[4096];
    ssize_t got;
    while ((got = read(0, buffer, sizeof(buffer))) > 0)
        if (write(1, buffer, (size_t) got) != got)
            return 1;
    return 0;
}

static int
probe_exit(const char *status)
{
    return atoi(status);
}

static int
probe_crash(const char *unused)
{
    (void) unused;
    signal(SIGSEGV, SIG_DFL);
    kill(getpid(), SIGSEGV);
    __builtin_trap();
}

static int
probe_sleep(const char *unused)
{
    (void) unused;
    close(1);
    close(2);
    sleep(100);
    return 0;
}

static int
probe_spin(const char *unused)
{
    (void) unused;
    volatile unsigned i = 1;
    while (i != 0)
        i |= 1;
    return 0;
}

static int
probe_flood(const char *fd)
{
    char buffer[65536];
    memset(buffer, 'x', sizeof(buffer));
    while (write(atoi(fd), buffer, sizeof(buffer)) > 0)
        continue;
    return 1;
}

/* Leaves somebody behind who holds the output open. */
static int
probe_orphan(const char *unused)
{
    (void) unused;
    const pid_t pid = fork();
    if (pid == 0)
        probe_sleep(NULL);
    char text[32];
    const int length = g_snprintf(text, sizeof(text), "%d", pid);
    return write(1, text, (size_t) length) == length ? 0 : 1;
}

/* In a job: what the one before it left. */
static int
probe_count(const char *unused)
{
    static char count = '0';
    (void) unused;
    count++;
    return write(1, &count, 1) == 1 ? 0 : 1;
}

static int
probe_descriptors(const char *unused)
{
    (void) unused;
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return WORKED;
    return REFUSED;
}

typedef struct
{
    const char *name;
    int (*run)(const char *argument);
} Probe;

static const Probe PROBES[] = {
    {"socket", probe_socket},
    {"connect", probe_connect},
    {"read", probe_read},
    {"create", probe_create},
    {"overwrite", probe_overwrite},
    {"unlink", probe_unlink},
    {"list", probe_list},
    {"fork", probe_fork},
    {"ptrace", probe_ptrace},
    {"signal", probe_signal},
    {"limit", probe_limit},
    {"environment", probe_environment},
    {"descriptor", probe_descriptor},
    {"namespace", probe_namespace},
    {"calls", probe_calls},
    {"memory", probe_memory},
    {"root", probe_root},
    {"sealed-open", probe_sealed_open},
    {"sealed-execute", probe_sealed_execute},
    {"sealed-code", probe_sealed_code},
    {"sealed-compute", probe_sealed_compute},
    {"copy", probe_copy},
    {"exit", probe_exit},
    {"crash", probe_crash},
    {"sleep", probe_sleep},
    {"spin", probe_spin},
    {"flood", probe_flood},
    {"orphan", probe_orphan},
    {"count", probe_count},
    {"descriptors", probe_descriptors},
};

static int
run_probe(const char *name, const char *argument)
{
    for (size_t i = 0; i < G_N_ELEMENTS(PROBES); i++)
        if (strcmp(PROBES[i].name, name) == 0)
            return PROBES[i].run(argument);
    return 1;
}

/* --- running them ---------------------------------------------------------------------------- */

static const SandboxMode MODES[] = {SANDBOX_BUBBLEWRAP, SANDBOX_PLAIN, SANDBOX_OFF};

/* An unnamed file with that content. */
static int
file_with(const char *content)
{
    const int fd = memfd_create("input", MFD_CLOEXEC);
    g_assert_cmpint(write(fd, content, strlen(content)), ==, (ssize_t) strlen(content));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static const char *const *
environment(void)
{
    static const char *const sanitized[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
    return IS_SANITIZED ? sanitized : NULL;
}

static SandboxHost *
new_host(SandboxMode mode)
{
    const SandboxJob program = {
        .argv = (const char *const[]){"/proc/self/exe", "serve", NULL},
        .environment = environment(),
        .proc = IS_SANITIZED,
    };
    return sandbox_host_new(mode, &program);
}

/* Which way the tests go; main() changes it between them. */
static bool hosted;

static SandboxResult *
run_with(
    SandboxHost *host, SandboxMode mode, const char *name, const char *argument, int timeout_s,
    int input, Cancel *cancel, GError **error)
{
    const char *const argv[] = {"/proc/self/exe", "probe", name, argument, NULL};
    const SandboxJob job = {
        .argv = host != NULL ? argv + 2 : argv,
        .environment = environment(),
        .input_fd = input,
        .max_output_bytes = 100000,
        .max_memory_bytes = IS_SANITIZED ? 0 : 256 * MEGABYTE,
        .timeout_s = timeout_s,
        .proc = IS_SANITIZED,
    };
    return host != NULL ? sandbox_host_run(host, &job, cancel, error)
                        : sandbox_run(mode, &job, cancel, error);
}

static SandboxResult *
run_for(
    SandboxMode mode, const char *name, const char *argument, int timeout_s, Cancel *cancel,
    GError **error)
{
    const int input = file_with("some input");
    g_autoptr(SandboxHost) host = hosted ? new_host(mode) : NULL;
    SandboxResult *result = run_with(host, mode, name, argument, timeout_s, input, cancel, error);
    close(input);
    return result;
}

static SandboxResult *
run(SandboxMode mode, const char *name, const char *argument)
{
    g_autoptr(GError) error = NULL;
    SandboxResult *result = run_for(mode, name, argument, 20, NULL, &error);
    g_assert_no_error(error);
    return result;
}

static void
assert_exit(SandboxMode mode, const char *name, const char *argument, int status)
{
    g_autoptr(SandboxResult) result = run(mode, name, argument);
    if (result->end != SANDBOX_EXITED || result->status != status)
        g_test_message("%s, %s: %s", sandbox_mode_name(mode), name, result->talk->str);
    g_assert_cmpint(result->end, ==, SANDBOX_EXITED);
    g_assert_cmpint(result->status, ==, status);
}

static bool
works_here(SandboxMode mode)
{
    g_autoptr(GError) error = NULL;
    SandboxMode chosen;
    return sandbox_choose(sandbox_mode_name(mode), &chosen, &error);
}

/* True once for each sandbox that works here. */
static bool
next_sandbox(size_t *i, SandboxMode *mode)
{
    for (; MODES[*i] != SANDBOX_OFF; (*i)++)
        if (works_here(MODES[*i]))
        {
            *mode = MODES[(*i)++];
            return true;
        }
    return false;
}

#define EACH_SANDBOX(mode)                                                                         \
    SandboxMode mode = SANDBOX_OFF;                                                                \
    for (size_t sandbox_index = 0; next_sandbox(&sandbox_index, &(mode));)

static void
assert_refused(const char *name, const char *argument)
{
    EACH_SANDBOX(mode)
    assert_exit(mode, name, argument, REFUSED);
    assert_exit(SANDBOX_OFF, name, argument, WORKED);
}

/* Without Landlock, plain mode leaves world-readable files readable. */
static bool
guards_files(SandboxMode mode)
{
    return mode == SANDBOX_BUBBLEWRAP || syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 1;
}

static void
assert_file_refused(const char *name, const char *path)
{
    EACH_SANDBOX(mode)
    if (guards_files(mode))
        assert_exit(mode, name, path, REFUSED);
    assert_exit(SANDBOX_OFF, name, path, WORKED);
}

/* --- what works ------------------------------------------------------------------------------- */

static void
test_program_reads_its_input_and_writes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(SandboxResult) result = run(MODES[i], "copy", "");
            if (result->end != SANDBOX_EXITED)
                g_test_message("%s: %s", sandbox_mode_name(MODES[i]), result->talk->str);
            g_assert_cmpint(result->end, ==, SANDBOX_EXITED);
            g_assert_cmpint(result->status, ==, 0);
            g_assert_cmpstr(result->output->str, ==, "some input");
        }
}

static void
test_exit_status_and_signal_are_told(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            assert_exit(MODES[i], "exit", "7", 7);
            g_autoptr(SandboxResult) result = run(MODES[i], "crash", "");
            g_assert_true(result->end == SANDBOX_SIGNALLED || IS_SANITIZED);
        }
}

static void
test_missing_program_is_a_failure(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
    {
        g_autoptr(GError) error = NULL;
        const SandboxJob job = {
            .argv = (const char *const[]){"/nonexistent/program", NULL},
            .max_output_bytes = 1,
            .timeout_s = 10,
        };
        g_assert_null(sandbox_run(MODES[i], &job, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    }
}

static void
test_program_that_cannot_be_executed_is_a_failure(void)
{
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const SandboxJob job = {
        .argv = (const char *const[]){"/etc/hostname", NULL},
        .input_fd = nothing,
        .max_output_bytes = 1,
        .timeout_s = 10,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(GError) error = NULL;
            g_assert_null(sandbox_run(MODES[i], &job, NULL, &error));
            g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
            g_assert_null(strchr(error->message, '\n'));
        }
    close(nothing);
}

static void
test_modes_have_names(void)
{
    SandboxMode mode;
    g_autoptr(GError) error = NULL;
    g_assert_true(sandbox_choose("plain", &mode, &error));
    g_assert_cmpint(mode, ==, SANDBOX_PLAIN);
    g_assert_true(sandbox_choose("off", &mode, &error));
    g_assert_cmpint(mode, ==, SANDBOX_OFF);
    g_assert_false(sandbox_choose("none", &mode, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_auto_is_never_off(void)
{
    SandboxMode mode = SANDBOX_OFF;
    g_assert_true(sandbox_choose("auto", &mode, NULL));
    g_assert_cmpint(mode, !=, SANDBOX_OFF);
    g_assert_true(works_here(SANDBOX_BUBBLEWRAP) == (mode == SANDBOX_BUBBLEWRAP));
}

/* Else a mistake of ours would let every test of it be passed over. */
static void
test_bubblewrap_is_found_where_it_works(void)
{
    g_auto(GStrv) command = g_strsplit("bwrap --unshare-all --ro-bind / / true", " ", -1);
    int status = 1;
    const bool ran = g_spawn_sync(
        NULL, command, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
        NULL, &status, NULL);
    g_assert_true(works_here(SANDBOX_BUBBLEWRAP) == (ran && status == 0));
}

static void
test_missing_bubblewrap_has_a_hint(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_setenv("PATH", "/nonexistent", TRUE);
    g_assert_null(run_for(SANDBOX_BUBBLEWRAP, "copy", "", 10, NULL, &error));
    g_setenv("PATH", path, TRUE);
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "\ninstall bubblewrap"));
}

/* --- what is refused ----------------------------------------------------------------------------
 */

static void
test_has_no_network(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in bound = {0};
    socklen_t length = sizeof(bound);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_assert_cmpint(bind(listener, (const struct sockaddr *) &address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 4), ==, 0);
    g_assert_cmpint(getsockname(listener, (struct sockaddr *) &bound, &length), ==, 0);
    g_autofree char *port = g_strdup_printf("%d", ntohs(bound.sin_port));

    EACH_SANDBOX(mode)
    {
        assert_exit(mode, "connect", port, REFUSED);
        g_assert_cmpint(accept(listener, NULL, NULL), <, 0);
    }
    assert_exit(SANDBOX_OFF, "connect", port, WORKED);
    const int caller = accept(listener, NULL, NULL);
    g_assert_cmpint(caller, >=, 0);
    close(caller);
    close(listener);
}

static void
test_has_no_sockets(void)
{
    g_autofree char *internet = g_strdup_printf("%d", AF_INET6);
    g_autofree char *local = g_strdup_printf("%d", AF_UNIX);
    g_autofree char *kernel = g_strdup_printf("%d", AF_NETLINK);
    assert_refused("socket", internet);
    assert_refused("socket", local);
    assert_refused("socket", kernel);
}

static char *
make_secret(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "test-sandbox-XXXXXX", NULL);
    const int fd = g_mkstemp_full(path, O_RDWR, 0644);
    g_assert_cmpint(write(fd, "secret", 6), ==, 6);
    g_assert_cmpint(fchmod(fd, 0666), ==, 0);
    close(fd);
    return path;
}

static void
test_cannot_read_other_files(void)
{
    g_autofree char *secret = make_secret();
    assert_file_refused("read", "/etc/passwd");
    assert_file_refused("read", secret);
    assert_file_refused("list", "/var");
    unlink(secret);
}

/* Not even where the kernel has no Landlock. */
static void
test_cannot_change_files(void)
{
    g_autofree char *secret = make_secret();
    g_autofree char *other = g_strconcat(secret, "-other", NULL);
    assert_refused("create", other);
    unlink(other);
    assert_refused("overwrite", secret);
    assert_refused("unlink", secret);
    unlink(secret);
}

static void
test_cannot_start_processes(void)
{
    assert_refused("fork", "");
}

static void
test_cannot_touch_other_processes(void)
{
    g_autofree char *pid = g_strdup_printf("%d", getpid());
    assert_refused("ptrace", "");
    assert_refused("signal", pid);
    assert_refused("limit", pid);
}

static void
test_cannot_make_namespaces(void)
{
    EACH_SANDBOX(mode)
    assert_exit(mode, "namespace", "", REFUSED);
}

static void
test_dangerous_calls_are_gone(void)
{
    assert_refused("calls", "");
}

static void
test_sees_no_secret_in_its_environment(void)
{
    g_setenv("AWS_SECRET_ACCESS_KEY", "x", TRUE);
    g_setenv("PGPASSWORD", "x", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
            assert_exit(MODES[i], "environment", "", REFUSED);
    g_unsetenv("AWS_SECRET_ACCESS_KEY");
    g_unsetenv("PGPASSWORD");
}

static void
test_inherits_no_descriptor(void)
{
    const int low = dup(0);
    const int high = fcntl(0, F_DUPFD, 57);
    g_autofree char *low_name = g_strdup_printf("%d", low);
    g_autofree char *high_name = g_strdup_printf("%d", high);
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            assert_exit(MODES[i], "descriptor", low_name, REFUSED);
            assert_exit(MODES[i], "descriptor", high_name, REFUSED);
        }
    close(low);
    close(high);
}

/* A container may know no user but root. */
static bool
can_become_another(void)
{
    const pid_t pid = fork();
    if (pid == 0)
        _exit(geteuid() != 0 || syscall(SYS_setresuid, 65534, 65534, 65534) == 0 ? 0 : 1);
    int status = 1;
    waitpid(pid, &status, 0);
    return status == 0;
}

static void
test_has_three_descriptors(void)
{
    if (IS_SANITIZED)
    {
        g_test_skip("the sanitizer may have its own");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
            assert_exit(MODES[i], "descriptors", "", REFUSED);
}

static void
test_is_not_root(void)
{
    EACH_SANDBOX(mode)
    if (mode == SANDBOX_BUBBLEWRAP || can_become_another())
        assert_exit(mode, "root", "", REFUSED);
}

static void
test_seal_takes_files_programs_and_code(void)
{
    static const char *const probes[] = {"sealed-open", "sealed-execute", "sealed-code"};
    EACH_SANDBOX(mode)
    for (size_t i = 0; i < G_N_ELEMENTS(probes); i++)
    {
        assert_exit(mode, probes[i], "seal", REFUSED);
        assert_exit(mode, probes[i], "", WORKED);
    }
}

static void
test_seal_leaves_computing(void)
{
    EACH_SANDBOX(mode)
    assert_exit(mode, "sealed-compute", "", WORKED);
}

/* --- limits
 * --------------------------------------------------------------------------------------- */

static void
test_memory_is_limited(void)
{
    if (IS_SANITIZED)
    {
        g_test_skip("the sanitizer needs the address space itself");
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            assert_exit(MODES[i], "memory", "300", REFUSED);
            assert_exit(MODES[i], "memory", "20", WORKED);
        }
}

static void
assert_times_out(SandboxMode mode, const char *name)
{
    g_autoptr(GError) error = NULL;
    const gint64 begin = g_get_monotonic_time();
    g_autoptr(SandboxResult) result = run_for(mode, name, "", 1, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(result->end, ==, SANDBOX_TIMED_OUT);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_USEC_PER_SEC);
}

static void
test_time_is_limited(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            assert_times_out(MODES[i], "sleep");
            assert_times_out(MODES[i], "spin");
        }
}

static void
test_output_is_limited(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(SandboxResult) result = run(MODES[i], "flood", "1");
            g_assert_cmpint(result->end, ==, SANDBOX_OUTPUT_TOO_LARGE);
            g_assert_cmpuint(result->output->len, ==, 100000);
        }
}

static void
test_talk_is_limited(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(GError) error = NULL;
            g_autoptr(SandboxResult) result = run_for(MODES[i], "flood", "2", 1, NULL, &error);
            g_assert_no_error(error);
            g_assert_cmpint(result->end, ==, SANDBOX_TIMED_OUT);
            g_assert_cmpuint(result->talk->len, <, 5000);
        }
}

/* --- ending
 * ---------------------------------------------------------------------------------------- */

static void *
request_soon(void *cancel)
{
    g_usleep(200 * 1000);
    cancel_request(cancel);
    return NULL;
}

static void
test_stop_ends_it_at_once(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(GError) error = NULL;
            g_autoptr(Cancel) cancel = cancel_new();
            pthread_t thread;
            g_assert_cmpint(pthread_create(&thread, NULL, request_soon, cancel), ==, 0);
            const gint64 begin = g_get_monotonic_time();
            g_assert_null(run_for(MODES[i], "sleep", "", 20, cancel, &error));
            g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
            g_assert_cmpint(g_get_monotonic_time() - begin, <, 5 * G_USEC_PER_SEC);
            pthread_join(thread, NULL);
            g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
        }
}

static bool
is_alive(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", pid);
    g_autofree char *stat = NULL;
    return g_file_get_contents(path, &stat, NULL, NULL) && strstr(stat, ") Z ") == NULL;
}

static void
test_nobody_is_left_behind(void)
{
    g_autoptr(SandboxResult) result = run(SANDBOX_OFF, "orphan", "");
    const pid_t orphan = atoi(result->output->str);
    g_assert_cmpint(orphan, >, 1);
    for (int i = 0; i < 100 && is_alive(orphan); i++)
        g_usleep(50 * 1000);
    g_assert_false(is_alive(orphan));
}

/* A killed vecferry leaves no program running. */
static void
test_program_dies_with_its_parent(void)
{
    EACH_SANDBOX(mode)
    {
        int ends[2];
        g_assert_cmpint(pipe(ends), ==, 0);
        const pid_t parent = fork();
        if (parent == 0)
        {
            /* The one descriptor that the program gets. */
            SandboxHost *host = hosted ? new_host(mode) : NULL;
            run_with(host, mode, "sleep", "", 60, ends[1], NULL, NULL);
            _exit(1);
        }
        close(ends[1]);
        g_usleep(500 * 1000);
        kill(parent, SIGKILL);
        waitpid(parent, NULL, 0);

        char byte;
        struct timespec patience = {.tv_sec = 20};
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(ends[0], &readable);
        g_assert_cmpint(pselect(ends[0] + 1, &readable, NULL, NULL, &patience, NULL), ==, 1);
        g_assert_cmpint(read(ends[0], &byte, 1), ==, 0);
        close(ends[0]);
    }
}

static guint
count_descriptors(void)
{
    guint count = 0;
    g_autoptr(GDir) directory = g_dir_open("/proc/self/fd", 0, NULL);
    while (g_dir_read_name(directory) != NULL)
        count++;
    return count;
}

static void
test_no_descriptor_stays_open(void)
{
    const guint before = count_descriptors();
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            const SandboxJob job = {
                .argv = (const char *const[]){"/etc/hostname", NULL}, .timeout_s = 1};
            g_autoptr(SandboxResult) result = run(MODES[i], "copy", "");
            g_assert_nonnull(result);
            g_assert_null(sandbox_run(MODES[i], &job, NULL, NULL));
        }
    g_assert_cmpuint(count_descriptors(), ==, before);
}

static void *
run_several(void *failures)
{
    for (int i = 0; i < 5; i++)
        for (size_t m = 0; m < G_N_ELEMENTS(MODES); m++)
            if (works_here(MODES[m]))
            {
                g_autoptr(SandboxResult) result = run(MODES[m], "copy", "");
                if (strcmp(result->output->str, "some input") != 0)
                    g_atomic_int_inc((int *) failures);
            }
    return NULL;
}

static void
test_many_threads_may_run_programs(void)
{
    int failures = 0;
    pthread_t threads[6];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, run_several, &failures), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(failures, ==, 0);
}

/* --- hosts ---------------------------------------------------------------------------------- */

static void
assert_job(SandboxHost *host, const char *name, SandboxEnd end, int status, const char *output)
{
    g_autoptr(GError) error = NULL;
    const int input = file_with("some input");
    g_autoptr(SandboxResult) result = run_with(host, 0, name, "7", 1, input, NULL, &error);
    close(input);
    g_assert_no_error(error);
    g_assert_cmpint(result->end, ==, end);
    g_assert_cmpint(result->status, ==, status);
    g_assert_cmpstr(result->output->str, ==, output);
}

static void
test_job_finds_nothing_of_the_one_before(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(SandboxHost) host = new_host(MODES[i]);
            assert_job(host, "count", SANDBOX_EXITED, 0, "1");
            assert_job(host, "count", SANDBOX_EXITED, 0, "1");
            assert_job(host, "copy", SANDBOX_EXITED, 0, "some input");
            assert_job(host, "count", SANDBOX_EXITED, 0, "1");
        }
}

static void
test_bad_job_leaves_the_next_alone(void)
{
    g_autofree char *flood = g_strnfill(100000, 'x');
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(SandboxHost) host = new_host(MODES[i]);
            assert_job(host, "exit", SANDBOX_EXITED, 7, "");
            assert_job(host, "copy", SANDBOX_EXITED, 0, "some input");
            assert_job(host, "sleep", SANDBOX_TIMED_OUT, 0, "");
            assert_job(host, "copy", SANDBOX_EXITED, 0, "some input");
            {
                g_autoptr(SandboxResult) result =
                    run_with(host, 0, "flood", "1", 20, 0, NULL, NULL);
                g_assert_cmpint(result->end, ==, SANDBOX_OUTPUT_TOO_LARGE);
                g_assert_cmpstr(result->output->str, ==, flood);
            }
            assert_job(host, "copy", SANDBOX_EXITED, 0, "some input");
        }
}

/* The only child of that process; it may take a moment. */
static pid_t
child_of(pid_t parent)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", parent, parent);
    for (int i = 0; i < 200; i++)
    {
        g_autofree char *children = NULL;
        if (!g_file_get_contents(path, &children, NULL, NULL))
            return 0; /* not every kernel tells */
        if (*children != '\0')
            return atoi(children);
        g_usleep(10 * 1000);
    }
    return 0;
}

/* Kills the host (0), or its child that waits for the next job (1), between two jobs. */
static void
assert_next_job_after_death_of(int depth)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (MODES[i] != SANDBOX_BUBBLEWRAP)
        {
            g_autoptr(SandboxHost) host = new_host(MODES[i]);
            assert_job(host, "copy", SANDBOX_EXITED, 0, "some input");
            pid_t victim = child_of(getpid());
            if (depth > 0 && victim > 0)
                victim = child_of(victim);
            if (victim == 0)
            {
                g_test_skip("the kernel does not list children");
                return;
            }
            kill(victim, SIGKILL);
            g_usleep(50 * 1000);
            assert_job(host, "copy", SANDBOX_EXITED, 0, "some input");
            assert_job(host, "exit", SANDBOX_EXITED, 7, "");
        }
}

static void
test_host_that_died_is_replaced(void)
{
    assert_next_job_after_death_of(0);
}

/* Its end would else be taken for the next job's, whose end for that of the one after it. */
static void
test_child_that_died_unasked_is_nobodys_end(void)
{
    assert_next_job_after_death_of(1);
}

/* bwrap has two processes that are not bound to each other from the beginning. */
static void
test_nobody_is_left_by_a_death_at_the_start(void)
{
    SandboxMode mode; /* the trial of bwrap is not made by each child again */
    g_assert_true(sandbox_choose("auto", &mode, NULL));
    g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1), ==, 0);
    for (int delay_us = 0; delay_us < 15000; delay_us += 100)
    {
        const pid_t parent = fork();
        if (parent == 0)
        {
            SandboxHost *host = new_host(mode);
            run_with(host, mode, "sleep", "", 60, 0, NULL, NULL);
            _exit(1);
        }
        g_usleep((gulong) delay_us);
        kill(parent, SIGKILL);
        for (int i = 0; i < 500 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
            g_usleep(2000);
        g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void
test_program_that_does_not_serve_is_a_failure(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MODES); i++)
        if (works_here(MODES[i]))
        {
            g_autoptr(GError) error = NULL;
            const SandboxJob program = {.argv = (const char *const[]){"/usr/bin/true", NULL}};
            g_autoptr(SandboxHost) host = sandbox_host_new(MODES[i], &program);
            g_assert_null(run_with(host, MODES[i], "copy", "", 20, 0, NULL, &error));
            g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
        }
}

typedef struct
{
    void (*test)(void);
    bool hosted;
} Way;

static void
run_way(const void *data)
{
    const Way *way = data;
    hosted = way->hosted;
    way->test();
    hosted = false;
}

/* As a program of its own, and as a job of a host. */
static void
add_both(const char *name, void (*test)(void))
{
    for (int way = 0; way < 2; way++)
    {
        g_autofree char *path = g_strconcat(way == 0 ? "/sandbox/" : "/hosted/", name, NULL);
        Way *data = g_new(Way, 1);
        *data = (Way){.test = test, .hosted = way == 1};
        g_test_add_data_func_full(path, data, run_way, g_free);
    }
}

static int
serve(void)
{
    g_auto(GStrv) arguments = sandbox_serve();
    return arguments == NULL ? 0 : run_probe(arguments[0], arguments[1]);
}

int
main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "probe") == 0)
        return run_probe(argv[2], argv[3]);
    if (argc == 2 && strcmp(argv[1], "serve") == 0)
        return serve();

    g_test_init(&argc, &argv, NULL);
    add_both("program reads its input and writes", test_program_reads_its_input_and_writes);
    add_both("exit status and signal are told", test_exit_status_and_signal_are_told);
    g_test_add_func("/sandbox/missing program is a failure", test_missing_program_is_a_failure);
    g_test_add_func(
        "/sandbox/program that cannot be executed is a failure",
        test_program_that_cannot_be_executed_is_a_failure);
    g_test_add_func("/sandbox/modes have names", test_modes_have_names);
    g_test_add_func("/sandbox/auto is never off", test_auto_is_never_off);
    g_test_add_func(
        "/sandbox/bubblewrap is found where it works", test_bubblewrap_is_found_where_it_works);
    add_both("missing bubblewrap has a hint", test_missing_bubblewrap_has_a_hint);
    add_both("has no network", test_has_no_network);
    add_both("has no sockets", test_has_no_sockets);
    add_both("cannot read other files", test_cannot_read_other_files);
    add_both("cannot change files", test_cannot_change_files);
    add_both("cannot start processes", test_cannot_start_processes);
    add_both("cannot touch other processes", test_cannot_touch_other_processes);
    add_both("cannot make namespaces", test_cannot_make_namespaces);
    add_both("dangerous calls are gone", test_dangerous_calls_are_gone);
    add_both("sees no secret in its environment", test_sees_no_secret_in_its_environment);
    add_both("inherits no descriptor", test_inherits_no_descriptor);
    add_both("has three descriptors", test_has_three_descriptors);
    add_both("is not root", test_is_not_root);
    add_both("seal takes files, programs and code", test_seal_takes_files_programs_and_code);
    add_both("seal leaves computing", test_seal_leaves_computing);
    add_both("memory is limited", test_memory_is_limited);
    add_both("time is limited", test_time_is_limited);
    add_both("output is limited", test_output_is_limited);
    add_both("talk is limited", test_talk_is_limited);
    add_both("stop ends it at once", test_stop_ends_it_at_once);
    add_both("nobody is left behind", test_nobody_is_left_behind);
    add_both("no descriptor stays open", test_no_descriptor_stays_open);
    add_both("program dies with its parent", test_program_dies_with_its_parent);
    add_both("many threads may run programs", test_many_threads_may_run_programs);
    g_test_add_func(
        "/host/job finds nothing of the one before", test_job_finds_nothing_of_the_one_before);
    g_test_add_func("/host/bad job leaves the next alone", test_bad_job_leaves_the_next_alone);
    g_test_add_func("/host/one that died is replaced", test_host_that_died_is_replaced);
    g_test_add_func(
        "/host/child that died unasked is nobody's end",
        test_child_that_died_unasked_is_nobodys_end);
    g_test_add_func(
        "/host/nobody is left by a death at the start",
        test_nobody_is_left_by_a_death_at_the_start);
    g_test_add_func(
        "/host/program that does not serve is a failure",
        test_program_that_does_not_serve_is_a_failure);
    return g_test_run();
}
