#include "definition/extensions.h"

#include "base/error.h"
#include "definition/extensions.sql.h"

#include <stdlib.h>
#include <string.h>

enum
{
    NAME,
    VERSION,
    SCHEMA,
};

static int
find(const PGresult *extensions, const char *name)
{
    for (int row = 0; row < PQntuples(extensions); row++)
        if (strcmp(pg_text(extensions, row, NAME), name) == 0)
            return row;
    return -1;
}

/* "0.8.0" and "0.10.1", number by number. */
static bool
is_older(const char *left, const char *right)
{
    while (*left != '\0' && *right != '\0')
    {
        char *left_end;
        char *right_end;
        const long left_number = strtol(left, &left_end, 10);
        const long right_number = strtol(right, &right_end, 10);
        if (left_number != right_number)
            return left_number < right_number;
        if (left_end == left || right_end == right)
            return false;
        left = *left_end == '.' ? left_end + 1 : left_end;
        right = *right_end == '.' ? right_end + 1 : right_end;
    }
    return *left == '\0' && *right != '\0';
}

static bool
check_schema(const char *name, const char *source, const char *target, GError **error)
{
    if (strcmp(source, target) == 0 || strcmp(name, "vector") != 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "the extension vector lives in the schema %s in the target, and in %s in the source",
        target, source);
    vf_error_hint(error, "in the target: ALTER EXTENSION vector SET SCHEMA %s", source);
    return false;
}

bool
extensions_compare(
    Pg *source, Pg *target, const GPtrArray *definitions, GPtrArray *notes, GError **error)
{
    g_autoptr(PGresult) there = pg_query(source, SQL_EXTENSIONS, 0, NULL, error);
    g_autoptr(PGresult) here =
        there == NULL ? NULL : pg_query(target, SQL_EXTENSIONS, 0, NULL, error);

    for (guint i = 0; here != NULL && i < definitions->len; i++)
    {
        const Definition *definition = definitions->pdata[i];
        if (!definition_is(definition, "EXTENSION") || definition->left_out)
            continue;
        const int from = find(there, definition->name);
        const int to = find(here, definition->name);
        if (from < 0 || to < 0)
            continue;
        const char *wished = pg_text(there, from, VERSION);
        const char *had = pg_text(here, to, VERSION);
        if (!check_schema(
                definition->name, pg_text(there, from, SCHEMA), pg_text(here, to, SCHEMA), error))
            return false;
        if (is_older(had, wished))
            g_ptr_array_add(
                notes, g_strdup_printf(
                           "the extension %s is of version %s in the target, and of %s in the "
                           "source: what only the newer one knows will fail",
                           definition->name, had, wished));
    }
    return here != NULL;
}
