/*
 * Any text, any options: every chunk keeps the contract of split.h, and the variants
 * that promise to lose nothing lose nothing.
 *
 * The first four bytes choose the options, the rest is the text.
 */
#include "chunk/chars.h"
#include "chunk/split.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, size_t bytes);

enum
{
    OPTION_BYTES = 4,
};

static void
check_chunk(const char *chunk, const SplitOptions *options)
{
    const char *end = chunk + strlen(chunk);

    g_assert(*chunk != '\0');
    g_assert(g_utf8_validate(chunk, -1, NULL));
    g_assert(chars_count(chunk, end) <= (size_t) split_longest(options));
    g_assert(char_space(chunk) == 0 && chars_strip_end(chunk, end) == end);
}

/* Moves over the chunk's characters, which stand next in the text but for white space. */
static const char *
skip_ink(const char *text, const char *chunk)
{
    const char *chunk_end = chunk + strlen(chunk);
    const char *text_end = text + strlen(text);

    for (;;)
    {
        chunk = chars_skip_spaces(chunk, chunk_end);
        text = chars_skip_spaces(text, text_end);
        if (chunk == chunk_end)
            return text;
        g_assert(*chunk++ == *text++);
    }
}

int
LLVMFuzzerTestOneInput(const guint8 *data, size_t bytes)
{
    if (bytes < OPTION_BYTES)
        return -1;

    int size = 1 + (data[0] | (data[1] & 3) << 8);
    SplitOptions options = {
        .variant = (SplitVariant) (data[3] & 3),
        .size = size,
        .overlap = (data[3] & 4) != 0 ? data[2] % (size + 1) : 0,
    };
    g_autofree char *text = g_strndup((const char *) data + OPTION_BYTES, bytes - OPTION_BYTES);
    bool is_lossless = options.variant >= SPLIT_LATEST && options.overlap == 0;
    const char *left = text;
    char *chunk;

    g_autoptr(Split) split = split_begin(text, &options, NULL);
    if (split == NULL)
        return -1;
    while ((chunk = split_next(split)) != NULL)
    {
        check_chunk(chunk, &options);
        if (is_lossless)
            left = skip_ink(left, chunk);
        g_free(chunk);
    }
    g_assert(!is_lossless || *chars_skip_spaces(left, left + strlen(left)) == '\0');
    return 0;
}
