#include "index/progress.h"

#include "index/build_progress.sql.h"

GArray *
index_progress(Pg *pg, GError **error)
{
    g_autoptr(PGresult) result = pg_query(pg, SQL_BUILD_PROGRESS, 0, NULL, error);
    if (result == NULL)
        return NULL;

    GArray *builds = g_array_new(FALSE, FALSE, sizeof(BuildProgress));
    for (int row = 0; row < PQntuples(result); row++)
    {
        BuildProgress build = {
            .pid = pg_number(result, row, 0),
            .done = pg_number(result, row, 2),
            .total = pg_number(result, row, 3),
        };
        g_strlcpy(build.phase, pg_text(result, row, 1), sizeof build.phase);
        g_array_append_val(builds, build);
    }
    return builds;
}
