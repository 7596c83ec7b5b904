/*
 * byte_stream.h - the bytes of a file, unpacked on the way when it is gzip.
 *
 * gzip is known by its first bytes, not by the file's name.  Several members one
 * after another are one stream.  A file that is cut off, or has anything else
 * after its last member, is an error: what is missing could be somebody's bots.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct ByteStream ByteStream;

/* Takes the descriptor over, which stands at the file's beginning. */
ByteStream *byte_stream_new(int fd);

/* Up to that many bytes; 0 at the end; -1 with VF_ERROR_BAD_INPUT (damaged gzip) or
 * VF_ERROR_FAILED (reading failed). */
ssize_t byte_stream_read(ByteStream *stream, void *buffer, size_t bytes, GError **error);

void byte_stream_free(ByteStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ByteStream, byte_stream_free)
