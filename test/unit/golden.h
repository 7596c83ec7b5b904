/*
 * golden.h - reads the golden files, which test/golden/README.md describes.
 */
#pragma once

#include "base/json.h"

#include <zlib.h>

static inline GByteArray *
golden_bytes(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "golden", name, NULL);
    GByteArray *bytes = g_byte_array_new();
    guint8 buffer[1 << 16];
    int count;

    gzFile file = gzopen(path, "rb");
    g_assert_nonnull(file);
    while ((count = gzread(file, buffer, sizeof buffer)) > 0)
        g_byte_array_append(bytes, buffer, (guint) count);
    g_assert_cmpint(count, ==, 0);
    g_assert_cmpint(gzclose(file), ==, Z_OK);
    return bytes;
}

/* Hands each line's object to the check and returns their number. */
static inline int
golden_each(const char *name, void (*check)(const Json *))
{
    g_autoptr(GByteArray) bytes = golden_bytes(name);
    size_t at = 0;
    int lines = 0;

    while (at + 1 < bytes->len)
    {
        json_error_t error;
        g_autoptr(Json) line = json_loadb(
            (const char *) bytes->data + at, bytes->len - at, JSON_DISABLE_EOF_CHECK, &error);
        g_assert_nonnull(line);
        check(line);
        at += (size_t) error.position;
        lines++;
    }
    return lines;
}
