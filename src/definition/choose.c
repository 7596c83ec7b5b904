#include "definition/choose.h"

#include <string.h>

/* The oid of pg_class in every cluster. */
#define CLASS_OF_TABLES 1259

static const char *const FOREIGN_KINDS[] = {
    "EVENT TRIGGER",
    "PUBLICATION",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "SUBSCRIPTION",
    "SUBSCRIPTION TABLE",
    "BLOB",
    "BLOB METADATA",
    "BLOBS",
    "LARGE OBJECT",
    "DATABASE",
    "DATABASE PROPERTIES",
    NULL};

/* What hangs on a table and comes with it. */
static const char *const HANGING_KINDS[] = {
    "SEQUENCE", "SEQUENCE OWNED BY", "DEFAULT", "CONSTRAINT",   "CHECK CONSTRAINT", "FK CONSTRAINT",
    "INDEX",    "INDEX ATTACH",      "TRIGGER", "POLICY",       "ROW SECURITY",     "STATISTICS",
    "RULE",     "COMMENT",           "ACL",     "TABLE ATTACH", "SECURITY LABEL",   NULL};

typedef struct
{
    GPtrArray *definitions;
    GHashTable *by_number;
    GHashTable *copied; /* oids of tables */
} Choice;

static bool
is_one_of(const Definition *definition, const char *const *kinds)
{
    return g_strv_contains(kinds, definition->type);
}

static bool
is_comment_on_extension(const Definition *definition)
{
    return definition_is(definition, "COMMENT") && g_str_has_prefix(definition->name, "EXTENSION ");
}

static bool
is_table(const Definition *definition)
{
    return definition_is(definition, "TABLE") && definition->class == CLASS_OF_TABLES;
}

static bool
is_copied(const Choice *choice, const Definition *definition)
{
    return g_hash_table_contains(choice->copied, GUINT_TO_POINTER(definition->oid));
}

static bool
is_partitioned(const Definition *definition)
{
    return g_strrstr(definition->text, ")\nPARTITION BY ") != NULL;
}

static const Definition *
needed(const Choice *choice, const Definition *definition, guint i)
{
    const guint number = g_array_index(definition->needs, guint, i);
    return g_hash_table_lookup(choice->by_number, GUINT_TO_POINTER(number));
}

static void
add_note(GPtrArray *notes, const char *what, const Definition *definition)
{
    g_autofree char *title = definition_title(definition);
    g_ptr_array_add(notes, g_strdup_printf("%s is left out: %s", title, what));
}

/* --- all but a few ------------------------------------------------------------------------- */

/* True when it has partitions, and none of them stays. */
static bool
lost_its_partitions(const Choice *choice, const Definition *parent)
{
    bool had = false;

    for (guint i = 0; i < choice->definitions->len; i++)
    {
        const Definition *attach = choice->definitions->pdata[i];
        if (!definition_is(attach, "TABLE ATTACH") || !definition_needs(attach, parent->number))
            continue;
        for (guint n = 0; n < attach->needs->len; n++)
        {
            const Definition *child = needed(choice, attach, n);
            if (child == NULL || child == parent || !definition_needs(child, parent->number))
                continue;
            had = true;
            if (!child->left_out)
                return false;
        }
    }
    return had;
}

static void
leave_tables_out(const Choice *choice)
{
    bool changed = true;

    for (guint i = 0; i < choice->definitions->len; i++)
    {
        Definition *definition = choice->definitions->pdata[i];
        if (is_table(definition) && !is_partitioned(definition) && !is_copied(choice, definition))
            definition->left_out = true;
    }
    while (changed)
    {
        changed = false;
        for (guint i = 0; i < choice->definitions->len; i++)
        {
            Definition *definition = choice->definitions->pdata[i];
            if (!is_table(definition) || definition->left_out || !is_partitioned(definition) ||
                !lost_its_partitions(choice, definition))
                continue;
            definition->left_out = true;
            changed = true;
        }
    }
}

/* --- only a few ---------------------------------------------------------------------------- */

static void
take(const Choice *choice, Definition *definition)
{
    if (!definition->left_out)
        return;
    definition->left_out = false;
    for (guint i = 0; i < definition->needs->len; i++)
    {
        const guint number = g_array_index(definition->needs, guint, i);
        Definition *base = g_hash_table_lookup(choice->by_number, GUINT_TO_POINTER(number));
        if (base != NULL)
            take(choice, base);
    }
}

/* What hangs on something that is taken, without bringing another table along. */
static bool
hangs_on_taken(const Choice *choice, const Definition *definition)
{
    bool hangs = false;

    if (!is_one_of(definition, HANGING_KINDS))
        return false;
    for (guint i = 0; i < definition->needs->len; i++)
    {
        const Definition *base = needed(choice, definition, i);
        if (base == NULL)
            continue;
        const bool is_extension = definition_is(base, "EXTENSION");
        hangs = hangs || (!base->left_out && !is_extension);
        if (base->left_out && (is_table(base) || definition_is(base, "VIEW")))
            return false;
    }
    return hangs;
}

/* A schema stands in the name alone: nothing says that a table needs it. */
static void
take_schemas(const Choice *choice)
{
    g_autoptr(GHashTable) schemas = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < choice->definitions->len; i++)
    {
        const Definition *definition = choice->definitions->pdata[i];
        if (!definition->left_out)
            g_hash_table_add(schemas, definition->schema);
    }
    for (guint i = 0; i < choice->definitions->len; i++)
    {
        Definition *definition = choice->definitions->pdata[i];
        if (definition_is(definition, "SCHEMA") && g_hash_table_contains(schemas, definition->name))
            take(choice, definition);
    }
}

static void
take_only_tables(const Choice *choice)
{
    bool changed = true;

    for (guint i = 0; i < choice->definitions->len; i++)
        ((Definition *) choice->definitions->pdata[i])->left_out = true;
    for (guint i = 0; i < choice->definitions->len; i++)
    {
        Definition *definition = choice->definitions->pdata[i];
        if (is_table(definition) && is_copied(choice, definition))
            take(choice, definition);
    }
    while (changed)
    {
        changed = false;
        for (guint i = 0; i < choice->definitions->len; i++)
        {
            Definition *definition = choice->definitions->pdata[i];
            if (!definition->left_out || !hangs_on_taken(choice, definition))
                continue;
            take(choice, definition);
            changed = true;
        }
    }
    take_schemas(choice);
}

/* --- both ---------------------------------------------------------------------------------- */

static void
leave_foreign_kinds_out(const Choice *choice, bool tell, GPtrArray *notes)
{
    for (guint i = 0; i < choice->definitions->len; i++)
    {
        Definition *definition = choice->definitions->pdata[i];
        if (is_comment_on_extension(definition))
            definition->left_out = true;
        if (!is_one_of(definition, FOREIGN_KINDS))
            continue;
        if (tell && !definition->left_out && definition->class != 0 &&
            strchr(definition->type, ' ') == strrchr(definition->type, ' ') &&
            !g_str_has_prefix(definition->type, "PUBLICATION TABLE"))
            add_note(notes, "it belongs to the source's own cluster", definition);
        definition->left_out = true;
    }
}

static bool
needs_left_out(const Choice *choice, const Definition *definition)
{
    for (guint i = 0; i < definition->needs->len; i++)
    {
        const Definition *base = needed(choice, definition, i);
        if (base != NULL && base->left_out)
            return true;
    }
    return false;
}

static void
leave_dependents_out(const Choice *choice, GPtrArray *notes)
{
    bool changed = true;

    while (changed)
    {
        changed = false;
        for (guint i = 0; i < choice->definitions->len; i++)
        {
            Definition *definition = choice->definitions->pdata[i];
            if (definition->left_out || !needs_left_out(choice, definition))
                continue;
            definition->left_out = true;
            changed = true;
            if (g_str_has_suffix(definition->type, "VIEW") ||
                definition_is(definition, "FK CONSTRAINT"))
                add_note(notes, "it needs a table that is not copied", definition);
        }
    }
}

void
definitions_choose(
    GPtrArray *definitions, const GPtrArray *tables, bool only_them, GPtrArray *notes)
{
    g_autoptr(GHashTable) by_number = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) copied = g_hash_table_new(NULL, NULL);
    const Choice choice = {definitions, by_number, copied};

    for (guint i = 0; i < definitions->len; i++)
    {
        Definition *definition = definitions->pdata[i];
        g_hash_table_insert(by_number, GUINT_TO_POINTER(definition->number), definition);
    }
    for (guint i = 0; i < tables->len; i++)
        g_hash_table_add(copied, GUINT_TO_POINTER(((const Table *) tables->pdata[i])->oid));

    if (only_them)
        take_only_tables(&choice);
    else
        leave_tables_out(&choice);
    leave_foreign_kinds_out(&choice, !only_them, notes);
    leave_dependents_out(&choice, notes);
}
