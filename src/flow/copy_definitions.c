#include "flow/copy_definitions.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/retry.h"
#include "definition/choose.h"
#include "definition/dump.h"
#include "definition/extensions.h"
#include "definition/make.h"
#include "definition/views.h"
#include "index/progress.h"
#include "index/session.h"

#include <pthread.h>
#include <string.h>

/* How often the server is asked how far its index builds are. */
#define ASK_EVERY_US (G_USEC_PER_SEC / 2)

#define REMEDY_OF_FAILURE "mend it and run the same command again: only what is missing is made"

/* An HNSW graph that does not fit is slow and not wrong. */
#define REMEDY_OF_MEMORY "a larger --index-memory makes it fast"

struct CopyDefinitions
{
    const DefinitionPlace *place;
    GPtrArray *all;      /* of Definition, in the source */
    GPtrArray *existing; /* the target's, NULL: there is no telling */
    GPtrArray *views;    /* quoted names of materialised views to be filled */
    GPtrArray *indexes;  /* of VectorIndex, in the source */
    Making *making;
    bool were_complete;

    /* Of the part after the rows. */
    GHashTable *unfinished;
    const IndexChoice *choice;
    GPtrArray *jobs; /* of const Definition: those made now, several at a time */
    guint at_a_time;
    gint64 asked_us;
    pthread_mutex_t mutex;
    GHashTable *failed; /* numbers of definitions that could not be made */
};

void
copy_definitions_free(CopyDefinitions *definitions)
{
    if (definitions == NULL)
        return;
    g_clear_pointer(&definitions->all, g_ptr_array_unref);
    g_clear_pointer(&definitions->existing, g_ptr_array_unref);
    g_clear_pointer(&definitions->views, g_ptr_array_unref);
    g_clear_pointer(&definitions->indexes, g_ptr_array_unref);
    g_clear_pointer(&definitions->unfinished, g_hash_table_unref);
    g_clear_pointer(&definitions->failed, g_hash_table_unref);
    making_free(definitions->making);
    pthread_mutex_destroy(&definitions->mutex);
    g_free(definitions);
}

static void
tell_notes(const CopyDefinitions *definitions, const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++)
        copy_news_note(definitions->place->news, notes->pdata[i]);
}

/* --- before the rows ----------------------------------------------------------------------- */

static int
major_version(const Pg *pg)
{
    return pg_server_version(pg) / 10000;
}

static bool
dump_source(CopyDefinitions *definitions, const Tool *tool, GError **error)
{
    const DefinitionPlace *place = definitions->place;

    definitions->all = definitions_dump(
        tool, snapshot_keeper(place->snapshot), snapshot_name(place->snapshot), place->cancel,
        error);
    if (definitions->all == NULL)
        g_prefix_error(error, "could not read the source's definitions: ");
    return definitions->all != NULL;
}

/* What may not be looked at stays unknown; the server itself then says what is there already. */
static bool
dump_target(CopyDefinitions *definitions, const Tool *tool, GError **error)
{
    const DefinitionPlace *place = definitions->place;
    g_autoptr(GError) problem = NULL;

    if (tool->version < major_version(place->target))
    {
        g_autofree char *note = g_strdup_printf(
            "what the target holds already cannot be compared: that takes pg_dump %d or later, and "
            "here is %d",
            major_version(place->target), tool->version);
        copy_news_note(place->news, note);
        return true;
    }
    definitions->existing = definitions_dump(tool, place->target, NULL, place->cancel, &problem);
    if (definitions->existing != NULL || g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
        return true;
    g_propagate_prefixed_error(
        error, g_steal_pointer(&problem), "could not read the target's definitions: ");
    return false;
}

static bool
read_both_ends(CopyDefinitions *definitions, GError **error)
{
    const DefinitionPlace *place = definitions->place;
    const int source = major_version(snapshot_keeper(place->snapshot));
    const int target = major_version(place->target);
    g_autoptr(Tool) tool = tool_find(source, MAX(source, target), error);
    if (tool == NULL || !dump_source(definitions, tool, error) ||
        !dump_target(definitions, tool, error))
        return false;

    definitions->indexes = vector_indexes(snapshot_keeper(place->snapshot), error);
    return definitions->indexes != NULL;
}

static bool
choose(CopyDefinitions *definitions, GError **error)
{
    const DefinitionPlace *place = definitions->place;
    Pg *keeper = snapshot_keeper(place->snapshot);
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

    definitions_choose(definitions->all, place->tables, place->only_tables, notes);
    const bool fit = extensions_compare(keeper, place->target, definitions->all, notes, error);
    tell_notes(definitions, notes);
    if (!fit)
        return false;
    definitions->views = views_filled(keeper, definitions->all, error);
    return definitions->views != NULL;
}

static const VectorIndex *
vector_index_of(const CopyDefinitions *definitions, const Definition *definition)
{
    for (guint i = 0; definition_is(definition, "INDEX") && i < definitions->indexes->len; i++)
    {
        const VectorIndex *index = definitions->indexes->pdata[i];
        if (index->oid == definition->oid)
            return index;
    }
    return NULL;
}

/* Better now than when the rows are there. */
static bool
check_what_comes_after(const CopyDefinitions *definitions, GError **error)
{
    for (guint i = 0; i < definitions->all->len; i++)
    {
        const Definition *definition = definitions->all->pdata[i];
        bool there = false;
        if (definition->after_rows && !definition->left_out &&
            (definitions->place->keep_indexes ||
             vector_index_of(definitions, definition) == NULL) &&
            !making_has(definitions->making, definition, &there, error))
            return false;
    }
    return true;
}

static bool
make_before(CopyDefinitions *definitions, GError **error)
{
    const DefinitionPlace *place = definitions->place;
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);

    if (!making_before_rows(definitions->making, place->target, definitions->all, notes, error))
        return false;
    tell_notes(definitions, notes);
    fault_point(FAULT_AFTER_DEFINITIONS);
    return place->as_replica || making_silence(
                                    definitions->making, snapshot_keeper(place->snapshot),
                                    place->target, definitions->all, error);
}

/* True when nothing is to be done: an earlier command has made all. */
static bool
begin_making(CopyDefinitions *definitions, GError **error)
{
    const DefinitionPlace *place = definitions->place;
    g_autoptr(Making) marks = making_new(place->target, place->run, NULL, error);
    if (marks == NULL)
        return false;

    definitions->were_complete = making_is_complete(marks) && !place->again;
    if (definitions->were_complete)
        return true;
    if (making_is_complete(marks) && !making_forget_complete(marks, place->target, error))
        return false;
    if (!read_both_ends(definitions, error))
        return false;
    definitions->making = making_new(place->target, place->run, definitions->existing, error);
    return definitions->making != NULL && choose(definitions, error) &&
           check_what_comes_after(definitions, error) && make_before(definitions, error);
}

CopyDefinitions *
copy_definitions_begin(const DefinitionPlace *place, GError **error)
{
    g_autoptr(CopyDefinitions) definitions = g_new0(CopyDefinitions, 1);

    definitions->place = place;
    pthread_mutex_init(&definitions->mutex, NULL);
    if (copy_run_prepare(place->target, error) && begin_making(definitions, error))
        return g_steal_pointer(&definitions);
    return NULL;
}

/* --- problems ------------------------------------------------------------------------------ */

static bool
has_failed(CopyDefinitions *definitions, guint number)
{
    pthread_mutex_lock(&definitions->mutex);
    const bool failed = g_hash_table_contains(definitions->failed, GUINT_TO_POINTER(number));
    pthread_mutex_unlock(&definitions->mutex);
    return failed;
}

static void
set_failed(CopyDefinitions *definitions, guint number)
{
    pthread_mutex_lock(&definitions->mutex);
    g_hash_table_add(definitions->failed, GUINT_TO_POINTER(number));
    pthread_mutex_unlock(&definitions->mutex);
}

static void
tell_problem(const CopyDefinitions *definitions, const char *message)
{
    CopyNews *news = definitions->place->news;

    g_ptr_array_add(copy_news_lock(news)->problems, g_strdup(message));
    copy_news_unlock(news);
}

/* A failure of this one alone; others end or repeat the whole. */
static bool
is_of_the_definition(const GError *problem)
{
    return g_error_matches(problem, VF_ERROR, VF_ERROR_FAILED) ||
           g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED) ||
           g_error_matches(problem, VF_ERROR, VF_ERROR_MISMATCH);
}

static bool
bear(CopyDefinitions *definitions, const Definition *definition, GError **problem, GError **error)
{
    if (!is_of_the_definition(*problem))
    {
        g_propagate_error(error, g_steal_pointer(problem));
        return false;
    }
    vf_error_hint(problem, REMEDY_OF_FAILURE);
    set_failed(definitions, definition->number);
    tell_problem(definitions, (*problem)->message);
    return true;
}

/* --- one definition after the rows --------------------------------------------------------- */

static gint64
now_ms(void)
{
    return g_get_real_time() / 1000;
}

static IndexProgress *
begin_progress(const CopyDefinitions *definitions, const char *title, gint64 pid)
{
    CopyNews *news = definitions->place->news;
    IndexProgress *shown = NULL;
    CopyProgress *progress = copy_news_lock(news);

    for (guint i = 0; i < progress->indexes->len; i++)
        if (strcmp(((IndexProgress *) progress->indexes->pdata[i])->index, title) == 0)
            shown = progress->indexes->pdata[i];
    if (shown == NULL)
        shown = copy_progress_add_index(progress, title);
    shown->started_ms = now_ms();
    shown->pid = pid;
    copy_news_unlock(news);
    return shown;
}

static void
end_progress(const CopyDefinitions *definitions, IndexProgress *shown, const GError *problem)
{
    CopyNews *news = definitions->place->news;

    copy_news_lock(news);
    shown->ended_ms = now_ms();
    shown->pid = 0;
    g_clear_pointer(&shown->problem, g_free);
    if (problem != NULL)
        shown->problem = g_strndup(problem->message, strcspn(problem->message, "\n"));
    copy_news_unlock(news);
}

static gint64
backend_of(Pg *target)
{
    g_autoptr(PGresult) pid = pg_query(target, "SELECT pg_backend_pid()", 0, NULL, NULL);
    return pid == NULL ? 0 : pg_number(pid, 0, 0);
}

static const char *
unfinished_of(const CopyDefinitions *definitions, const Definition *definition)
{
    g_autofree char *name = g_strconcat(definition->schema, ".", definition->name, NULL);
    return definition_is(definition, "INDEX") ? g_hash_table_lookup(definitions->unfinished, name)
                                              : NULL;
}

/* The rows of a table that have been copied. */
static double
rows_of(const CopyDefinitions *definitions, const VectorIndex *index)
{
    CopyNews *news = definitions->place->news;
    const CopyProgress *progress = copy_news_lock(news);
    double rows = MAX(index->rows, 0);

    for (guint i = 0; i < progress->tables->len; i++)
    {
        const TableProgress *table = progress->tables->pdata[i];
        if (strcmp(table->table, index->table) == 0)
            rows = (double) table->rows;
    }
    copy_news_unlock(news);
    return rows;
}

static bool
stands_by_name(const CopyDefinitions *definitions, const Definition *definition)
{
    g_autofree char *key = definition_key(definition);

    for (guint i = 0; definitions->existing != NULL && i < definitions->existing->len; i++)
    {
        g_autofree char *other = definition_key(definitions->existing->pdata[i]);
        if (strcmp(key, other) == 0)
            return true;
    }
    return false;
}

/*
 * The statement that makes a vector index.  One that stood there before the rows came is built
 * again: the centres of ivfflat are those of the rows that it was made from.
 */
static char *
statement_of_vector(
    const CopyDefinitions *definitions, const Definition *definition, const VectorIndex *index,
    double rows)
{
    const IndexChoice *choice = definitions->choice;
    const char *unfinished = unfinished_of(definitions, definition);
    g_autofree char *create = choice->keep ? g_strdup(definition->text)
                                           : vector_index_statement(index, &choice->wish, rows);

    if (unfinished != NULL)
        return g_strdup_printf("DROP INDEX %s;\n%s", unfinished, create);
    if (stands_by_name(definitions, definition) && !choice->keep)
        return g_strdup_printf("DROP INDEX %s;\n%s", index->quoted, create);
    if (stands_by_name(definitions, definition))
        return index->partitioned ? g_strdup("")
                                  : g_strdup_printf("REINDEX INDEX %s", index->quoted);
    return g_steal_pointer(&create);
}

static bool
build_vector(
    CopyDefinitions *definitions, const Definition *definition, const VectorIndex *index,
    Pg *target, GError **error)
{
    const IndexChoice *choice = definitions->choice;
    const double rows = rows_of(definitions, index);
    IndexShape shape = vector_index_shape(index, rows);
    g_autofree char *statement = statement_of_vector(definitions, definition, index, rows);

    if (!choice->keep)
    {
        shape.kind = choice->wish.kind;
        shape.m = choice->wish.m > 0 ? choice->wish.m : shape.m;
        shape.lists = choice->wish.lists > 0             ? choice->wish.lists
                      : index->kind == choice->wish.kind ? shape.lists
                                                         : index_usual_lists(rows);
    }
    for (bool serial = false;; serial = true)
    {
        g_autoptr(GError) problem = NULL;
        IndexMeans means;
        if (!index_lend(
                target, &shape, choice->memory, definitions->at_a_time, serial, &means, error))
            return false;
        const bool built = making_one(definitions->making, target, definition, statement, &problem);
        index_give_back(target);
        if (built)
            return true;
        if (serial || !index_wants_serial(problem))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            if (!means.fits)
                vf_error_hint(error, REMEDY_OF_MEMORY "; " REMEDY_OF_FAILURE);
            return false;
        }
        copy_news_note(
            definitions->place->news,
            "the server has too little shared memory for a parallel build; building serially");
    }
}

static bool
make_plain(CopyDefinitions *definitions, const Definition *definition, Pg *target, GError **error)
{
    const char *unfinished = unfinished_of(definitions, definition);
    g_autofree char *text =
        unfinished == NULL ? NULL
                           : g_strdup_printf("DROP INDEX %s;\n%s", unfinished, definition->text);
    return making_one(definitions->making, target, definition, text, error);
}

/* --- several at a time --------------------------------------------------------------------- */

static bool
do_build(void *data, guint number, Pg *target, GError **error)
{
    CopyDefinitions *definitions = data;
    const Definition *definition = definitions->jobs->pdata[number];
    const VectorIndex *index = vector_index_of(definitions, definition);
    g_autofree char *title = definition_place(definition);
    g_autoptr(GError) problem = NULL;

    if (!pg_run(target, "SET session_replication_role = DEFAULT", NULL) && !pg_alive(target))
        return pg_run(target, "SELECT", error);
    IndexProgress *shown = begin_progress(definitions, title, backend_of(target));
    const bool made = index == NULL
                          ? make_plain(definitions, definition, target, &problem)
                          : build_vector(definitions, definition, index, target, &problem);
    end_progress(definitions, shown, made ? NULL : problem);
    return made || bear(definitions, definition, &problem, error);
}

static void
show_build(CopyDefinitions *definitions, const BuildProgress *build)
{
    CopyNews *news = definitions->place->news;
    const CopyProgress *progress = copy_news_lock(news);

    for (guint i = 0; i < progress->indexes->len; i++)
    {
        IndexProgress *shown = progress->indexes->pdata[i];
        if (shown->pid != build->pid || shown->ended_ms != 0)
            continue;
        g_free(shown->phase);
        shown->phase = g_strdup(build->phase);
        shown->done = build->done;
        shown->total = build->total;
    }
    copy_news_unlock(news);
}

static void
look_at_builds(void *data)
{
    CopyDefinitions *definitions = data;
    const gint64 now = g_get_monotonic_time();

    if (now - definitions->asked_us < ASK_EVERY_US)
        return;
    definitions->asked_us = now;
    g_autoptr(GArray) builds = index_progress(definitions->place->target, NULL);
    for (guint i = 0; builds != NULL && i < builds->len; i++)
        show_build(definitions, &g_array_index(builds, BuildProgress, i));
}

/* Whether it waits to be made now; with `failed` noted when something that it needs is not there.
 */
static bool
is_due(CopyDefinitions *definitions, const Definition *definition, bool *due, GError **error)
{
    const VectorIndex *index = vector_index_of(definitions, definition);
    bool there = false;

    *due = false;
    if (definition->left_out || !definition->after_rows)
        return true;
    for (guint i = 0; i < definition->needs->len; i++)
    {
        if (!has_failed(definitions, g_array_index(definition->needs, guint, i)))
            continue;
        set_failed(definitions, definition->number);
        return true;
    }
    if (index != NULL && definitions->choice->none)
    {
        set_failed(definitions, definition->number);
        return true;
    }
    if (index != NULL)
        there = making_is_marked(definitions->making, definition) &&
                (definitions->existing == NULL || stands_by_name(definitions, definition));
    else if (!making_has(definitions->making, definition, &there, error))
        return false;
    *due = !there;
    return true;
}

static bool
is_built(const Definition *definition)
{
    return definition_is(definition, "INDEX") || definition_is(definition, "CONSTRAINT");
}

static bool
collect_jobs(CopyDefinitions *definitions, bool vectors, GError **error)
{
    for (guint i = 0; i < definitions->all->len; i++)
    {
        Definition *definition = definitions->all->pdata[i];
        const bool is_vector = vector_index_of(definitions, definition) != NULL;
        bool due = false;
        if (!is_built(definition) || is_vector != vectors)
            continue;
        if (!is_due(definitions, definition, &due, error))
            return false;
        if (due)
            g_ptr_array_add(definitions->jobs, definition);
    }
    return true;
}

static bool
build_several(CopyDefinitions *definitions, const CopyWork *work, bool vectors, GError **error)
{
    g_autoptr(GPtrArray) jobs = g_ptr_array_new();

    definitions->jobs = jobs;
    if (!collect_jobs(definitions, vectors, error))
        return false;
    const CopyJobs crew = {jobs->len, do_build, look_at_builds, definitions};
    definitions->at_a_time = MAX(MIN(jobs->len, work->connections), 1);
    return jobs->len == 0 || copy_jobs(work, &crew, error);
}

/* --- one after the other ------------------------------------------------------------------- */

static bool
needs_vector(const CopyDefinitions *definitions, const Definition *definition)
{
    for (guint i = 0; i < definitions->all->len; i++)
    {
        const Definition *base = definitions->all->pdata[i];
        if (vector_index_of(definitions, base) != NULL &&
            definition_needs(definition, base->number))
            return true;
    }
    return false;
}

static bool
make_in_turn(CopyDefinitions *definitions, const Definition *definition, GError **error)
{
    Pg *target = definitions->place->target;
    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    bool due = false;

    if (!is_due(definitions, definition, &due, error))
        return false;
    if (!due)
        return true;
    if (definition_is_optional(definition))
    {
        const bool tried = making_optional(definitions->making, target, definition, notes, error);
        tell_notes(definitions, notes);
        return tried;
    }
    return make_plain(definitions, definition, target, &problem) ||
           bear(definitions, definition, &problem, error);
}

static bool
make_the_others(CopyDefinitions *definitions, bool on_vectors, GError **error)
{
    for (guint i = 0; i < definitions->all->len; i++)
    {
        const Definition *definition = definitions->all->pdata[i];
        if (is_built(definition) || needs_vector(definitions, definition) != on_vectors)
            continue;
        if (!make_in_turn(definitions, definition, error))
            return false;
    }
    return true;
}

static bool
fill_views(CopyDefinitions *definitions, GError **error)
{
    g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);

    if (!views_fill(definitions->place->target, definitions->views, problems, error))
        return false;
    for (guint i = 0; i < problems->len; i++)
        tell_problem(definitions, problems->pdata[i]);
    return true;
}

bool
copy_definitions_end(
    CopyDefinitions *definitions, const CopyWork *work, const IndexChoice *choice, GError **error)
{
    if (definitions->were_complete)
        return true;
    definitions->choice = choice;
    g_clear_pointer(&definitions->failed, g_hash_table_unref);
    g_clear_pointer(&definitions->unfinished, g_hash_table_unref);
    definitions->failed = g_hash_table_new(NULL, NULL);
    definitions->unfinished = unfinished_indexes(definitions->place->target, error);
    if (definitions->unfinished == NULL || !build_several(definitions, work, false, error) ||
        !make_the_others(definitions, false, error) || !fill_views(definitions, error))
        return false;
    return build_several(definitions, work, true, error) &&
           make_the_others(definitions, true, error);
}

bool
copy_definitions_complete(CopyDefinitions *definitions, GError **error)
{
    return definitions->were_complete ||
           making_set_complete(definitions->making, definitions->place->target, error);
}

bool
copy_definitions_were_complete(const CopyDefinitions *definitions)
{
    return definitions->were_complete;
}
