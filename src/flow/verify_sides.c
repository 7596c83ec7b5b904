#include "flow/verify_sides.h"

#include "base/error.h"
#include "base/retry.h"

/* The first server with everything that is asked of it. */
#define OLDEST_VERSION 130000

/* How often a snapshot is taken again because a table was rewritten just then. */
#define SNAPSHOT_ATTEMPTS 5

void
verify_side_clear(VerifySide *side)
{
    g_clear_pointer(&side->facts, g_ptr_array_unref);
    g_clear_pointer(&side->tables, g_ptr_array_unref);
    g_clear_pointer(&side->snapshot, snapshot_free);
}

static bool
forbid_writing(Pg *pg, GError **error)
{
    return pg_run(pg, "SET default_transaction_read_only = on", error);
}

static bool
check_version(const VerifySide *side, GError **error)
{
    const int version = pg_server_version(snapshot_keeper(side->snapshot));
    if (version >= OLDEST_VERSION)
        return true;
    g_autofree char *address = pg_address(side->options.url);
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "%s is PostgreSQL %d; comparing needs %d or later",
        address, version / 10000, OLDEST_VERSION / 10000);
    return false;
}

static bool
take_snapshot(VerifySide *side, Cancel *cancel, GError **error)
{
    side->snapshot = snapshot_take(&side->options, NULL, cancel, error);
    return side->snapshot != NULL && forbid_writing(snapshot_keeper(side->snapshot), error) &&
           check_version(side, error);
}

/* --- patterns ------------------------------------------------------------------------------ */

/* Whether the pattern matches anything at the side; `as` puts it in a filter. */
typedef TableFilter (*FilterOf)(char *const *pattern);

static TableFilter
filter_of_table(char *const *pattern)
{
    return (TableFilter){.tables = pattern};
}

static TableFilter
filter_of_schema(char *const *pattern)
{
    return (TableFilter){.schemas = pattern};
}

static bool
matches(
    const VerifySide *side, char *pattern, FilterOf as, GError **misses, bool *found,
    GError **error)
{
    char *const list[] = {pattern, NULL};
    const TableFilter filter = as(list);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GPtrArray) tables =
        tables_describe(snapshot_keeper(side->snapshot), &filter, &failure);

    *found = tables != NULL;
    if (*found)
        return true;
    const bool is_miss = g_error_matches(failure, VF_ERROR, VF_ERROR_USAGE);
    g_clear_error(misses);
    g_propagate_error(is_miss ? misses : error, g_steal_pointer(&failure));
    return is_miss;
}

/* Those of the patterns that match something at each side.  One that matches nothing at both is the
 * user's mistake. */
static bool
part_patterns(
    VerifySide *const sides[2], char *const *patterns, FilterOf as, GPtrArray *const usable[2],
    GError **error)
{
    for (; patterns != NULL && *patterns != NULL; patterns++)
    {
        g_autoptr(GError) misses = NULL;
        bool any = false;
        for (int i = 0; i < 2; i++)
        {
            bool found = false;
            if (!matches(sides[i], *patterns, as, &misses, &found, error))
                return false;
            if (found)
                g_ptr_array_add(usable[i], *patterns);
            any = any || found;
        }
        if (any)
            continue;
        g_propagate_error(error, g_steal_pointer(&misses));
        return false;
    }
    return true;
}

/* --- tables -------------------------------------------------------------------------------- */

static char *const *
list_or_null(const GPtrArray *list)
{
    return list->len == 0 ? NULL : (char *const *) list->pdata;
}

static bool
names_any(char *const *list)
{
    return list != NULL && *list != NULL;
}

static GPtrArray *
new_patterns(void)
{
    return g_ptr_array_new_null_terminated(1, NULL, TRUE);
}

static bool
lock_readable(VerifySide *side, GError **error)
{
    g_autoptr(GPtrArray) readable = g_ptr_array_new();

    for (guint i = 0; i < side->facts->len; i++)
        if (((const SideTable *) side->facts->pdata[i])->problem == NULL)
            g_ptr_array_add(readable, side->tables->pdata[i]);
    return snapshot_lock(side->snapshot, readable, error);
}

static bool
describe(VerifySide *side, const TableFilter *filter, bool nothing, GError **error)
{
    Pg *keeper = snapshot_keeper(side->snapshot);

    side->tables = nothing ? g_ptr_array_new() : tables_describe(keeper, filter, error);
    if (side->tables == NULL)
        return false;
    side->facts = side_tables_read(keeper, side->tables, error);
    return side->facts != NULL && lock_readable(side, error);
}

static bool
describe_both(VerifySide *const sides[2], const TableFilter *filter, GError **error)
{
    const bool chooses = names_any(filter->tables) || names_any(filter->schemas);

    g_autoptr(GPtrArray) left_tables = new_patterns();
    g_autoptr(GPtrArray) right_tables = new_patterns();
    g_autoptr(GPtrArray) left_schemas = new_patterns();
    g_autoptr(GPtrArray) right_schemas = new_patterns();
    g_autoptr(GPtrArray) left_excluded = new_patterns();
    g_autoptr(GPtrArray) right_excluded = new_patterns();
    GPtrArray *const tables[2] = {left_tables, right_tables};
    GPtrArray *const schemas[2] = {left_schemas, right_schemas};
    GPtrArray *const excluded[2] = {left_excluded, right_excluded};

    if (!part_patterns(sides, filter->tables, filter_of_table, tables, error) ||
        !part_patterns(sides, filter->schemas, filter_of_schema, schemas, error) ||
        !part_patterns(sides, filter->excluded, filter_of_table, excluded, error))
        return false;
    for (int i = 0; i < 2; i++)
    {
        const TableFilter of_side = {
            list_or_null(tables[i]), list_or_null(schemas[i]), list_or_null(excluded[i])};
        const bool nothing = chooses && of_side.tables == NULL && of_side.schemas == NULL;
        if (!describe(sides[i], &of_side, nothing, error))
        {
            g_prefix_error(
                error, "could not look at the tables of the %s: ", i == 0 ? "source" : "target");
            return false;
        }
    }
    return true;
}

bool
verify_sides_open(
    VerifySide *source, VerifySide *target, const TableFilter *filter, Cancel *cancel,
    GError **error)
{
    VerifySide *const sides[2] = {source, target};

    for (int attempt = 1;; attempt++)
    {
        g_autoptr(GError) failure = NULL;
        if (!take_snapshot(source, cancel, error) || !take_snapshot(target, cancel, error))
            return false;
        if (describe_both(sides, filter, &failure))
            return true;
        if (!retry_is_busy(failure) || attempt == SNAPSHOT_ATTEMPTS)
        {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        verify_side_clear(source);
        verify_side_clear(target);
    }
}

Pg *
verify_side_reader(const VerifySide *side, GError **error)
{
    g_autoptr(Pg) reader = snapshot_reader(side->snapshot, error);
    return reader != NULL && forbid_writing(reader, error) ? g_steal_pointer(&reader) : NULL;
}
