#include "definition/tool.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Debian's place for the programs of each major version. */
#define DEBIAN_ROOT "/usr/lib/postgresql"

#define MAX_LAST_WORDS 2000

void
tool_free(Tool *tool)
{
    if (tool == NULL)
        return;
    g_free(tool->folder);
    g_free(tool);
}

/* --- finding ------------------------------------------------------------------------------- */

static bool
has_programs(const char *folder)
{
    g_autofree char *dump = g_build_filename(folder, "pg_dump", NULL);
    g_autofree char *restore = g_build_filename(folder, "pg_restore", NULL);
    return access(dump, X_OK) == 0 && access(restore, X_OK) == 0;
}

/* What `pg_dump --version` says: "pg_dump (PostgreSQL) 15.20 (Debian …)". */
static int
version_of(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "pg_dump", NULL);
    char option[] = "--version";
    char *argv[] = {path, option, NULL};
    g_autofree char *said = NULL;

    if (!g_spawn_sync(
            NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &said, NULL, NULL, NULL))
        return 0;
    const char *number = said == NULL ? NULL : strstr(said, ") ");
    return number == NULL ? 0 : (int) g_ascii_strtoll(number + 2, NULL, 10);
}

static void
add_tool(GPtrArray *tools, const char *folder, int version)
{
    if (version == 0)
        return;
    Tool *tool = g_new0(Tool, 1);
    tool->folder = g_strdup(folder);
    tool->version = version;
    g_ptr_array_add(tools, tool);
}

static void
look_in_debian(GPtrArray *tools)
{
    GDir *root = g_dir_open(DEBIAN_ROOT, 0, NULL);
    const char *name;

    while (root != NULL && (name = g_dir_read_name(root)) != NULL)
    {
        g_autofree char *folder = g_build_filename(DEBIAN_ROOT, name, "bin", NULL);
        if (has_programs(folder))
            add_tool(tools, folder, (int) g_ascii_strtoll(name, NULL, 10));
    }
    if (root != NULL)
        g_dir_close(root);
}

/* Debian's pg_dump in /usr/bin chooses a version itself, by what clusters this machine has. */
static bool
is_wrapped(const char *folder)
{
    g_autofree char *path = g_build_filename(folder, "pg_dump", NULL);
    g_autofree char *real = realpath(path, NULL);
    return real != NULL && g_str_has_suffix(real, "/pg_wrapper");
}

static void
look_in_path(GPtrArray *tools)
{
    g_auto(GStrv) folders = g_strsplit(g_getenv("PATH") == NULL ? "" : g_getenv("PATH"), ":", -1);

    for (char **folder = folders; *folder != NULL; folder++)
        if (g_path_is_absolute(*folder) && has_programs(*folder) && !is_wrapped(*folder))
            add_tool(tools, *folder, version_of(*folder));
}

/* Newer ones may write what an older target does not understand, so: no newer than need be. */
static const Tool *
fitting(const GPtrArray *tools, int needed, int wished)
{
    const Tool *best = NULL;

    for (guint i = 0; i < tools->len; i++)
    {
        const Tool *tool = tools->pdata[i];
        if (tool->version < needed)
            continue;
        if (best == NULL || (best->version < wished && tool->version > best->version) ||
            (tool->version >= wished && tool->version < best->version))
            best = tool;
    }
    return best;
}

Tool *
tool_find(int needed, int wished, GError **error)
{
    g_autoptr(GPtrArray) tools = g_ptr_array_new_with_free_func((GDestroyNotify) tool_free);

    look_in_path(tools);
    look_in_debian(tools);
    const Tool *found = fitting(tools, needed, wished);
    if (found == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED,
            "definitions are copied by pg_dump and pg_restore of version %d or later, and there is "
            "none here",
            needed);
        vf_error_hint(
            error,
            "install them (Debian's package postgresql-client-%d), or make the tables in the "
            "target "
            "and use --data-only",
            needed);
        return NULL;
    }
    Tool *tool = g_new0(Tool, 1);
    tool->folder = g_strdup(found->folder);
    tool->version = found->version;
    return tool;
}

/* --- running ------------------------------------------------------------------------------- */

static void
close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

typedef struct
{
    char *path;
    char **argv;
    char **environment;
    int input;
    int output;
    int talk;
    pid_t parent;
} Child;

/* Between fork and exec: only system calls. */
static void
become(const Child *child)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->parent)
        _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(child->input, STDIN_FILENO);
    dup2(child->output, STDOUT_FILENO);
    dup2(child->talk, STDERR_FILENO);
    setpgid(0, 0);
    execve(child->path, child->argv, child->environment);
    _exit(127);
}

/* Its wait status; it is killed when the stop is asked for. */
static int
wait_for(pid_t pid, Cancel *cancel)
{
    int ended = pidfd_open(pid, 0);
    struct pollfd fds[2] = {
        {.fd = ended, .events = POLLIN},
        {.fd = cancel_fd(cancel), .events = POLLIN},
    };
    int status = 0;

    while (ended >= 0 && poll(fds, 2, -1) < 0 && errno == EINTR)
        continue;
    if (cancel_requested(cancel))
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close_descriptor(&ended);
    return status;
}

char *
tool_text(int fd, GError **error)
{
    struct stat facts;
    size_t length = 0;

    if (fstat(fd, &facts) != 0)
        facts.st_size = 0;
    g_autofree char *text = g_malloc((size_t) facts.st_size + 1);
    while (length < (size_t) facts.st_size)
    {
        const ssize_t had =
            pread(fd, text + length, (size_t) facts.st_size - length, (off_t) length);
        if (had <= 0)
            break;
        length += (size_t) had;
    }
    text[length] = '\0';
    if (length == (size_t) facts.st_size && strlen(text) == length)
        return g_steal_pointer(&text);
    g_set_error_literal(error, VF_ERROR, VF_ERROR_FAILED, "a file in memory could not be read");
    return NULL;
}

/* The last lines that say what went wrong, as one. */
static char *
last_words(int talk)
{
    g_autofree char *all = tool_text(talk, NULL);
    if (all == NULL)
        return g_strdup("");
    g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
    GString *words = g_string_new(NULL);

    for (char **line = lines; *line != NULL && words->len < MAX_LAST_WORDS; line++)
    {
        const char *error = strstr(*line, "error: ");
        const char *detail = strstr(*line, "detail: ");
        if (error != NULL || detail != NULL)
            g_string_append_printf(
                words, "%s%s", words->len == 0 ? "" : "; ", error != NULL ? error + 7 : detail + 8);
    }
    if (words->len == 0)
        g_string_append(words, g_strstrip(all));
    return g_strdelimit(g_string_free(words, FALSE), "\n", ' ');
}

static VfError
code_of_words(const char *words)
{
    if (strstr(words, "permission denied") != NULL)
        return VF_ERROR_DENIED;
    if (strstr(words, "connection to server") != NULL ||
        strstr(words, "server closed the connection") != NULL ||
        strstr(words, "terminating connection") != NULL ||
        strstr(words, "invalid snapshot identifier") != NULL)
        return VF_ERROR_CONNECT;
    return VF_ERROR_FAILED;
}

static bool
run_child(const Child *child, const char *program, Cancel *cancel, GError **error)
{
    const pid_t pid = fork();
    if (pid == 0)
        become(child);
    if (pid < 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not start %s: %s", program, g_strerror(errno));
        return false;
    }
    const int status = wait_for(pid, cancel);
    if (!cancel_check(cancel, error))
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    g_autofree char *words = last_words(child->talk);
    g_set_error(
        error, VF_ERROR, (int) code_of_words(words), "%s failed: %s", program,
        *words == '\0' ? "it said nothing" : words);
    return false;
}

static char **
copy_of(const char *const *argv)
{
    g_autoptr(GStrvBuilder) copy = g_strv_builder_new();
    for (; *argv != NULL; argv++)
        g_strv_builder_add(copy, *argv);
    return g_strv_builder_end(copy);
}

int
tool_run(
    const Tool *tool, const char *program, const char *const *argv, char **environment,
    int input_fd, Cancel *cancel, GError **error)
{
    g_autofree char *path = g_build_filename(tool->folder, program, NULL);
    g_auto(GStrv) arguments = copy_of(argv);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int output = memfd_create("vecferry-definitions", MFD_CLOEXEC);
    int talk = memfd_create("vecferry-talk", MFD_CLOEXEC);
    const Child child = {
        .path = path,
        .argv = arguments,
        .environment = environment,
        .input = input_fd < 0 ? nothing : input_fd,
        .output = output,
        .talk = talk,
        .parent = getpid(),
    };

    if (!run_child(&child, program, cancel, error))
        close_descriptor(&output);
    else
        lseek(output, 0, SEEK_SET);
    close_descriptor(&nothing);
    close_descriptor(&talk);
    return output;
}
