#include "document/unnamed_file.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int
unnamed_file_new(GError **error)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        fd = memfd_create("document", MFD_CLOEXEC);
    if (fd < 0)
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not create a temporary file: %s",
            g_strerror(errno));
    return fd;
}

int
unnamed_file_finish(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    const int read_only = open(path, O_RDONLY | O_CLOEXEC);

    /* Without /proc the writable descriptor has to do. */
    if (read_only < 0)
    {
        lseek(fd, 0, SEEK_SET);
        return fd;
    }
    close(fd);
    return read_only;
}
