#include "base/nearest.h"

#include <glib.h>
#include <string.h>

/* Levenshtein's distance in bytes, one row at a time. */
static size_t
edit_distance(const char *a, const char *b)
{
    const size_t length = strlen(b);
    g_autofree size_t *row = g_new(size_t, length + 1);

    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++)
    {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++)
        {
            const size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = MIN(change, MIN(row[j], row[j + 1]) + 1);
        }
    }
    return row[length];
}

const char *
nearest(const char *word, char *const *candidates)
{
    const char *best = NULL;
    size_t best_distance = 0;

    for (size_t i = 0; candidates != NULL && candidates[i] != NULL; i++)
    {
        const size_t distance = edit_distance(word, candidates[i]);
        if (best != NULL && distance >= best_distance)
            continue;
        best = candidates[i];
        best_distance = distance;
    }
    return best;
}
