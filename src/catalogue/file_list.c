#include "catalogue/file_list.h"

#include "base/error.h"
#include "catalogue/export_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ListedFile *
listed_file_new(const char *path, gint64 items)
{
    ListedFile *file = g_new0(ListedFile, 1);
    file->path = g_strdup(path);
    file->items = items;
    return file;
}

void
listed_file_free(ListedFile *file)
{
    g_free(file->path);
    g_free(file);
}

int
file_list_open(const char *path, GError **error)
{
    struct stat status;

    /* Without waiting for the writer of a pipe. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) != 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not open \"%s\": %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    if (!S_ISREG(status.st_mode))
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is not a regular file", path);
        vf_error_hint(error, "write the table's items to a file first: it is read several times");
        close(fd);
        return -1;
    }
    return fd;
}

static gboolean
is_catalogue_file(const char *name)
{
    return *name != '.' && !export_manifest_is(name) &&
           (g_str_has_suffix(name, ".json") || g_str_has_suffix(name, ".json.gz"));
}

static int
by_name(const void *left, const void *right)
{
    return strverscmp((*(ListedFile *const *) left)->path, (*(ListedFile *const *) right)->path);
}

static GPtrArray *
files_in(const char *folder, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &cause);
    if (dir == NULL)
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_USAGE, cause->message);
        return NULL;
    }

    GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify) listed_file_free);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;)
        if (is_catalogue_file(name))
        {
            g_autofree char *path = g_build_filename(folder, name, NULL);
            g_ptr_array_add(files, listed_file_new(path, -1));
        }
    g_ptr_array_sort(files, by_name);
    return files;
}

/* The manifest decides: a file of the export that was not copied would be missed by
 * nobody else. */
static GPtrArray *
files_of_export(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = export_manifest_read(folder, error);

    for (guint i = 0; files != NULL && i < files->len; i++)
    {
        const ListedFile *file = files->pdata[i];
        if (!g_file_test(file->path, G_FILE_TEST_EXISTS))
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_BAD_INPUT,
                "the export is not complete: its manifest names \"%s\", which is not there",
                file->path);
            vf_error_hint(error, "copy the whole export from S3");
            return NULL;
        }
    }
    if (files != NULL)
        g_ptr_array_sort(files, by_name);
    return g_steal_pointer(&files);
}

/* What a folder without a manifest stands for: the data of an export lie one deeper. */
static GPtrArray *
files_by_ending(const char *folder, GError **error)
{
    g_autoptr(GPtrArray) files = files_in(folder, error);
    if (files == NULL || files->len > 0)
        return g_steal_pointer(&files);

    g_autofree char *data = g_build_filename(folder, "data", NULL);
    if (g_file_test(data, G_FILE_TEST_IS_DIR))
        return files_in(data, error);
    return g_steal_pointer(&files);
}

static GPtrArray *
files_of_folder(const char *folder, GError **error)
{
    GError *cause = NULL;
    g_autoptr(GPtrArray) files = files_of_export(folder, &cause);

    if (files == NULL && cause == NULL)
        files = files_by_ending(folder, &cause);
    if (files == NULL)
    {
        g_propagate_error(error, cause);
        return NULL;
    }
    if (files->len == 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the folder \"%s\" holds no .json or .json.gz file",
            folder);
        return NULL;
    }
    return g_steal_pointer(&files);
}

GPtrArray *
file_list(const char *path, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return files_of_folder(path, error);

    const int fd = file_list_open(path, error);
    if (fd < 0)
        return NULL;
    close(fd);

    GPtrArray *files = g_ptr_array_new_with_free_func((GDestroyNotify) listed_file_free);
    g_ptr_array_add(files, listed_file_new(path, -1));
    return files;
}

char *
file_list_stamp(const GPtrArray *files, GError **error)
{
    GString *stamp = g_string_new(NULL);

    for (guint i = 0; i < files->len; i++)
    {
        const ListedFile *file = files->pdata[i];
        struct stat status;
        if (stat(file->path, &status) != 0)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_USAGE, "could not look at \"%s\": %s", file->path,
                g_strerror(errno));
            return g_string_free(stamp, TRUE);
        }
        g_string_append_printf(
            stamp, "%s %ju %ju %jd %jd.%09ld %jd.%09ld\n", file->path, (uintmax_t) status.st_dev,
            (uintmax_t) status.st_ino, (intmax_t) status.st_size, (intmax_t) status.st_mtim.tv_sec,
            status.st_mtim.tv_nsec, (intmax_t) status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
    }
    return g_string_free(stamp, FALSE);
}
