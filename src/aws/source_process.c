/*
 * source_process.c - keys that a program of the user's prints (credential_process).
 *
 * Its line is split as a shell would, but no shell sees it.  It reads nothing, may print so much,
 * and has a minute; it and its children end with our wish to stop.
 */
#include "aws/keys_json.h"
#include "aws/source.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIME_LIMIT_S 60
#define MAX_OUTPUT_BYTES (64 * 1024)
#define MAX_WORDS_BYTES 2000

typedef struct
{
    GPid pid;
    int out;
    int err;
    GString *output;
    GString *words; /* the beginning of what it says on stderr */
} Process;

/* Between fork and exec, so only what is safe there. */
static void
become_leader(void *data)
{
    sigset_t none;
    (void) data;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool
start(const char *line, Process *process, GError **error)
{
    g_auto(GStrv) words = NULL;
    g_autoptr(GError) problem = NULL;

    if (!g_shell_parse_argv(line, NULL, &words, NULL))
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE, "it cannot be split into words: a quote is open");
        return false;
    }
    if (!g_spawn_async_with_pipes(
            NULL, words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, become_leader, NULL,
            &process->pid, NULL, &process->out, &process->err, &problem))
    {
        g_autofree char *name = aws_quote(words[0]);
        const bool missing = g_error_matches(problem, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not start %s: %s", name,
            missing ? "there is no such program" : "the system refuses to");
        return false;
    }
    fcntl(process->out, F_SETFL, O_NONBLOCK);
    fcntl(process->err, F_SETFL, O_NONBLOCK);
    process->output = g_string_sized_new(MAX_OUTPUT_BYTES + 1); /* it must not move: it is secret */
    process->words = g_string_new(NULL);
    return true;
}

static void
process_clear(Process *process)
{
    if (process->out >= 0)
        close(process->out);
    if (process->err >= 0)
        close(process->err);
    if (process->output != NULL)
    {
        explicit_bzero(process->output->str, process->output->len);
        g_string_free(process->output, TRUE);
    }
    if (process->words != NULL)
        g_string_free(process->words, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Process, process_clear)

/* Reads what is there; closes the descriptor at its end. */
static void
drain(int *fd, GString *text, size_t max_bytes)
{
    char bytes[4096];
    ssize_t got;

    while ((got = read(*fd, bytes, sizeof bytes)) > 0)
    {
        const size_t room = max_bytes > text->len ? max_bytes - text->len : 0;
        g_string_append_len(text, bytes, (gssize) MIN((size_t) got, room));
        explicit_bzero(bytes, (size_t) got);
        if ((size_t) got > room)
            break;
    }
    if (got == 0)
    {
        close(*fd);
        *fd = -1;
    }
}

/* Hears it to the end of its output. */
static bool
hear(Process *process, gint64 deadline_us, Cancel *cancel, GError **error)
{
    while (process->out >= 0 || process->err >= 0)
    {
        const gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
        struct pollfd fds[] = {
            {.fd = cancel_fd(cancel), .events = POLLIN},
            {.fd = process->out, .events = POLLIN},
            {.fd = process->err, .events = POLLIN},
        };

        if (left_ms > 0)
            poll(fds, G_N_ELEMENTS(fds), (int) left_ms);
        if (!cancel_check(cancel, error))
            return false;
        if (process->out >= 0)
            drain(&process->out, process->output, MAX_OUTPUT_BYTES + 1);
        if (process->err >= 0)
            drain(&process->err, process->words, MAX_WORDS_BYTES);
        if (process->output->len > MAX_OUTPUT_BYTES)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_FAILED, "it printed more than %d bytes",
                MAX_OUTPUT_BYTES);
            return false;
        }
        if (left_ms <= 0)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_DENIED, "it did not end within %d s", TIME_LIMIT_S);
            vf_error_hint(error, "it cannot ask for anything here: run it once by hand");
            return false;
        }
    }
    return true;
}

/* Its exit status by then, though it closed its output long before. */
static bool
await_end(GPid pid, gint64 deadline_us, Cancel *cancel, int *status)
{
    pid_t ended;

    while ((ended = waitpid(pid, status, WNOHANG)) == 0 && g_get_monotonic_time() < deadline_us)
        if (!cancel_sleep(cancel, 10))
            break;
    return ended == pid;
}

static bool
check_status(const Process *process, int status, GError **error)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    g_strstrip(process->words->str);
    const char *last = strrchr(process->words->str, '\n');
    g_autofree char *words = aws_quote(last != NULL ? last + 1 : process->words->str);
    g_set_error(
        error, VF_ERROR, VF_ERROR_DENIED, "it ended with %s %d%s%s",
        WIFEXITED(status) ? "status" : "signal",
        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), *words != '\0' ? ": " : "",
        words);
    return false;
}

static bool
run(Process *process, Cancel *cancel, GError **error)
{
    const gint64 deadline_us = g_get_monotonic_time() + TIME_LIMIT_S * G_USEC_PER_SEC;
    int status = 0;
    const bool heard = hear(process, deadline_us, cancel, error);

    if (heard && await_end(process->pid, deadline_us, cancel, &status))
        return check_status(process, status, error);
    kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
    {
    }
    if (heard && cancel_check(cancel, error))
        g_set_error(error, VF_ERROR, VF_ERROR_DENIED, "it did not end within %d s", TIME_LIMIT_S);
    return false;
}

static AwsKeys *
keys_of(const char *line, Cancel *cancel, GError **error)
{
    g_auto(Process) process = {.out = -1, .err = -1};

    if (!start(line, &process, error) || !run(&process, cancel, error))
        return NULL;
    g_autoptr(SecretJson) json = secret_json_read(process.output->str, process.output->len);
    if (json == NULL)
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_FAILED, "it printed no JSON object");
        return NULL;
    }
    if (json_integer_value(json_object_get(json, "Version")) != 1)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED, "it printed another version of the format than 1");
        return NULL;
    }
    return aws_keys_from_json(json, "SessionToken", error);
}

AwsKeys *
aws_process_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    const char *line = aws_profile_value(search->files, search->profile, "credential_process");

    if (line == NULL)
        return NULL;
    AwsKeys *keys = keys_of(line, cancel, error);
    if (keys == NULL)
        g_prefix_error(error, "the credential_process of profile \"%s\": ", search->profile);
    else
        *origin = g_strdup_printf("profile \"%s\" (credential_process)", search->profile);
    return keys;
}
