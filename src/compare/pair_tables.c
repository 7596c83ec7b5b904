#include "compare/pair_tables.h"

#include <string.h>

/* A table as its name stands for it: with one piece, or with its partitions. */
typedef struct
{
    const char *schema; /* borrowed, as the next two */
    const char *name;
    const char *quoted;
    GPtrArray *pieces[SIDE_COUNT]; /* of const SideTable, borrowed; empty at a side without it */
} Candidate;

static void
candidate_free(void *data)
{
    Candidate *candidate = data;
    for (int side = 0; side < SIDE_COUNT; side++)
        g_ptr_array_unref(candidate->pieces[side]);
    g_free(candidate);
}

static void
pair_column_free(void *data)
{
    PairColumn *column = data;
    for (int side = 0; side < SIDE_COUNT; side++)
        g_free(column->sends[side]);
    g_free(column->name);
    g_free(column->quoted);
    g_free(column);
}

static void
table_pair_free(void *data)
{
    TablePair *pair = data;
    for (int side = 0; side < SIDE_COUNT; side++)
        g_clear_pointer(&pair->pieces[side], g_ptr_array_unref);
    g_ptr_array_unref(pair->columns);
    g_ptr_array_unref(pair->key);
    g_free(pair);
}

/* --- which tables -------------------------------------------------------------------------- */

/* One text for schema and name.  Yours. */
static char *
full_name(const Table *table)
{
    return g_strdup_printf("%s\n%s", table->schema, table->name);
}

static GHashTable *
names_of(const GPtrArray *tables)
{
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < tables->len; i++)
        g_hash_table_add(names, full_name(((const SideTable *) tables->pdata[i])->table));
    return names;
}

static bool
is_of_root(const SideTable *table, const SideTable *other)
{
    return table->root_name != NULL && other->root_name != NULL &&
           strcmp(table->root_name, other->root_name) == 0 &&
           strcmp(table->root_schema, other->root_schema) == 0;
}

/* Every partition of this one's root at one side is among the names of the other. */
static bool
partitions_are_among(const GPtrArray *tables, GHashTable *names, const SideTable *partition)
{
    for (guint i = 0; i < tables->len; i++)
    {
        const SideTable *table = tables->pdata[i];
        g_autofree char *name = full_name(table->table);
        if (is_of_root(table, partition) && !g_hash_table_contains(names, name))
            return false;
    }
    return true;
}

static bool
stands_for_itself(
    const GPtrArray *const sides[SIDE_COUNT], GHashTable *const names[SIDE_COUNT],
    const SideTable *table)
{
    return table->root_name == NULL ||
           (partitions_are_among(sides[SIDE_SOURCE], names[SIDE_TARGET], table) &&
            partitions_are_among(sides[SIDE_TARGET], names[SIDE_SOURCE], table));
}

static Candidate *
find_candidate(GPtrArray *candidates, const char *schema, const char *name, const char *quoted)
{
    for (guint i = 0; i < candidates->len; i++)
    {
        Candidate *candidate = candidates->pdata[i];
        if (strcmp(candidate->name, name) == 0 && strcmp(candidate->schema, schema) == 0)
            return candidate;
    }
    Candidate *candidate = g_new0(Candidate, 1);
    candidate->schema = schema;
    candidate->name = name;
    candidate->quoted = quoted;
    for (int side = 0; side < SIDE_COUNT; side++)
        candidate->pieces[side] = g_ptr_array_new();
    g_ptr_array_add(candidates, candidate);
    return candidate;
}

static int
by_name(const void *left, const void *right)
{
    const Candidate *a = *(Candidate *const *) left;
    const Candidate *b = *(Candidate *const *) right;
    const int order = strcmp(a->schema, b->schema);
    return order != 0 ? order : strcmp(a->name, b->name);
}

static GPtrArray *
collect_candidates(const GPtrArray *const sides[SIDE_COUNT])
{
    GPtrArray *candidates = g_ptr_array_new_with_free_func(candidate_free);
    g_autoptr(GHashTable) of_source = names_of(sides[SIDE_SOURCE]);
    g_autoptr(GHashTable) of_target = names_of(sides[SIDE_TARGET]);
    GHashTable *const names[SIDE_COUNT] = {of_source, of_target};

    for (int side = 0; side < SIDE_COUNT; side++)
    {
        for (guint i = 0; i < sides[side]->len; i++)
        {
            SideTable *table = sides[side]->pdata[i];
            const bool alone = stands_for_itself(sides, names, table);
            Candidate *candidate =
                alone ? find_candidate(
                            candidates, table->table->schema, table->table->name,
                            table->table->quoted)
                      : find_candidate(
                            candidates, table->root_schema, table->root_name, table->root_quoted);
            g_ptr_array_add(candidate->pieces[side], table);
        }
    }
    g_ptr_array_sort(candidates, by_name);
    return candidates;
}

/* --- which columns ------------------------------------------------------------------------- */

/* "vector(3)" of "public.vector(3)": where a type lives may differ between databases. */
static const char *
without_schema(const char *type)
{
    const char *dot = strchr(type, '.');
    const char *limits = strchr(type, '(');
    return dot != NULL && (limits == NULL || dot < limits) ? dot + 1 : type;
}

static const Table *
first_table(const TablePair *pair, Side side)
{
    const SideTable *piece = pair->pieces[side]->pdata[0];
    return piece->table;
}

/* The function that makes the bytes at one side, the same for all its pieces; NULL when the
 * binary form of a value is not its own everywhere. */
static const char *
send_at(const TablePair *pair, Side side, const char *name)
{
    const char *send = NULL;
    for (guint i = 0; i < pair->pieces[side]->len; i++)
    {
        const SideTable *piece = pair->pieces[side]->pdata[i];
        const Column *column = table_column(piece->table, name);
        if (column == NULL || !column->portable)
            return NULL;
        send = g_hash_table_lookup(piece->sends, GINT_TO_POINTER(column->number));
        if (send == NULL)
            return NULL;
    }
    return send;
}

static void
add_column(TablePair *pair, const Column *column)
{
    const char *source = send_at(pair, SIDE_SOURCE, column->name);
    const char *target = send_at(pair, SIDE_TARGET, column->name);
    const bool is_binary = source != NULL && target != NULL;
    PairColumn *added = g_new0(PairColumn, 1);

    added->name = g_strdup(column->name);
    added->quoted = g_strdup(column->quoted);
    added->sends[SIDE_SOURCE] = is_binary ? g_strdup(source) : NULL;
    added->sends[SIDE_TARGET] = is_binary ? g_strdup(target) : NULL;
    g_ptr_array_add(pair->columns, added);
}

static void
pair_column(TablePair *pair, const Column *column)
{
    const Table *table = first_table(pair, SIDE_TARGET);
    const Column *other = table_column(table, column->name);

    if (other == NULL)
    {
        table_comparison_add_shape(
            pair->comparison, SHAPE_COLUMN_MISSING, column->name,
            g_strdup_printf("the target has no column %s", column->quoted));
        return;
    }
    if (strcmp(without_schema(column->type), without_schema(other->type)) != 0)
        table_comparison_add_shape(
            pair->comparison, SHAPE_COLUMN_TYPE, column->name,
            g_strdup_printf(
                "column %s is of type %s in the source, and of type %s in the target",
                column->quoted, column->type, other->type));
    if (strcmp(column->type_name, other->type_name) == 0)
        add_column(pair, column);
}

static void
pair_columns(TablePair *pair)
{
    const Table *source = first_table(pair, SIDE_SOURCE);
    const Table *target = first_table(pair, SIDE_TARGET);

    for (guint i = 0; i < source->columns->len; i++)
        pair_column(pair, source->columns->pdata[i]);
    for (guint i = 0; i < target->columns->len; i++)
    {
        const Column *column = target->columns->pdata[i];
        if (table_column(source, column->name) == NULL)
            table_comparison_add_shape(
                pair->comparison, SHAPE_COLUMN_EXTRA, column->name,
                g_strdup_printf("the source has no column %s", column->quoted));
    }
}

static PairColumn *
column_of_pair(const TablePair *pair, const char *name)
{
    for (guint i = 0; i < pair->columns->len; i++)
    {
        PairColumn *column = pair->columns->pdata[i];
        if (strcmp(column->name, name) == 0)
            return column;
    }
    return NULL;
}

/* The key of one side, as far as it can be compared; false for none. */
static bool
take_key(TablePair *pair, Side side)
{
    const Table *table = first_table(pair, side);

    for (guint i = 0; i < table->key->len; i++)
    {
        PairColumn *column = column_of_pair(pair, ((const Column *) table->key->pdata[i])->name);
        if (column == NULL)
        {
            g_ptr_array_set_size(pair->key, 0);
            return false;
        }
        g_ptr_array_add(pair->key, column);
    }
    return pair->key->len > 0;
}

/* --- pairs --------------------------------------------------------------------------------- */

static void
take_problems(TableComparison *comparison, const GPtrArray *pieces, Side side)
{
    for (guint i = 0; i < pieces->len; i++)
    {
        const SideTable *piece = pieces->pdata[i];
        if (piece->problem == NULL)
            continue;
        g_autofree char *problem =
            g_strdup_printf("%s, in the %s", piece->problem, side_name(side));
        table_comparison_set_problem(comparison, problem, piece->hint);
    }
}

static void
add_alone(TableComparison *comparison, const Candidate *candidate)
{
    if (candidate->pieces[SIDE_TARGET]->len == 0)
        table_comparison_add_shape(
            comparison, SHAPE_TABLE_MISSING, NULL, g_strdup("the target has no such table"));
    else
        table_comparison_add_shape(
            comparison, SHAPE_TABLE_EXTRA, NULL, g_strdup("the source has no such table"));
}

/* NULL when there is nothing to be compared. */
static TablePair *
pair_candidate(const Candidate *candidate, Comparison *comparison)
{
    TableComparison *compared = comparison_add(comparison, candidate->quoted);

    if (candidate->pieces[SIDE_SOURCE]->len == 0 || candidate->pieces[SIDE_TARGET]->len == 0)
    {
        add_alone(compared, candidate);
        return NULL;
    }
    TablePair *pair = g_new0(TablePair, 1);
    pair->columns = g_ptr_array_new_with_free_func(pair_column_free);
    pair->key = g_ptr_array_new();
    pair->comparison = compared;
    for (int side = 0; side < SIDE_COUNT; side++)
    {
        pair->pieces[side] = g_ptr_array_ref(candidate->pieces[side]);
        take_problems(compared, pair->pieces[side], (Side) side);
    }
    pair_columns(pair);
    if (!take_key(pair, SIDE_SOURCE))
        take_key(pair, SIDE_TARGET);
    if (compared->problem == NULL)
        return pair;
    table_pair_free(pair);
    return NULL;
}

GPtrArray *
tables_pair(const GPtrArray *source, const GPtrArray *target, Comparison *comparison)
{
    const GPtrArray *const sides[SIDE_COUNT] = {source, target};
    g_autoptr(GPtrArray) candidates = collect_candidates(sides);
    GPtrArray *pairs = g_ptr_array_new_with_free_func(table_pair_free);

    for (guint i = 0; i < candidates->len; i++)
    {
        TablePair *pair = pair_candidate(candidates->pdata[i], comparison);
        if (pair != NULL)
            g_ptr_array_add(pairs, pair);
    }
    return pairs;
}
