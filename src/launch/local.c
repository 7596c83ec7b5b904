/*
 * local.c - workers as child processes of this one.
 *
 * The order, which may hold a password, goes to the child through an unnamed file
 * and never through its arguments.  What the child says comes through a pipe, line by
 * line; its last words on stderr are kept for the report.
 */
#include "base/error.h"
#include "launch/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ORDER_FD 3

/* More in one line is not an event of ours, and passed over. */
#define MAX_LINE_BYTES (64 * 1024)
#define MAX_LAST_WORDS 2000

/* Of one pipe before the others have their turn; more than a pipe holds. */
#define READS_AT_A_TURN 16

typedef struct
{
    gint64 intent;
    pid_t pid;
    int exit; /* readable when the process has ended; -1 on a kernel that cannot tell */
    int out;
    int err;
    bool ended; /* and its status is known */
    int status;
    GString *line; /* what came of the next line so far */
    bool line_too_long;
    GString *last_words; /* the end of stderr */
    GQueue *said;        /* lines that wait to be reported */
} Worker;

typedef struct
{
    Launcher base;
    char *program;
    GPtrArray *workers; /* of Worker */
} LocalLauncher;

static void
close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void
worker_free(void *data)
{
    Worker *worker = data;
    close_descriptor(&worker->exit);
    close_descriptor(&worker->out);
    close_descriptor(&worker->err);
    g_string_free(worker->line, TRUE);
    g_string_free(worker->last_words, TRUE);
    g_queue_free_full(worker->said, g_free);
    g_free(worker);
}

static int
order_file(const WorkOrder *order, GError **error)
{
    g_autofree char *text = work_order_to_text(order);
    const int fd = memfd_create("vecferry-order", MFD_CLOEXEC);
    const size_t length = strlen(text);

    if (fd >= 0 && write(fd, text, length) == (ssize_t) length && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not write a worker's order: %s",
        g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

typedef struct
{
    int order;
    int out;
    int err;
    pid_t parent;
} ChildSide;

/* Between fork and exec, so only what is safe there.  Every other descriptor closes on exec. */
static void
become_worker(void *data)
{
    const ChildSide *side = data;
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != side->parent)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(side->out, STDOUT_FILENO);
    dup2(side->err, STDERR_FILENO);
    if (side->order == ORDER_FD)
        fcntl(ORDER_FD, F_SETFD, 0);
    else
        dup2(side->order, ORDER_FD);
    setpgid(0, 0);
}

static pid_t
fork_worker(char *program, const ChildSide *side)
{
    char embed[] = "embed";
    char option[] = "--order-fd";
    char number[] = G_STRINGIFY(ORDER_FD);
    char *arguments[] = {program, embed, option, number, NULL};
    const pid_t pid = fork();

    if (pid != 0)
        return pid;
    const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(nothing, STDIN_FILENO);
    ChildSide copy = *side;
    become_worker(&copy);
    execv(program, arguments);
    _exit(127);
}

static bool
local_launch(
    Launcher *self, const Intent *intent, const WorkOrder *order, char **task, GError **error)
{
    LocalLauncher *launcher = (LocalLauncher *) self;
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    const int order_fd = order_file(order, error);

    if (order_fd < 0)
        return false;
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_BUSY, "could not make a pipe: %s", g_strerror(errno));
        close(order_fd);
        close_descriptor(&out[0]);
        close_descriptor(&out[1]);
        return false;
    }

    const ChildSide side = {order_fd, out[1], err[1], getpid()};
    const pid_t pid = fork_worker(launcher->program, &side);
    close(order_fd);
    close(out[1]);
    close(err[1]);
    if (pid < 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BUSY, "could not start a process: %s", g_strerror(errno));
        close(out[0]);
        close(err[0]);
        return false;
    }

    setpgid(pid, pid); /* here too: whoever comes first */
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(err[0], F_SETFL, O_NONBLOCK);
    Worker *worker = g_new0(Worker, 1);
    worker->intent = intent->id;
    worker->pid = pid;
    worker->exit = pidfd_open(pid, 0);
    worker->out = out[0];
    worker->err = err[0];
    worker->line = g_string_new(NULL);
    worker->last_words = g_string_new(NULL);
    worker->said = g_queue_new();
    g_ptr_array_add(launcher->workers, worker);
    *task = g_strdup_printf("process %d", (int) pid);
    return true;
}

static void
end_line(Worker *worker)
{
    if (!worker->line_too_long)
        g_queue_push_tail(worker->said, g_strdup(worker->line->str));
    worker->line_too_long = false;
    g_string_truncate(worker->line, 0);
}

/* Takes the bytes apart into lines that wait to be reported. */
static void
hear(Worker *worker, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
    {
        if (bytes[i] == '\n')
            end_line(worker);
        else if (worker->line->len < MAX_LINE_BYTES)
            g_string_append_c(worker->line, bytes[i]);
        else
            worker->line_too_long = true;
    }
}

static void
keep_last_words(Worker *worker, const char *bytes, size_t length)
{
    g_string_append_len(worker->last_words, bytes, (gssize) length);
    if (worker->last_words->len > MAX_LAST_WORDS)
        g_string_erase(worker->last_words, 0, (gssize) (worker->last_words->len - MAX_LAST_WORDS));
}

/* Reads what is there, but not for ever; closes the descriptor at its end. */
static void
drain(Worker *worker, int *fd, void (*take)(Worker *, const char *, size_t))
{
    char bytes[8192];

    for (int i = 0; i < READS_AT_A_TURN && *fd >= 0; i++)
    {
        const ssize_t got = read(*fd, bytes, sizeof bytes);
        if (got > 0)
            take(worker, bytes, (size_t) got);
        else if (got == 0)
            close_descriptor(fd);
        else if (errno != EINTR)
            return;
    }
}

static void
drain_both(Worker *worker)
{
    drain(worker, &worker->err, keep_last_words);
    drain(worker, &worker->out, hear);
}

static bool
has_ended(const Worker *worker)
{
    struct pollfd wish = {.fd = worker->exit, .events = POLLIN};
    return worker->exit < 0 ? worker->out < 0 && worker->err < 0 : poll(&wish, 1, 0) == 1;
}

/* Its children go with it; then its last words are in the pipes. */
static void
bury(Worker *worker)
{
    kill(-worker->pid, SIGKILL);
    while (waitpid(worker->pid, &worker->status, 0) < 0 && errno == EINTR)
    {
    }
    drain_both(worker);
    worker->ended = true;
}

/* The last line that is not the hint below an error; spoils the words. */
static const char *
last_error(char *words)
{
    for (;;)
    {
        g_strstrip(words);
        char *end = strrchr(words, '\n');
        if (end == NULL || !g_str_has_prefix(end + 1, "hint: "))
            return end == NULL ? words : end + 1;
        *end = '\0';
    }
}

static char *
describe_end(const Worker *worker)
{
    const int status = worker->status;
    g_autofree char *words = g_strdup(worker->last_words->str);
    const char *line = last_error(words);

    if (WIFSIGNALED(status))
        return g_strdup_printf(
            "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) == 0)
        return NULL;
    return g_strdup_printf(
        "exit status %d%s%s", WEXITSTATUS(status), *line == '\0' ? "" : ": ", line);
}

/* The first worker with something to tell: a line, or its end.  False when all are quiet. */
static bool
take_news(LocalLauncher *launcher, LauncherReport *report)
{
    for (guint i = 0; i < launcher->workers->len; i++)
    {
        Worker *worker = launcher->workers->pdata[i];
        g_autofree char *line = NULL;
        while ((line = g_queue_pop_head(worker->said)) != NULL)
        {
            if (work_event_from_line(line, &report->event, NULL))
            {
                report->news = LAUNCHER_SAID;
                report->intent = worker->intent;
                return true;
            }
            g_clear_pointer(&line, g_free);
        }
        if (!worker->ended)
            continue;
        report->news = LAUNCHER_ENDED;
        report->intent = worker->intent;
        report->how = describe_end(worker);
        g_ptr_array_remove_index(launcher->workers, i);
        return true;
    }
    return false;
}

/* Waits until a worker says something or ends, or the stop; then reads what there is. */
static void
listen_to_workers(LocalLauncher *launcher, Cancel *cancel, int timeout_ms)
{
    g_autofree struct pollfd *fds = g_new0(struct pollfd, launcher->workers->len * 3 + 1);
    nfds_t count = 0;

    fds[count++] = (struct pollfd){.fd = cancel_fd(cancel), .events = POLLIN};
    for (guint i = 0; i < launcher->workers->len; i++)
    {
        const Worker *worker = launcher->workers->pdata[i];
        fds[count++] = (struct pollfd){.fd = worker->exit, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = worker->out, .events = POLLIN};
        fds[count++] = (struct pollfd){.fd = worker->err, .events = POLLIN};
    }
    if (poll(fds, count, timeout_ms) <= 0)
        return;
    for (guint i = 0; i < launcher->workers->len; i++)
    {
        Worker *worker = launcher->workers->pdata[i];
        if (has_ended(worker))
            bury(worker);
        else
            drain_both(worker);
    }
}

static bool
local_next(Launcher *self, Cancel *cancel, int timeout_ms, LauncherReport *report, GError **error)
{
    LocalLauncher *launcher = (LocalLauncher *) self;
    (void) error;

    if (take_news(launcher, report))
        return true;
    listen_to_workers(launcher, cancel, timeout_ms);
    if (!take_news(launcher, report))
        report->news = LAUNCHER_QUIET;
    return true;
}

/* The living worker of that intent, or NULL. */
static const Worker *
find_worker(const LocalLauncher *launcher, gint64 intent)
{
    for (guint i = 0; i < launcher->workers->len; i++)
    {
        const Worker *worker = launcher->workers->pdata[i];
        if (worker->intent == intent && !worker->ended)
            return worker;
    }
    return NULL;
}

/* Its children are its own affair. */
static void
local_ask_to_stop(Launcher *self, gint64 intent)
{
    const Worker *worker = find_worker((LocalLauncher *) self, intent);
    if (worker != NULL)
        kill(worker->pid, SIGTERM);
}

static void
local_stop(Launcher *self, gint64 intent)
{
    const Worker *worker = find_worker((LocalLauncher *) self, intent);
    if (worker != NULL)
        kill(-worker->pid, SIGKILL);
}

static void
local_free(Launcher *self)
{
    LocalLauncher *launcher = (LocalLauncher *) self;
    for (guint i = 0; i < launcher->workers->len; i++)
    {
        Worker *worker = launcher->workers->pdata[i];
        if (!worker->ended)
            bury(worker);
    }
    g_ptr_array_unref(launcher->workers);
    g_free(launcher->program);
    g_free(launcher);
}

Launcher *
local_launcher_new(const char *program)
{
    LocalLauncher *launcher = g_new0(LocalLauncher, 1);
    launcher->base = (Launcher){
        .launch = local_launch,
        .next = local_next,
        .ask_to_stop = local_ask_to_stop,
        .stop = local_stop,
        .free = local_free,
    };
    launcher->program = g_strdup(program);
    launcher->workers = g_ptr_array_new_with_free_func(worker_free);
    return &launcher->base;
}
