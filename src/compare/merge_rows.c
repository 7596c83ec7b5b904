#include "compare/merge_rows.h"

#include <string.h>

/* What one side has of a key, and the other has not. */
typedef struct
{
    gint64 rows;
    char *place; /* of the first */
} Rest;

typedef struct
{
    const RowReader *readers[SIDE_COUNT];
    ListedRow heads[SIDE_COUNT];
    Rest rests[SIDE_COUNT];
    char *key; /* that is being looked at */
} Merge;

static void
merge_clear(Merge *merge)
{
    for (int side = 0; side < SIDE_COUNT; side++)
        g_free(merge->rests[side].place);
    g_free(merge->key);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_clear)

static bool
advance(Merge *merge, Side side, GError **error)
{
    const RowReader *reader = merge->readers[side];
    return reader->next(reader->data, &merge->heads[side], error);
}

/* An ended list sorts behind everything. */
static int
compare_texts(const char *left, const char *right)
{
    if (left == NULL || right == NULL)
        return (left == NULL) - (right == NULL);
    return strcmp(left, right);
}

static void
begin_key(Merge *merge)
{
    const ListedRow *heads = merge->heads;
    const Side first = compare_texts(heads[SIDE_SOURCE].key, heads[SIDE_TARGET].key) <= 0
                           ? SIDE_SOURCE
                           : SIDE_TARGET;
    g_free(merge->key);
    merge->key = g_strdup(heads[first].key);
    for (int side = 0; side < SIDE_COUNT; side++)
    {
        merge->rests[side].rows = 0;
        g_clear_pointer(&merge->rests[side].place, g_free);
    }
}

/* The hash at the head of the side, as far as it is of the key. */
static const char *
hash_of(const Merge *merge, Side side)
{
    const ListedRow *head = &merge->heads[side];
    return g_strcmp0(head->key, merge->key) == 0 ? head->hash : NULL;
}

static void
leave(Merge *merge, Side side, gint64 rows)
{
    Rest *rest = &merge->rests[side];
    if (rows <= 0)
        return;
    rest->rows += rows;
    if (rest->place == NULL)
        rest->place = g_strdup(merge->heads[side].place);
}

/* One hash of the key: what both have of it cancels. */
static bool
take_hash(Merge *merge, GError **error)
{
    const int order = compare_texts(hash_of(merge, SIDE_SOURCE), hash_of(merge, SIDE_TARGET));
    const gint64 source = order <= 0 ? merge->heads[SIDE_SOURCE].count : 0;
    const gint64 target = order >= 0 ? merge->heads[SIDE_TARGET].count : 0;

    leave(merge, SIDE_SOURCE, source - target);
    leave(merge, SIDE_TARGET, target - source);
    return (order > 0 || advance(merge, SIDE_SOURCE, error)) &&
           (order < 0 || advance(merge, SIDE_TARGET, error));
}

static bool
take_key(Merge *merge, GError **error)
{
    begin_key(merge);
    while (hash_of(merge, SIDE_SOURCE) != NULL || hash_of(merge, SIDE_TARGET) != NULL)
        if (!take_hash(merge, error))
            return false;
    return true;
}

static bool
tell(const Merge *merge, const RowFinder *finder)
{
    const Rest *source = &merge->rests[SIDE_SOURCE];
    const Rest *target = &merge->rests[SIDE_TARGET];
    const gint64 changed = MIN(source->rows, target->rows);
    const gint64 missing = source->rows - changed;
    const gint64 extra = target->rows - changed;
    const char *const places[SIDE_COUNT] = {source->place, target->place};

    return (changed == 0 || finder->found(finder->data, ROW_CHANGED, changed, places)) &&
           (missing == 0 || finder->found(finder->data, ROW_MISSING, missing, places)) &&
           (extra == 0 || finder->found(finder->data, ROW_EXTRA, extra, places));
}

bool
merge_rows(
    const RowReader *source, const RowReader *target, const RowFinder *finder, GError **error)
{
    g_auto(Merge) merge = {.readers = {source, target}};

    if (!advance(&merge, SIDE_SOURCE, error) || !advance(&merge, SIDE_TARGET, error))
        return false;
    while (merge.heads[SIDE_SOURCE].key != NULL || merge.heads[SIDE_TARGET].key != NULL)
    {
        if (!take_key(&merge, error))
            return false;
        if (!tell(&merge, finder))
            return true;
    }
    return true;
}
