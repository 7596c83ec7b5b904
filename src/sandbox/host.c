/*
 * The caller's side of a host.  Whatever ends a job early ends its host: that is rare, and
 * nothing has to be told apart then.
 */
#include "base/error.h"
#include "sandbox/bubblewrap.h"
#include "sandbox/process.h"
#include "sandbox/request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_HOST_TALK_BYTES 4096

struct SandboxHost
{
    SandboxMode mode;
    char **argv;
    char **environment;
    char **readable;
    bool proc;

    Process process;
    int socket; /* -1 while there is no process */
};

static char **
copied(const char *const *strings)
{
    g_autoptr(GStrvBuilder) copy = g_strv_builder_new();
    for (; strings != NULL && *strings != NULL; strings++)
        g_strv_builder_add(copy, *strings);
    return g_strv_builder_end(copy);
}

SandboxHost *
sandbox_host_new(SandboxMode mode, const SandboxJob *program)
{
    SandboxHost *host = g_new(SandboxHost, 1);
    *host = (SandboxHost){
        .mode = mode,
        .argv = copied(program->argv),
        .environment = copied(program->environment),
        .readable = copied(program->readable),
        .proc = program->proc,
        .process = NO_PROCESS,
        .socket = -1,
    };
    return host;
}

/* --- its process ------------------------------------------------------------------------ */

static void
stop(SandboxHost *host)
{
    process_close(&host->socket);
    if (host->process.pid > 0)
        process_end(&host->process);
    process_clear(&host->process);
}

void
sandbox_host_free(SandboxHost *host)
{
    if (host == NULL)
        return;
    stop(host);
    g_strfreev(host->argv);
    g_strfreev(host->environment);
    g_strfreev(host->readable);
    g_free(host);
}

static bool
start_with(SandboxHost *host, int requests, GError **error)
{
    const SandboxJob program = {
        .argv = (const char *const *) host->argv,
        .environment = (const char *const *) host->environment,
        .readable = (const char *const *) host->readable,
        .input_fd = requests,
        .proc = host->proc,
    };
    g_auto(Confinement) confinement = NO_CONFINEMENT;
    return confinement_prepare_host(&confinement, host->mode, &program, error) &&
           process_start(&host->process, &confinement, error);
}

static bool
start(SandboxHost *host, GError **error)
{
    int ends[2];
    if (host->process.pid > 0)
        return true;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not open a socket: %s", g_strerror(errno));
        return false;
    }
    host->socket = ends[0];
    const bool started = start_with(host, ends[1], error);
    close(ends[1]);
    if (!started)
        stop(host);
    return started;
}

static bool
set_lost(SandboxHost *host, GError **error)
{
    g_autoptr(GString) talk = g_string_new(NULL);
    process_drain(&host->process.talk.read, talk, MAX_HOST_TALK_BYTES);
    stop(host);
    if (host->mode == SANDBOX_BUBBLEWRAP && bubblewrap_complains(talk->str))
        bubblewrap_set_error(error, host->argv[0], talk->str);
    else
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "%s ended in the sandbox \"%s\" without an answer",
            host->argv[0], sandbox_mode_name(host->mode));
    return false;
}

/* --- a request --------------------------------------------------------------------------- */

typedef struct
{
    SandboxHost *host;
    Pipe output;
    Pipe talk;
    bool taken;
    bool lost; /* the host, and how the job ended with it */
    int wait_status;
} Request;

static void
request_clear(Request *request)
{
    process_close_pipe(&request->output);
    process_close_pipe(&request->talk);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Request, request_clear)

static GByteArray *
request_bytes(const SandboxHost *host, const SandboxJob *job)
{
    GByteArray *bytes = g_byte_array_new();
    const HostRequest header = {
        .limits = {
            .max_memory_bytes = job->max_memory_bytes,
            .timeout_s = job->timeout_s,
            .filtered = host->mode != SANDBOX_OFF,
        }};
    g_byte_array_append(bytes, (const guint8 *) &header, sizeof(header));
    for (const char *const *argument = job->argv; *argument != NULL; argument++)
        g_byte_array_append(bytes, (const guint8 *) *argument, (guint) strlen(*argument) + 1);
    return bytes;
}

static bool
send_request(Request *request, const SandboxJob *job)
{
    g_autoptr(GByteArray) bytes = request_bytes(request->host, job);
    const int descriptors[REQUEST_DESCRIPTORS] = {
        job->input_fd, request->output.write, request->talk.write};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(descriptors))] = {0};
    struct iovec part = {.iov_base = bytes->data, .iov_len = bytes->len};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    struct cmsghdr *passed = CMSG_FIRSTHDR(&message);
    passed->cmsg_level = SOL_SOCKET;
    passed->cmsg_type = SCM_RIGHTS;
    passed->cmsg_len = CMSG_LEN(sizeof(descriptors));
    memcpy(CMSG_DATA(passed), descriptors, sizeof(descriptors));

    ssize_t sent;
    while ((sent = sendmsg(request->host->socket, &message, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        continue;
    return sent == (ssize_t) bytes->len;
}

static bool
has_ended(void *data)
{
    Request *request = data;
    HostAnswer answer;
    ssize_t got;
    while ((got = recv(request->host->socket, &answer, sizeof(answer), MSG_DONTWAIT)) ==
           (ssize_t) sizeof(answer))
    {
        if (answer.kind == ANSWER_ENDED)
        {
            request->lost = !request->taken;
            request->wait_status = answer.wait_status;
            return true;
        }
        request->taken = true;
    }
    request->lost = got >= 0 || (errno != EAGAIN && errno != EINTR);
    return request->lost;
}

static Outcome
attend(Request *request, const SandboxJob *job, Cancel *cancel, SandboxResult *result)
{
    const Listening listening = {
        .output = &request->output.read,
        .talk = &request->talk.read,
        .ended_fd = request->host->socket,
        .has_ended = has_ended,
        .data = request,
    };
    return process_attend(&listening, job, cancel, result);
}

/* All that a host can tell while it has nothing to do is an end: its waiting child's or its own. */
static bool
is_silent(const SandboxHost *host)
{
    HostAnswer answer;
    return recv(host->socket, &answer, sizeof(answer), MSG_DONTWAIT | MSG_PEEK) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

/*
 * A host that ended while it had nothing to do is no job's fault: *again is set then, and
 * another one may try.  One that has told so gets no job at all: its next child would begin it.
 */
static SandboxResult *
run_once(SandboxHost *host, const SandboxJob *job, Cancel *cancel, bool *again, GError **error)
{
    if (host->process.pid > 0 && !is_silent(host))
        stop(host);
    const bool rested = host->process.pid > 0;
    g_auto(Request) request = {.host = host, .output = NO_PIPE, .talk = NO_PIPE};
    if (!start(host, error) || !process_open_pipe(&request.output, error) ||
        !process_open_pipe(&request.talk, error))
        return NULL;

    g_autoptr(SandboxResult) result = process_result_new();
    request.lost = !send_request(&request, job);
    process_close(&request.output.write);
    process_close(&request.talk.write);
    const Outcome outcome = request.lost ? ENDED : attend(&request, job, cancel, result);
    if (outcome == ENDED && request.lost)
    {
        *again = rested && !request.taken;
        set_lost(host, error);
        return NULL;
    }
    if (outcome != ENDED)
        stop(host);
    if (process_judge(outcome, job, request.wait_status, result))
        return g_steal_pointer(&result);
    cancel_check(cancel, error);
    return NULL;
}

SandboxResult *
sandbox_host_run(SandboxHost *host, const SandboxJob *job, Cancel *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    bool again = false;
    if (!cancel_check(cancel, error))
        return NULL;

    const off_t beginning = lseek(job->input_fd, 0, SEEK_CUR);
    SandboxResult *result = run_once(host, job, cancel, &again, &problem);
    if (again)
    {
        g_clear_error(&problem);
        /* Somebody may have read before the end was told.  What cannot be rewound is a pipe. */
        if (beginning >= 0)
            lseek(job->input_fd, beginning, SEEK_SET);
        result = run_once(host, job, cancel, &again, &problem);
    }
    if (result == NULL)
        g_propagate_error(error, g_steal_pointer(&problem));
    return result;
}
