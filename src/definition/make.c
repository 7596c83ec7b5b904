#include "definition/make.h"

#include "base/error.h"
#include "base/fault.h"
#include "definition/add_marks.sql.h"
#include "definition/begin.sql.h"
#include "definition/read_marks.sql.h"
#include "definition/script.h"
#include "definition/unfinished_indexes.sql.h"
#include "definition/unmake.sql.h"
#include "pg/sql.h"

#include <string.h>

/* The mark that stands for all of them. */
#define COMPLETE "complete"

struct Making
{
    char *run;
    GHashTable *marks;    /* keys; written by one thread alone */
    GHashTable *existing; /* by key, of GPtrArray of const char *: texts; NULL: unknown */
};

static const char *const OPTIONAL_KINDS[] = {
    "ACL",    "DEFAULT ACL",          "COMMENT",      "SECURITY LABEL",
    "SERVER", "FOREIGN DATA WRAPPER", "USER MAPPING", "PROCEDURAL LANGUAGE",
    NULL};

/* Of the same name may be several, or it does no harm to say it again. */
static const char *const REPEATABLE_KINDS[] = {
    "ACL", "DEFAULT ACL", "COMMENT", "SECURITY LABEL", "OPERATOR", "CAST", NULL};

bool
definition_is_optional(const Definition *definition)
{
    if (definition_is(definition, "EXTENSION"))
        return strcmp(definition->name, "vector") != 0;
    return g_strv_contains(OPTIONAL_KINDS, definition->type);
}

/* --- what is there ------------------------------------------------------------------------- */

static GHashTable *
index_by_key(const GPtrArray *definitions)
{
    GHashTable *index =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);

    for (guint i = 0; i < definitions->len; i++)
    {
        const Definition *definition = definitions->pdata[i];
        g_autofree char *key = definition_key(definition);
        GPtrArray *texts = g_hash_table_lookup(index, key);
        if (texts == NULL)
        {
            texts = g_ptr_array_new();
            g_hash_table_insert(index, g_steal_pointer(&key), texts);
        }
        g_ptr_array_add(texts, definition->text);
    }
    return index;
}

Making *
making_new(Pg *target, const char *run, const GPtrArray *existing, GError **error)
{
    const char *parameters[] = {run};
    g_autoptr(PGresult) marks = pg_query(target, SQL_READ_MARKS, 1, parameters, error);
    if (marks == NULL)
        return NULL;

    Making *making = g_new0(Making, 1);
    making->run = g_strdup(run);
    making->marks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int row = 0; row < PQntuples(marks); row++)
        g_hash_table_add(making->marks, g_strdup(pg_text(marks, row, 0)));
    making->existing = existing == NULL ? NULL : index_by_key(existing);
    return making;
}

void
making_free(Making *making)
{
    if (making == NULL)
        return;
    g_free(making->run);
    g_hash_table_unref(making->marks);
    g_clear_pointer(&making->existing, g_hash_table_unref);
    g_free(making);
}

bool
making_is_marked(const Making *making, const Definition *definition)
{
    g_autofree char *key = definition_key(definition);
    return g_hash_table_contains(making->marks, key);
}

bool
making_is_complete(const Making *making)
{
    return g_hash_table_contains(making->marks, COMPLETE);
}

static bool
has_text(const GPtrArray *texts, const char *text)
{
    for (guint i = 0; i < texts->len; i++)
        if (strcmp(texts->pdata[i], text) == 0)
            return true;
    return false;
}

static bool
refuse_different(const Definition *definition, GError **error)
{
    g_autofree char *title = definition_title(definition);

    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "%s is in the target already, and is defined in another way than in the source", title);
    vf_error_hint(
        error, "make it alike or drop it there, leave the table out with --exclude, or use "
               "--data-only for rows alone");
    return false;
}

bool
making_has(const Making *making, const Definition *definition, bool *there, GError **error)
{
    g_autofree char *key = definition_key(definition);
    const bool marked = g_hash_table_contains(making->marks, key);
    const GPtrArray *texts =
        making->existing == NULL ? NULL : g_hash_table_lookup(making->existing, key);

    *there = false;
    if (making->existing == NULL)
        *there = marked;
    else if (texts != NULL && (marked || has_text(texts, definition->text)))
        *there = true;
    else if (texts != NULL && definition_is(definition, "EXTENSION"))
        *there = true;
    else if (texts != NULL && !g_strv_contains(REPEATABLE_KINDS, definition->type))
        return refuse_different(definition, error);
    return true;
}

/* --- making -------------------------------------------------------------------------------- */

static bool
add_marks(const Making *making, Pg *target, GPtrArray *keys, GError **error)
{
    g_ptr_array_add(keys, NULL);
    g_autofree char *list = sql_text_array((char *const *) keys->pdata);
    const char *parameters[] = {making->run, list};
    return pg_change(target, SQL_ADD_MARKS, 2, parameters, NULL, error);
}

static bool
add_mark(const Making *making, Pg *target, const char *key, GError **error)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(keys, g_strdup(key));
    return add_marks(making, target, keys, error);
}

static void
prefix_with_title(const Definition *definition, GError **error)
{
    g_autofree char *title = definition_title(definition);
    g_prefix_error(error, "could not make %s in the target: ", title);
}

/* The extension that all is about; others only make what needs them fail. */
static void
hint_at_extension(const Definition *definition, int version, GError **error)
{
    if (definition_is(definition, "EXTENSION"))
        vf_error_hint(
            error,
            "install pgvector on the target's server (Debian's package postgresql-%d-pgvector; on "
            "a managed service it is there), and let an administrator run CREATE EXTENSION vector",
            version / 10000);
}

/* A refusal is told, and the transaction goes on. */
static bool
try_statement(
    Pg *target, const Definition *definition, const char *statement, GPtrArray *notes,
    GError **error)
{
    g_autoptr(GError) refusal = NULL;

    if (!pg_run(target, "SAVEPOINT definition", error))
        return false;
    if (pg_run(target, statement, &refusal))
        return pg_run(target, "RELEASE SAVEPOINT definition", error);
    if (!g_error_matches(refusal, VF_ERROR, VF_ERROR_DENIED) &&
        !g_error_matches(refusal, VF_ERROR, VF_ERROR_FAILED))
    {
        g_propagate_error(error, g_steal_pointer(&refusal));
        return false;
    }
    g_autofree char *title = definition_title(definition);
    g_autofree char *reason = g_strndup(refusal->message, strcspn(refusal->message, "\n"));
    g_ptr_array_add(notes, g_strdup_printf("%s was not made: %s", title, reason));
    return pg_run(target, "ROLLBACK TO SAVEPOINT definition", error);
}

static bool
try_each(Pg *target, const Definition *definition, GPtrArray *notes, GError **error)
{
    g_autoptr(GPtrArray) statements = script_statements(definition->text);

    for (guint i = 0; i < statements->len; i++)
        if (!try_statement(target, definition, statements->pdata[i], notes, error))
            return false;
    return true;
}

static bool
make_inside(Pg *target, const Definition *definition, GPtrArray *notes, GError **error)
{
    if (definition_is_optional(definition))
        return try_each(target, definition, notes, error);
    if (pg_run(target, definition->text, error))
        return true;
    hint_at_extension(definition, pg_server_version(target), error);
    prefix_with_title(definition, error);
    return false;
}

static bool
make_missing(
    const Making *making, Pg *target, const GPtrArray *definitions, GPtrArray *made,
    GPtrArray *notes, GError **error)
{
    for (guint i = 0; i < definitions->len; i++)
    {
        const Definition *definition = definitions->pdata[i];
        bool there = false;
        if (definition->left_out || definition->after_rows)
            continue;
        if (!making_has(making, definition, &there, error))
            return false;
        if (!there && !make_inside(target, definition, notes, error))
            return false;
        g_ptr_array_add(made, definition_key(definition));
        if (!there)
            fault_point(FAULT_INSIDE_DEFINITIONS);
    }
    return true;
}

bool
making_before_rows(
    Making *making, Pg *target, const GPtrArray *definitions, GPtrArray *notes, GError **error)
{
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);

    if (pg_run(target, SQL_BEGIN, error) &&
        make_missing(making, target, definitions, made, notes, error) &&
        add_marks(making, target, made, error) && pg_run(target, "COMMIT", error))
    {
        for (guint i = 0; i < made->len; i++)
            if (made->pdata[i] != NULL)
                g_hash_table_add(making->marks, g_strdup(made->pdata[i]));
        return true;
    }
    pg_rollback(target);
    return false;
}

bool
making_one(
    const Making *making, Pg *target, const Definition *definition, const char *text,
    GError **error)
{
    g_autofree char *key = definition_key(definition);

    /* pgvector says when an index no longer fits into memory, and that is to be heard. */
    if (pg_run(target, SQL_BEGIN, error) &&
        (!definition_is(definition, "INDEX") ||
         pg_run(target, "SET LOCAL client_min_messages = notice", error)) &&
        pg_run(target, text == NULL ? definition->text : text, error) &&
        add_mark(making, target, key, error))
    {
        fault_point(
            definition_is(definition, "INDEX") ? FAULT_INSIDE_INDEX : FAULT_INSIDE_DEFINITION);
        if (pg_run(target, "COMMIT", error))
            return true;
    }
    pg_rollback(target);
    prefix_with_title(definition, error);
    return false;
}

bool
making_optional(
    const Making *making, Pg *target, const Definition *definition, GPtrArray *notes,
    GError **error)
{
    g_autofree char *key = definition_key(definition);

    if (pg_run(target, SQL_BEGIN, error) && try_each(target, definition, notes, error) &&
        add_mark(making, target, key, error) && pg_run(target, "COMMIT", error))
        return true;
    pg_rollback(target);
    return false;
}

/* Takes a mark away, together with the statement that unmakes what it stands for. */
static bool
undo(Making *making, Pg *target, const char *key, const char *statement, GError **error)
{
    static const char FORGET[] =
        "DELETE FROM vecferry.copied_definition WHERE run = $1 AND definition = $2";
    const char *parameters[] = {making->run, key};

    if (pg_run(target, SQL_BEGIN, error) &&
        (statement == NULL || pg_run(target, statement, error)) &&
        pg_change(target, FORGET, 2, parameters, NULL, error) && pg_run(target, "COMMIT", error))
    {
        g_hash_table_remove(making->marks, key);
        if (making->existing != NULL)
            g_hash_table_remove(making->existing, key);
        return true;
    }
    pg_rollback(target);
    return false;
}

static bool
silence(Making *making, Pg *source, Pg *target, const Definition *definition, GError **error)
{
    g_autofree char *class = g_strdup_printf("%u", definition->class);
    g_autofree char *oid = g_strdup_printf("%u", definition->oid);
    g_autofree char *key = definition_key(definition);
    const char *parameters[] = {class, oid};
    g_autoptr(PGresult) statement = pg_query(source, SQL_UNMAKE, 2, parameters, error);

    if (statement == NULL)
        return false;
    if (PQntuples(statement) == 0 || undo(making, target, key, pg_text(statement, 0, 0), error))
        return true;
    g_autofree char *title = definition_title(definition);
    g_prefix_error(error, "could not take away %s for the time of the copy: ", title);
    return false;
}

bool
making_silence(Making *making, Pg *source, Pg *target, const GPtrArray *definitions, GError **error)
{
    for (guint i = 0; i < definitions->len; i++)
    {
        const Definition *definition = definitions->pdata[i];
        const bool acts =
            definition_is(definition, "FK CONSTRAINT") || definition_is(definition, "TRIGGER");
        if (acts && !definition->left_out && making_is_marked(making, definition) &&
            !silence(making, source, target, definition, error))
            return false;
    }
    return true;
}

GHashTable *
unfinished_indexes(Pg *target, GError **error)
{
    g_autoptr(PGresult) found = pg_query(target, SQL_UNFINISHED_INDEXES, 0, NULL, error);
    if (found == NULL)
        return NULL;

    GHashTable *indexes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (int row = 0; row < PQntuples(found); row++)
        g_hash_table_insert(
            indexes, g_strdup(pg_text(found, row, 0)), g_strdup(pg_text(found, row, 1)));
    return indexes;
}

bool
making_forget_complete(Making *making, Pg *target, GError **error)
{
    return undo(making, target, COMPLETE, NULL, error);
}

bool
making_set_complete(const Making *making, Pg *target, GError **error)
{
    return add_mark(making, target, COMPLETE, error);
}
