/*
 * bench-split FILE [SIZE OVERLAP] - how fast each variant cuts the file into chunks.
 */
#include "chunk/split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum
{
    ROUNDS = 3,
};

typedef struct
{
    guint64 chunks;
    guint64 bytes;
} Yield;

static Yield
split_once(const char *text, const SplitOptions *options)
{
    g_autoptr(GError) error = NULL;
    Yield yield = {0};
    char *chunk;

    g_autoptr(Split) split = split_begin(text, options, &error);
    if (split == NULL)
    {
        fprintf(stderr, "bench-split: %s\n", error->message);
        exit(EXIT_FAILURE);
    }
    while ((chunk = split_next(split)) != NULL)
    {
        yield.chunks++;
        yield.bytes += strlen(chunk);
        g_free(chunk);
    }
    return yield;
}

static void
measure(const char *text, gsize length, const SplitOptions *options)
{
    gint64 best_us = G_MAXINT64;
    Yield yield = {0};

    for (int round = 0; round < ROUNDS; round++)
    {
        gint64 start = g_get_monotonic_time();
        yield = split_once(text, options);
        best_us = MIN(best_us, g_get_monotonic_time() - start);
    }
    printf(
        "%-10s %8.1f MB/s %8.3f s  %" G_GUINT64_FORMAT " chunks, %.1f MB\n",
        split_variant_name(options->variant), (double) length / (double) MAX(best_us, 1),
        (double) best_us / 1e6, yield.chunks, (double) yield.bytes / 1e6);
}

/* The high-water mark, which only grows. */
static void
print_memory(void)
{
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    if (status == NULL)
        return;
    while (fgets(line, sizeof line, status) != NULL)
        if (g_str_has_prefix(line, "VmHWM"))
            fputs(line, stdout);
    fclose(status);
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gsize length;

    if (argc != 2 && argc != 4)
    {
        fprintf(stderr, "usage: bench-split FILE [SIZE OVERLAP]\n");
        return EXIT_FAILURE;
    }
    if (!g_file_get_contents(argv[1], &text, &length, &error))
    {
        fprintf(stderr, "bench-split: %s\n", error->message);
        return EXIT_FAILURE;
    }

    int size = argc == 4 ? atoi(argv[2]) : 1000;
    int overlap = argc == 4 ? atoi(argv[3]) : 200;
    print_memory();
    for (int variant = SPLIT_GUIDE; variant <= SPLIT_CORRECTED; variant++)
        measure(text, length, &(SplitOptions){(SplitVariant) variant, size, overlap});
    print_memory();
    return EXIT_SUCCESS;
}
