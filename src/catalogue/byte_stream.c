#include "catalogue/byte_stream.h"

#include "base/error.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum
{
    PACKED_BYTES = 64 * 1024,
    GZIP_ONLY = 16, /* added to the window's bits: what zlib's inflateInit2() takes for gzip */
};

typedef enum
{
    FORM_UNKNOWN,
    FORM_PLAIN,
    FORM_GZIP,
} Form;

struct ByteStream
{
    int fd;
    Form form;
    z_stream zlib; /* next_in, avail_in: what was read and not yet given away, in both forms */
    bool between_members;
    guchar packed[PACKED_BYTES];
};

ByteStream *
byte_stream_new(int fd)
{
    ByteStream *stream = g_new0(ByteStream, 1);
    stream->fd = fd;
    return stream;
}

void
byte_stream_free(ByteStream *stream)
{
    if (stream == NULL)
        return;
    if (stream->form == FORM_GZIP)
        inflateEnd(&stream->zlib);
    close(stream->fd);
    g_free(stream);
}

static ssize_t
read_file(ByteStream *stream, void *buffer, size_t bytes, GError **error)
{
    ssize_t got = 0;

    do
        got = read(stream->fd, buffer, bytes);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "reading failed: %s", g_strerror(errno));
    return got;
}

/* Puts more packed bytes behind those not yet used, which are moved to the front. */
static ssize_t
read_packed(ByteStream *stream, GError **error)
{
    const size_t left = stream->zlib.avail_in;

    if (left > 0)
        memmove(stream->packed, stream->zlib.next_in, left);
    stream->zlib.next_in = stream->packed;

    const ssize_t got = read_file(stream, stream->packed + left, PACKED_BYTES - left, error);
    if (got > 0)
        stream->zlib.avail_in += (uInt) got;
    return got;
}

/* Looks at the first two bytes. */
static bool
recognise(ByteStream *stream, GError **error)
{
    ssize_t got = 1;

    while (stream->zlib.avail_in < 2 && got > 0)
        got = read_packed(stream, error);
    if (got < 0)
        return false;

    if (stream->zlib.avail_in < 2 || stream->packed[0] != 0x1f || stream->packed[1] != 0x8b)
    {
        stream->form = FORM_PLAIN;
        return true;
    }
    if (inflateInit2(&stream->zlib, MAX_WBITS + GZIP_ONLY) != Z_OK)
        g_error("no memory for zlib");
    stream->form = FORM_GZIP;
    return true;
}

static ssize_t
read_plain(ByteStream *stream, guchar *buffer, size_t bytes, GError **error)
{
    if (stream->zlib.avail_in == 0)
        return read_file(stream, buffer, bytes, error);

    const size_t count = MIN(bytes, stream->zlib.avail_in);
    memcpy(buffer, stream->zlib.next_in, count);
    stream->zlib.next_in += count;
    stream->zlib.avail_in -= (uInt) count;
    return (ssize_t) count;
}

static ssize_t
damaged(const char *reason, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the gzip data are damaged: %s", reason);
    vf_error_hint(error, "copy or write the file again");
    return -1;
}

static ssize_t
read_gzip(ByteStream *stream, guchar *buffer, size_t bytes, GError **error)
{
    z_stream *zlib = &stream->zlib;

    zlib->next_out = buffer;
    zlib->avail_out = (uInt) MIN(bytes, (size_t) G_MAXUINT);
    while (zlib->next_out == buffer)
    {
        const ssize_t got = zlib->avail_in > 0 ? 1 : read_packed(stream, error);
        if (got < 0)
            return -1;
        if (got == 0)
            return stream->between_members ? 0 : damaged("they are cut off", error);

        if (stream->between_members)
            inflateReset(zlib);
        const int status = inflate(zlib, Z_NO_FLUSH);
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return damaged(zlib->msg != NULL ? zlib->msg : zError(status), error);
        stream->between_members = status == Z_STREAM_END;
    }
    return zlib->next_out - buffer;
}

ssize_t
byte_stream_read(ByteStream *stream, void *buffer, size_t bytes, GError **error)
{
    if (stream->form == FORM_UNKNOWN && !recognise(stream, error))
        return -1;
    if (stream->form == FORM_PLAIN)
        return read_plain(stream, buffer, bytes, error);
    return read_gzip(stream, buffer, bytes, error);
}
