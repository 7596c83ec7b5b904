/*
 * A host, in its own process.  It forks and waits, no more: it takes no request and sees no
 * foreign byte, so its next child is as innocent as its first.
 */
#include "sandbox/filter.h"
#include "sandbox/request.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS STDIN_FILENO

#define EXIT_NO_REQUEST 0
#define EXIT_NOT_CONFINED 127

typedef struct
{
    HostRequest header;
    char **arguments;
    int descriptors[REQUEST_DESCRIPTORS];
} Job;

static bool
answer(AnswerKind kind, int wait_status)
{
    const HostAnswer said = {.kind = (int) kind, .wait_status = wait_status};
    return send(REQUESTS, &said, sizeof(said), MSG_NOSIGNAL) == (ssize_t) sizeof(said);
}

/* --- a child -------------------------------------------------------------------------- */

static char **
arguments_in(const char *bytes, size_t length)
{
    g_autoptr(GStrvBuilder) arguments = g_strv_builder_new();
    for (const char *end = bytes + length; bytes < end; bytes += strlen(bytes) + 1)
        g_strv_builder_add(arguments, bytes);
    return g_strv_builder_end(arguments);
}

/* False when nobody asks any more, or not so. */
static bool
receive(Job *job)
{
    char bytes[MAX_REQUEST_BYTES + 1];
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(job->descriptors))];
    struct iovec place = {.iov_base = bytes, .iov_len = MAX_REQUEST_BYTES};
    struct msghdr message = {
        .msg_iov = &place,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    ssize_t got;
    while ((got = recvmsg(REQUESTS, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        continue;
    const struct cmsghdr *passed = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (got < (ssize_t) sizeof(job->header) ||
        (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || passed == NULL ||
        passed->cmsg_type != SCM_RIGHTS || passed->cmsg_len != CMSG_LEN(sizeof(job->descriptors)))
        return false;

    bytes[got] = '\0';
    memcpy(&job->header, bytes, sizeof(job->header));
    memcpy(job->descriptors, CMSG_DATA(passed), sizeof(job->descriptors));
    job->arguments = arguments_in(bytes + sizeof(job->header), (size_t) got - sizeof(job->header));
    return true;
}

/* The request's descriptors become 0, 1 and 2; the way to the host's caller is gone with that. */
static bool
arrange_descriptors(const Job *job)
{
    for (int i = 0; i < REQUEST_DESCRIPTORS; i++)
        if (dup2(job->descriptors[i], i) != i)
            return false;
    if (syscall(SYS_close_range, REQUEST_DESCRIPTORS, ~0U, 0) == 0)
        return true;
    for (int fd = REQUEST_DESCRIPTORS; fd < (int) sysconf(_SC_OPEN_MAX); fd++)
        close(fd); /* kernels before 5.9 */
    return true;
}

static bool
is_bound_to(pid_t host)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == host;
}

/* The same, and nothing foreign yet, for each child. */
static char **
take_job(pid_t host, const struct sock_fprog *filter)
{
    Job job;
    if (!is_bound_to(host) || !receive(&job) || !answer(ANSWER_TAKEN, 0))
        _exit(EXIT_NO_REQUEST);
    if (!arrange_descriptors(&job) || !confine_job(&job.header.limits, filter))
    {
        dprintf(STDERR_FILENO, "could not confine itself: %s\n", g_strerror(errno));
        _exit(EXIT_NOT_CONFINED);
    }
    return job.arguments;
}

/* --- the host ------------------------------------------------------------------------- */

static bool
prepare_filter(struct sock_fprog *filter)
{
    const int fd = filter_for_program(NULL);
    const bool good = fd >= 0 && filter_read(fd, filter, NULL);
    if (fd >= 0)
        close(fd);
    return good;
}

static int
wait_for(pid_t child)
{
    int wait_status = 0;
    while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR)
        continue;
    return wait_status;
}

/* The child is made before it is needed: it stands ready when its request comes. */
char **
sandbox_serve(void)
{
    const pid_t host = getpid();
    struct sock_fprog filter = {0};
    bool asked = prepare_filter(&filter);
    while (asked)
    {
        const pid_t child = fork();
        if (child == 0)
            return take_job(host, &filter);
        asked = child > 0 && answer(ANSWER_ENDED, wait_for(child));
    }
    g_free(filter.filter);
    return NULL;
}
