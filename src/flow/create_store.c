#include "flow/create_store.h"

#include "base/error.h"
#include "flow/stages.h"

/* pgvector's own limit for a vector column that an index can use. */
#define MAX_DIMENSIONS 2000

char *
flow_create_store(
    const Settings *settings, int dimensions, bool dry_run, const Notes *notes, Cancel *cancel,
    GError **error)
{
    StoreMap map = {0};

    if (dimensions < 1 || dimensions > MAX_DIMENSIONS)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "--vector-dimensions should be 1 to %d",
            MAX_DIMENSIONS);
        return NULL;
    }
    g_autoptr(Store) store =
        stage_new_store(settings, "vecferry store create", &map, notes, cancel, error);
    if (store == NULL ||
        !(dry_run ? store_may_create(store, error) : store_create(store, dimensions, error)))
        return NULL;
    return g_strdup(store->address);
}
