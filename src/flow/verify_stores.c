#include "flow/verify_stores.h"

#include "base/error.h"
#include "flow/verify_workers.h"

#define MOST_CONNECTIONS_BY_DEFAULT 4

typedef struct
{
    VerifySide sides[SIDE_COUNT];
} Sides;

static void
sides_clear(Sides *sides)
{
    for (int side = 0; side < SIDE_COUNT; side++)
        verify_side_clear(&sides->sides[side]);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sides, sides_clear)

static Comparison *
new_comparison(const VerifyStoresOptions *options, const Sides *sides)
{
    Comparison *comparison = comparison_new(options->rows ? "rows" : "counts");

    for (int side = 0; side < SIDE_COUNT; side++)
        comparison->sides[side] = pg_address(sides->sides[side].options.url);
    comparison->started_ms = g_get_real_time() / 1000;
    return comparison;
}

static guint
connections(const Settings *settings)
{
    const gint64 wished = settings_count(settings, SETTING_CONNECTIONS);
    return wished > 0 ? (guint) wished : MIN(g_get_num_processors(), MOST_CONNECTIONS_BY_DEFAULT);
}

Comparison *
flow_verify_stores(
    const Settings *settings, const VerifyStoresOptions *options, const VerifyListener *listener,
    Cancel *cancel, GError **error)
{
    const char *source = settings_require(settings, SETTING_SOURCE, error);
    const char *target = source == NULL ? NULL : settings_require(settings, SETTING_TARGET, error);
    if (target == NULL)
        return NULL;

    const TableFilter filter = {options->tables, options->schemas, options->excluded};
    g_auto(Sides) sides = {{
        {.options = {.url = source, .application_name = "vecferry verify (source)"}},
        {.options = {.url = target, .application_name = "vecferry verify (target)"}},
    }};
    g_autoptr(Comparison) comparison = new_comparison(options, &sides);
    listener->progress(listener->data, comparison);
    if (!verify_sides_open(
            &sides.sides[SIDE_SOURCE], &sides.sides[SIDE_TARGET], &filter, cancel, error))
        return NULL;

    g_autoptr(GPtrArray) pairs =
        tables_pair(sides.sides[SIDE_SOURCE].facts, sides.sides[SIDE_TARGET].facts, comparison);
    const VerifyWork work = {
        .rows = options->rows,
        .most_differences = options->most_differences,
        .throttle = options->throttle,
        .sides = {&sides.sides[SIDE_SOURCE], &sides.sides[SIDE_TARGET]},
        .pairs = pairs,
        .comparison = comparison,
        .part_bytes = settings_count(settings, SETTING_PART_BYTES),
        .connections = connections(settings),
        .listener = listener,
        .cancel = cancel,
    };
    if (!verify_work(&work, error))
        return NULL;
    comparison->ended_ms = g_get_real_time() / 1000;
    comparison->phase = COMPARISON_DONE;
    listener->progress(listener->data, comparison);
    return g_steal_pointer(&comparison);
}
