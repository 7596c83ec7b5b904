#include "compare/find_rows.h"

#include "compare/row_list.h"

/* A row that differs, before it was looked at. */
typedef struct
{
    RowDifferenceKind kind;
    gint64 rows;
    char *places[SIDE_COUNT]; /* NULL where it is not */
} Found;

typedef struct
{
    const RowSearch *search;
    GPtrArray *found; /* of Found */
    bool more;
} Finding;

static void
found_free(void *data)
{
    Found *found = data;
    for (int side = 0; side < SIDE_COUNT; side++)
        g_free(found->places[side]);
    g_free(found);
}

static bool
take_found(void *data, RowDifferenceKind kind, gint64 rows, const char *const places[SIDE_COUNT])
{
    Finding *finding = data;

    if (finding->found->len >= finding->search->most)
    {
        finding->more = true;
        return false;
    }
    Found *found = g_new0(Found, 1);
    found->kind = kind;
    found->rows = rows;
    for (int side = 0; side < SIDE_COUNT; side++)
        found->places[side] = g_strdup(places[side]);
    g_ptr_array_add(finding->found, found);
    return true;
}

/* Some of the buckets as a parameter of type int[]. */
static char *
bucket_list(const GArray *buckets, guint from, guint count)
{
    GString *list = g_string_new("{");
    for (guint i = from; i < from + count; i++)
        g_string_append_printf(list, "%s%d", i == from ? "" : ",", g_array_index(buckets, int, i));
    g_string_append_c(list, '}');
    return g_string_free(list, FALSE);
}

static bool
find_in_buckets(const RowSearch *search, const char *buckets, Finding *finding, GError **error)
{
    const RowFinder finder = {take_found, finding};
    g_autofree char *source_query = row_hash_list_query(search->pair, SIDE_SOURCE);
    g_autofree char *target_query = row_hash_list_query(search->pair, SIDE_TARGET);
    g_autoptr(RowList) source =
        row_list_open(search->sessions[SIDE_SOURCE], source_query, buckets, error);
    if (source == NULL)
        return false;
    g_autoptr(RowList) target =
        row_list_open(search->sessions[SIDE_TARGET], target_query, buckets, error);
    if (target == NULL)
        return false;

    const RowReader source_reader = row_list_reader(source);
    const RowReader target_reader = row_list_reader(target);
    return merge_rows(&source_reader, &target_reader, &finder, error);
}

static bool
find_places(const RowSearch *search, Finding *finding, GError **error)
{
    g_autoptr(GArray) buckets =
        row_sums_different(search->sums[SIDE_SOURCE], search->sums[SIDE_TARGET]);
    guint count = 1;

    for (guint at = 0; at < buckets->len && !finding->more; at += count, count *= 2)
    {
        count = MIN(count, buckets->len - at);
        g_autofree char *list = bucket_list(buckets, at, count);
        if (!find_in_buckets(search, list, finding, error))
            return false;
        finding->more =
            finding->more || (finding->found->len >= search->most && at + count < buckets->len);
    }
    return true;
}

/* --- looking at them ----------------------------------------------------------------------- */

static void
add_values(const RowSearch *search, const FoundRow *row, RowDifference *difference)
{
    g_autoptr(GPtrArray) shown = row_hash_shown_columns(search->pair);

    for (guint i = 0; i < shown->len; i++)
    {
        const PairColumn *column = shown->pdata[i];
        row_difference_add_value(difference, column->name, row->values[i]);
    }
    difference->has_key = search->pair->key->len > 0;
}

static void
add_columns(
    const RowSearch *search, const FoundRow *source, const FoundRow *target,
    RowDifference *difference)
{
    for (guint i = 0; i < search->pair->columns->len; i++)
    {
        const PairColumn *column = search->pair->columns->pdata[i];
        if (g_strcmp0(source->hashes[i], target->hashes[i]) != 0)
            row_difference_add_column(difference, column->name);
    }
}

static FoundRow *
look_at(const RowSearch *search, const Found *found, Side side, GError **error)
{
    return row_hash_look(search->sessions[side], search->pair, side, found->places[side], error);
}

static RowDifference *
describe(const RowSearch *search, const Found *found, GError **error)
{
    const Side first = found->places[SIDE_SOURCE] != NULL ? SIDE_SOURCE : SIDE_TARGET;
    g_autoptr(RowDifference) difference = row_difference_new(found->kind, found->rows);
    g_autoptr(FoundRow) row = look_at(search, found, first, error);
    if (row == NULL)
        return NULL;

    add_values(search, row, difference);
    if (found->kind != ROW_CHANGED)
        return g_steal_pointer(&difference);
    g_autoptr(FoundRow) other = look_at(search, found, SIDE_TARGET, error);
    if (other == NULL)
        return NULL;
    add_columns(search, row, other, difference);
    return g_steal_pointer(&difference);
}

bool
find_rows(const RowSearch *search, GPtrArray *differences, bool *more, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(found_free);
    Finding finding = {search, found, false};

    if (!find_places(search, &finding, error))
        return false;
    for (guint i = 0; i < found->len; i++)
    {
        RowDifference *difference = describe(search, found->pdata[i], error);
        if (difference == NULL)
            return false;
        g_ptr_array_add(differences, difference);
    }
    *more = finding.more;
    return true;
}
