#include "cli/plan_file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Plans name bots and files of all users. */
#define MODE_OF_NEW 0600

#define MAX_LINKS 40

static bool
write_all(int fd, const char *text, size_t bytes)
{
    while (bytes > 0)
    {
        const ssize_t written = write(fd, text, bytes);
        if (written < 0)
            return false;
        text += written;
        bytes -= (size_t) written;
    }
    return true;
}

/* Closes in any case; what a server or a quota says last counts too. */
static bool
close_well(int fd, bool well)
{
    const int saved = errno;
    const bool closed = close(fd) == 0;

    if (!well)
        errno = saved;
    return well && closed;
}

/* False with errno set, here and below.  A pipe that nobody reads is not waited for. */
static bool
write_into(const char *path, const char *text, size_t bytes)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd >= 0 &&
           close_well(fd, fcntl(fd, F_SETFL, O_WRONLY) == 0 && write_all(fd, text, bytes));
}

static bool
replace_file(const char *path, mode_t mode, const char *text, size_t bytes)
{
    g_autofree char *beside = g_strconcat(path, ".XXXXXX", NULL);
    const int fd = g_mkstemp_full(beside, O_WRONLY | O_CLOEXEC, MODE_OF_NEW);

    if (fd < 0)
        return false;
    const bool written =
        write_all(fd, text, bytes) && fchmod(fd, mode & 07777) == 0 && fsync(fd) == 0;
    if (close_well(fd, written) && rename(beside, path) == 0)
        return true;
    const int saved = errno;
    unlink(beside);
    errno = saved;
    return false;
}

/* Where a link leads whose end is not there yet; other paths as they are.  Yours; NULL when the
 * links go round. */
static char *
end_of_links(const char *path)
{
    g_autofree char *at = g_strdup(path);

    for (int links = 0; links < MAX_LINKS; links++)
    {
        char target[PATH_MAX];
        const ssize_t length = readlink(at, target, sizeof target - 1);
        if (length < 0)
            return g_steal_pointer(&at);
        target[length] = '\0';
        g_autofree char *folder = g_path_get_dirname(at);
        char *next =
            g_path_is_absolute(target) ? g_strdup(target) : g_build_filename(folder, target, NULL);
        g_free(at);
        at = next;
    }
    errno = ELOOP;
    return NULL;
}

static bool
make_file(const char *path, const char *text, size_t bytes)
{
    g_autofree char *end = end_of_links(path);
    return end != NULL && replace_file(end, MODE_OF_NEW, text, bytes);
}

static bool
is_our_output(const struct stat *there)
{
    struct stat output;
    return fstat(STDOUT_FILENO, &output) == 0 && output.st_dev == there->st_dev &&
           output.st_ino == there->st_ino;
}

static bool
write_to(const char *path, const char *text, size_t bytes)
{
    struct stat there;

    if (stat(path, &there) != 0)
        return errno == ENOENT && make_file(path, text, bytes);
    /* The table comes behind it. */
    if (is_our_output(&there))
        return fwrite(text, 1, bytes, stdout) == bytes && fflush(stdout) == 0;
    if (!S_ISREG(there.st_mode))
        return write_into(path, text, bytes);
    char *end = realpath(path, NULL);
    const bool written = end != NULL && replace_file(end, there.st_mode, text, bytes);
    free(end);
    return written;
}

static const char *
remedy(int number)
{
    switch (number)
    {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return "make room there, or give another place with -o";
    case ENOENT:
    case ENOTDIR:
        return "make its folder first, or give another place with -o";
    case ENXIO:
        return "start first who reads it, or give another place with -o";
    case EISDIR:
        return "give a file's name with -o, not a folder's";
    case EACCES:
    case EPERM:
    case EROFS:
        return "give a place with -o where you may write";
    default:
        return "give another place with -o";
    }
}

bool
plan_file_write(const Json *plan, const char *path, GError **error)
{
    g_autofree char *text = json_dumps(plan, JSON_INDENT(2));
    g_autoptr(GString) line = g_string_new(text);

    g_string_append_c(line, '\n');
    if (write_to(path, line->str, line->len))
        return true;
    const int number = errno;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not keep the plan in \"%s\": %s", path,
        g_strerror(number));
    vf_error_hint(error, "%s", remedy(number));
    return false;
}
