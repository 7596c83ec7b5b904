#include "definition/dump.h"

#include "base/error.h"
#include "definition/script.h"
#include "definition/unreadable.sql.h"
#include "pg/environment.h"

#include <unistd.h>

/* The first of pg_restore's versions that knows --no-table-access-method. */
#define KNOWS_ACCESS_METHODS 15

static int
dump(
    const Tool *tool, char **environment, const char *snapshot, const PGresult *unreadable,
    Cancel *cancel, GError **error)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    g_strv_builder_add_many(
        builder, "pg_dump", "--schema-only", "--format=custom", "--compress=0", "--no-password",
        "--exclude-schema=vecferry", NULL);
    if (snapshot != NULL)
    {
        g_strv_builder_add(builder, "--snapshot");
        g_strv_builder_add(builder, snapshot);
    }
    for (int row = 0; row < PQntuples(unreadable); row++)
    {
        g_strv_builder_add(builder, "--exclude-table");
        g_strv_builder_add(builder, pg_text(unreadable, row, 0));
    }
    g_auto(GStrv) argv = g_strv_builder_end(builder);
    return tool_run(tool, "pg_dump", (const char *const *) argv, environment, -1, cancel, error);
}

/* The definitions of one section of the archive, as SQL. */
static char *
script_of(
    const Tool *tool, char **environment, int archive, const char *section, Cancel *cancel,
    GError **error)
{
    g_autofree char *chosen = g_strconcat("--section=", section, NULL);
    const char *const argv[] = {
        "pg_restore",
        "--file=-",
        "--verbose",
        "--no-owner",
        "--no-tablespaces",
        chosen,
        tool->version >= KNOWS_ACCESS_METHODS ? "--no-table-access-method" : NULL,
        NULL,
    };

    lseek(archive, 0, SEEK_SET);
    const int output = tool_run(tool, "pg_restore", argv, environment, archive, cancel, error);
    if (output < 0)
        return NULL;
    char *text = tool_text(output, error);
    close(output);
    return text;
}

GPtrArray *
definitions_dump(const Tool *tool, Pg *pg, const char *snapshot, Cancel *cancel, GError **error)
{
    g_auto(GStrv) environment = pg_environment(pg);
    g_autoptr(PGresult) unreadable = pg_query(pg, SQL_UNREADABLE, 0, NULL, error);
    const int archive =
        unreadable == NULL ? -1 : dump(tool, environment, snapshot, unreadable, cancel, error);
    if (archive < 0)
        return NULL;

    g_autofree char *before = script_of(tool, environment, archive, "pre-data", cancel, error);
    g_autofree char *after =
        before == NULL ? NULL : script_of(tool, environment, archive, "post-data", cancel, error);
    close(archive);
    if (after == NULL)
        return NULL;
    GPtrArray *definitions = g_ptr_array_new_with_free_func((GDestroyNotify) definition_free);
    script_read(before, false, definitions);
    script_read(after, true, definitions);
    return definitions;
}
