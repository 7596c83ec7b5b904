/*
 * Names come from a catalogue that users write to.  Each must be one plain component
 * of a path, and the kernel is told to resolve the whole beneath the folder, so that
 * a symbolic link cannot lead out of it either.
 */
#include "base/error.h"
#include "document/document_source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct
{
    DocumentSource base;
    int folder;
    char *bucket;
    gint64 max_bytes;
} FolderSource;

static char *
key_of(const Bot *bot, const Source *source)
{
    return g_strdup_printf("%s/%s/documents/%s", bot->user, bot->id, source->name);
}

static bool
is_component(const char *name)
{
    return name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strchr(name, '/') == NULL;
}

static bool
names_are_plain(const Bot *bot, const Source *source, GError **error)
{
    if (is_component(bot->user) && is_component(bot->id) && is_component(source->name))
        return true;
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "the user, the bot or the file has a name that cannot be a file's");
    return false;
}

/* Not waiting for the writer of a fifo, not taking over a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* For kernels and sandboxes without openat2: step by step, following no link at all. */
static int
open_by_steps(int folder, const char *key)
{
    g_auto(GStrv) names = g_strsplit(key, "/", -1);
    int at = fcntl(folder, F_DUPFD_CLOEXEC, 0);

    for (size_t i = 0; at >= 0 && names[i] != NULL; i++)
    {
        const bool is_last = names[i + 1] == NULL;
        const int flags = is_last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC;
        const int next = openat(at, names[i], flags | O_NOFOLLOW);
        const int saved = errno;

        close(at);
        errno = saved;
        at = next;
    }
    return at;
}

static int
open_beneath(int folder, const char *key)
{
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = -1;

    /* EAGAIN: something was renamed while the kernel walked. */
    for (int attempt = 0; attempt < 10; attempt++)
    {
        fd = (int) syscall(SYS_openat2, folder, key, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_by_steps(folder, key);
    return fd;
}

static void
set_open_error(int number, GError **error)
{
    switch (number)
    {
    case ENOENT:
    case ENOTDIR:
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the file is missing");
        return;
    case EXDEV:
    case ELOOP:
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "the file's name leads out of the folder");
        return;
    case ENXIO:
    case ENODEV:
    case EISDIR:
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "it is not a regular file");
        return;
    case EACCES:
    case ENAMETOOLONG:
    case EINVAL:
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "the file cannot be read: %s", g_strerror(number));
        return;
    default:
        g_set_error(
            error, VF_ERROR, VF_ERROR_BUSY, "the file cannot be read now: %s", g_strerror(number));
    }
}

static bool
is_usable(const FolderSource *self, const struct stat *stat, GError **error)
{
    if (!S_ISREG(stat->st_mode))
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "it is not a regular file");
        return false;
    }
    if (self->max_bytes > 0 && stat->st_size > self->max_bytes)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT,
            "the file has %" G_GINT64_FORMAT " bytes, more than the limit of %" G_GINT64_FORMAT,
            (gint64) stat->st_size, self->max_bytes);
        return false;
    }
    return true;
}

/* Opens the file and tells its facts; -1 with the error set. */
static int
open_file(
    const FolderSource *self, const Bot *bot, const Source *source, DocumentFacts *facts,
    GError **error)
{
    if (source->kind != SOURCE_FILE)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "a folder holds no source of the kind %s",
            source_kind_name(source->kind));
        return -1;
    }
    if (!names_are_plain(bot, source, error))
        return -1;

    g_autofree char *key = key_of(bot, source);
    const int fd = open_beneath(self->folder, key);
    struct stat stat;

    if (fd < 0 || fstat(fd, &stat) != 0)
    {
        set_open_error(errno, error);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!is_usable(self, &stat, error))
    {
        close(fd);
        return -1;
    }
    facts->bytes = stat.st_size;
    facts->modified_ms = (gint64) stat.st_mtim.tv_sec * 1000 + stat.st_mtim.tv_nsec / 1000000;
    return fd;
}

static bool
folder_probe(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel,
    DocumentFacts *facts, GError **error)
{
    if (!cancel_check(cancel, error))
        return false;
    const int fd = open_file((const FolderSource *) base, bot, source, facts, error);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}

static Document *
folder_open(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel, GError **error)
{
    DocumentFacts facts;

    if (!cancel_check(cancel, error))
        return NULL;
    const int fd = open_file((const FolderSource *) base, bot, source, &facts, error);
    if (fd < 0)
        return NULL;

    Document *document = document_new(fd, source->name);
    document->facts = facts;
    return document;
}

static char *
folder_label(DocumentSource *base, const Bot *bot, const Source *source)
{
    const FolderSource *self = (const FolderSource *) base;
    g_autofree char *key = key_of(bot, source);

    if (source->kind != SOURCE_FILE)
        return g_strdup(source->name);
    return self->bucket != NULL ? g_strdup_printf("s3://%s/%s", self->bucket, key)
                                : g_steal_pointer(&key);
}

static void
folder_free(DocumentSource *base)
{
    FolderSource *self = (FolderSource *) base;
    close(self->folder);
    g_free(self->bucket);
    g_free(self);
}

DocumentSource *
folder_source_new(const char *folder, const char *bucket, gint64 max_bytes, GError **error)
{
    const int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not open the folder \"%s\": %s", folder,
            g_strerror(errno));
        return NULL;
    }

    FolderSource *self = g_new0(FolderSource, 1);
    self->base = (DocumentSource){
        .probe = folder_probe, .open = folder_open, .label = folder_label, .free = folder_free};
    self->folder = fd;
    self->bucket = g_strdup(bucket);
    self->max_bytes = max_bytes;
    return &self->base;
}
