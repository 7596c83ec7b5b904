#include "definition/views.h"

#include "base/error.h"
#include "definition/filled_views.sql.h"

#include <string.h>

static bool
is_wanted(const GPtrArray *definitions, guint32 oid)
{
    for (guint i = 0; i < definitions->len; i++)
    {
        const Definition *definition = definitions->pdata[i];
        if (definition->oid == oid && definition_is(definition, "MATERIALIZED VIEW"))
            return !definition->left_out;
    }
    return false;
}

GPtrArray *
views_filled(Pg *source, const GPtrArray *definitions, GError **error)
{
    g_autoptr(PGresult) views = pg_query(source, SQL_FILLED_VIEWS, 0, NULL, error);
    if (views == NULL)
        return NULL;

    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (int row = 0; row < PQntuples(views); row++)
        if (is_wanted(definitions, (guint32) pg_number(views, row, 0)))
            g_ptr_array_add(names, g_strdup(pg_text(views, row, 1)));
    return names;
}

static bool
is_of_the_view(const GError *problem)
{
    return g_error_matches(problem, VF_ERROR, VF_ERROR_FAILED) ||
           g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED);
}

/* One pass over those that are left; `problems` as of this pass. */
static bool
fill_some(Pg *target, GPtrArray *left, GPtrArray *problems, GError **error)
{
    g_ptr_array_set_size(problems, 0);
    for (guint i = 0; i < left->len;)
    {
        g_autoptr(GError) problem = NULL;
        g_autofree char *sql =
            g_strdup_printf("REFRESH MATERIALIZED VIEW %s", (char *) left->pdata[i]);
        if (pg_run(target, sql, &problem))
        {
            g_ptr_array_remove_index(left, i);
            continue;
        }
        if (!is_of_the_view(problem))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        g_ptr_array_add(
            problems, g_strdup_printf(
                          "could not fill the materialised view %s: %s", (char *) left->pdata[i],
                          problem->message));
        i++;
    }
    return true;
}

bool
views_fill(Pg *target, const GPtrArray *names, GPtrArray *problems, GError **error)
{
    g_autoptr(GPtrArray) left = g_ptr_array_new();
    g_autoptr(GPtrArray) failed = g_ptr_array_new_with_free_func(g_free);
    guint before = 0;

    for (guint i = 0; i < names->len; i++)
        g_ptr_array_add(left, names->pdata[i]);
    do
    {
        before = left->len;
        if (!fill_some(target, left, failed, error))
            return false;
    } while (left->len > 0 && left->len < before);
    for (guint i = 0; i < failed->len; i++)
        g_ptr_array_add(problems, g_strdup(failed->pdata[i]));
    return true;
}
