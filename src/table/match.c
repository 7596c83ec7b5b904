#include "table/match.h"

#include "base/error.h"
#include "table/obstacles.sql.h"

#include <string.h>

/* "vector(3)" of "public.vector(3)": where a type lives may differ between databases. */
static const char *
without_schema(const char *type)
{
    const char *dot = strchr(type, '.');
    const char *limits = strchr(type, '(');
    return dot != NULL && (limits == NULL || dot < limits) ? dot + 1 : type;
}

/* Limits of the source's values must be the target's, or the target has none: others would change
 * values on the way. */
static bool
takes(const Column *target, const Column *source)
{
    if (strcmp(target->type_name, source->type_name) != 0)
        return false;
    return strchr(target->type, '(') == NULL ||
           strcmp(without_schema(target->type), without_schema(source->type)) == 0;
}

static bool
check_column(const Table *target, const Column *source, GError **error)
{
    const Column *column = table_column(target, source->name);

    if (column == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "the target's table %s has no column %s",
            target->quoted, source->quoted);
        return false;
    }
    if (column->generated != source->generated)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH,
            "column %s of %s is generated in the %s, and an ordinary one in the %s", source->quoted,
            target->quoted, source->generated ? "source" : "target",
            source->generated ? "target" : "source");
        return false;
    }
    if (takes(column, source))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "column %s of %s is of type %s in the source, and of type %s in the target", source->quoted,
        target->quoted, source->type, column->type);
    return false;
}

static Table *
match(const Table *source, const GPtrArray *targets, GError **error)
{
    Table *target = table_find(targets, source->schema, source->name);

    if (target == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH, "the target has no table %s", source->quoted);
        vf_error_hint(error, "make it first, or leave it out with --exclude");
        return NULL;
    }
    for (guint i = 0; i < source->columns->len; i++)
    {
        if (!check_column(target, source->columns->pdata[i], error))
            return NULL;
    }
    return target;
}

GPtrArray *
tables_match(const GPtrArray *sources, const GPtrArray *targets, GError **error)
{
    g_autoptr(GPtrArray) matched = g_ptr_array_new();

    for (guint i = 0; i < sources->len; i++)
    {
        Table *target = match(sources->pdata[i], targets, error);
        if (target == NULL)
            return NULL;
        g_ptr_array_add(matched, target);
    }
    return g_steal_pointer(&matched);
}

static bool
check_table(Pg *target, const Table *table, bool as_replica, GError **error)
{
    g_autofree char *oid = g_strdup_printf("%u", table->oid);
    const char *parameters[] = {oid, as_replica ? "t" : "f"};
    g_autoptr(PGresult) facts = pg_query(target, SQL_OBSTACLES, 2, parameters, error);
    if (facts == NULL)
        return false;

    const char *role = pg_text(facts, 0, 3);
    if (*pg_text(facts, 0, 0) == 'f' || *pg_text(facts, 0, 1) == 'f')
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_DENIED,
            "role \"%s\" may not read and insert into %s in the target", role, table->quoted);
        vf_error_hint(error, "GRANT SELECT, INSERT, DELETE ON %s TO \"%s\"", table->quoted, role);
        return false;
    }
    if (PQgetisnull(facts, 0, 2))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_DENIED,
        "%s in the target has the trigger %s, which would fire for copied rows", table->quoted,
        pg_text(facts, 0, 2));
    if (as_replica)
        vf_error_hint(error, "disable it for the time of the copy: ALTER TABLE … DISABLE TRIGGER");
    else
        vf_error_hint(
            error,
            "let the role silence triggers and foreign keys (PostgreSQL 15 and later: GRANT SET ON "
            "PARAMETER session_replication_role TO \"%s\"), or make them after the rows",
            role);
    return false;
}

bool
tables_check_writing(Pg *target, const GPtrArray *targets, bool as_replica, GError **error)
{
    for (guint i = 0; i < targets->len; i++)
        if (!check_table(target, targets->pdata[i], as_replica, error))
            return false;
    return true;
}
