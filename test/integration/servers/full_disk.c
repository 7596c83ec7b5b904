/*
 * full_disk.c - makes a server's disk full, for everybody alike: no mount, no privileges.
 *
 * Stands before the C library (LD_PRELOAD).  While the file $FULL_DISK.tables exists, no file of a
 * database grows; while $FULL_DISK.wal exists, nothing is written to the write-ahead log.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int
is_flagged(const char *what)
{
    const char *flag = getenv("FULL_DISK");
    char path[4096];

    if (flag == NULL)
        return 0;
    snprintf(path, sizeof path, "%s.%s", flag, what);
    return access(path, F_OK) == 0;
}

static int
is_refused(int fd, off_t end)
{
    const int saved = errno;
    char link[64];
    char path[4096] = "";
    struct stat facts;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    const int wal = length > 0 && strstr(path, "/pg_wal/") != NULL;
    const int table = length > 0 && strstr(path, "/base/") != NULL;
    const int refused = (wal && is_flagged("wal")) || (table && fstat(fd, &facts) == 0 &&
                                                       end > facts.st_size && is_flagged("tables"));
    errno = refused ? ENOSPC : saved;
    return refused;
}

static off_t
length_of(const struct iovec *parts, int count)
{
    off_t length = 0;
    for (int i = 0; i < count; i++)
        length += (off_t) parts[i].iov_len;
    return length;
}

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t
write(int fd, const void *bytes, size_t length)
{
    return is_refused(fd, lseek(fd, 0, SEEK_CUR) + (off_t) length) ? -1
                                                                   : REAL(write)(fd, bytes, length);
}

ssize_t
pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    return is_refused(fd, at + (off_t) length) ? -1 : REAL(pwrite)(fd, bytes, length, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t length, off_t at)
{
    return pwrite(fd, bytes, length, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    return is_refused(fd, at + length_of(parts, count)) ? -1 : REAL(pwritev)(fd, parts, count, at);
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
    return pwritev(fd, parts, count, at);
}

int
posix_fallocate(int fd, off_t at, off_t length)
{
    return is_refused(fd, at + length) ? ENOSPC : REAL(posix_fallocate)(fd, at, length);
}

int
posix_fallocate64(int fd, off_t at, off_t length)
{
    return posix_fallocate(fd, at, length);
}
