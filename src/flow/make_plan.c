#include "flow/make_plan.h"

#include "base/error.h"
#include "extract/foresee.h"
#include "flow/agreement.h"
#include "flow/ask_model.h"
#include "flow/stages.h"
#include "model/plan_json.h"
#include "plan/make.h"
#include "plan/prices.h"
#include "state/ledger.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PLAN_BYTES (256 * 1024 * 1024)

/* What is far away is asked for by this many at a time. */
#define LOOKERS 16

/* --- which bots ---------------------------------------------------------------------------- */

static void
remember_bots(GHashTable *states, const RunProgress *run)
{
    for (guint i = 0; i < run->bots->len; i++)
    {
        const BotProgress *bot = run->bots->pdata[i];
        char *key = bot_key(bot->user, bot->bot);
        if (g_hash_table_contains(states, key))
            g_free(key);
        else
            g_hash_table_insert(states, key, GINT_TO_POINTER((int) bot->state));
    }
}

/*
 * What the latest run that had the bot said of it: bot_key() → BotState.  A run that was planned
 * and never begun says nothing.
 */
static GHashTable *
latest_states(const Settings *settings)
{
    g_autofree char *folder = ledger_folder(settings_text(settings, SETTING_STATE));
    g_auto(GStrv) runs = ledger_runs(folder);
    GHashTable *states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (size_t i = 0; runs[i] != NULL; i++)
    {
        g_autoptr(RunProgress) run = ledger_read_all(folder, runs[i], NULL);
        if (run != NULL)
            remember_bots(states, run);
    }
    return states;
}

/* An interrupted run leaves bots that neither succeeded nor failed. */
static bool
has_not_succeeded(GHashTable *states, const Bot *bot)
{
    g_autofree char *key = bot_key(bot->user, bot->id);
    void *state = NULL;

    if (!g_hash_table_lookup_extended(states, key, NULL, &state))
        return g_str_equal(bot->sync_status, "FAILED");
    return GPOINTER_TO_INT(state) != BOT_SUCCEEDED;
}

static GPtrArray *
only_failed(const Settings *settings, GPtrArray *bots)
{
    g_autoptr(GHashTable) states = latest_states(settings);
    GPtrArray *failed = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);

    for (guint i = 0; i < bots->len; i++)
        if (has_not_succeeded(states, bots->pdata[i]))
            g_ptr_array_add(failed, bot_ref(bots->pdata[i]));
    return failed;
}

static GPtrArray *
only_agreed(const Plan *agreed, GPtrArray *bots)
{
    g_autoptr(GHashTable) index = plan_index(agreed);
    GPtrArray *named = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);

    for (guint i = 0; i < bots->len; i++)
    {
        Bot *bot = bots->pdata[i];
        if (plan_find(index, bot->user, bot->id) != NULL)
            g_ptr_array_add(named, bot_ref(bot));
    }
    return named;
}

static GPtrArray *
select_bots(const Settings *settings, const Plan *agreed, GPtrArray *all, GError **error)
{
    const Selection selection = stage_selection(settings);
    g_autoptr(GPtrArray) selected = selection_apply(&selection, all, error);
    if (selected == NULL)
        return NULL;
    if (agreed != NULL)
    {
        GPtrArray *named = only_agreed(agreed, selected);
        g_ptr_array_unref(selected);
        selected = named;
    }
    return settings_switch(settings, SETTING_ONLY_FAILED) ? only_failed(settings, selected)
                                                          : g_steal_pointer(&selected);
}

/* --- how their sources look ---------------------------------------------------------------- */

typedef struct
{
    DocumentSource *documents;
    const GPtrArray *bots;
    GPtrArray *looks; /* of BotLook */
    ExtractOptions extract;
    Cancel *cancel;
    bool check_urls;
    gint next; /* bot to look at; taken atomically */

    pthread_mutex_t lock;
    GError *obstacle; /* the first that concerns no single source; guarded by the lock */
} Looking;

/* A file of this machine is opened and its first bytes are looked at; what is far away is only
 * asked for. */
static bool
look_at_document(
    const Looking *looking, const Bot *bot, const Source *source, DocumentFacts *facts,
    GError **error)
{
    DocumentSource *documents = looking->documents;

    if (source->kind != SOURCE_FILE || documents->distant)
        return documents->probe(documents, bot, source, looking->cancel, facts, error);
    g_autoptr(Document) document = documents->open(documents, bot, source, looking->cancel, error);
    if (document == NULL)
        return false;
    *facts = document->facts;
    return extract_foresee(document, &looking->extract, error);
}

/* What another source may have as well: refused credentials, no such bucket. */
static bool
is_obstacle(const GError *problem)
{
    return !g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT) &&
           !g_error_matches(problem, VF_ERROR, VF_ERROR_CONNECT) &&
           !g_error_matches(problem, VF_ERROR, VF_ERROR_BUSY) &&
           !g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED);
}

static void
keep_obstacle(Looking *looking, const GError *problem)
{
    pthread_mutex_lock(&looking->lock);
    if (looking->obstacle == NULL)
        looking->obstacle = g_error_copy(problem);
    pthread_mutex_unlock(&looking->lock);
}

static bool
has_obstacle(Looking *looking)
{
    pthread_mutex_lock(&looking->lock);
    const bool found = looking->obstacle != NULL;
    pthread_mutex_unlock(&looking->lock);
    return found;
}

static void
look_at_source(Looking *looking, const Bot *bot, const Source *source, SourceLook *look)
{
    g_autoptr(GError) problem = NULL;

    if (source->kind == SOURCE_URL && !looking->check_urls)
        return;
    if (look_at_document(looking, bot, source, &look->facts, &problem))
        return;
    if (is_obstacle(problem))
        keep_obstacle(looking, problem);
    look->problem = vf_error_one_line(problem->message);
}

static void
look_at_bot(Looking *looking, const Bot *bot, const BotLook *look)
{
    for (guint i = 0; i < bot->sources->len && !cancel_requested(looking->cancel); i++)
        look_at_source(looking, bot, bot->sources->pdata[i], look->sources->pdata[i]);
}

static void *
look_at_bots(void *data)
{
    Looking *looking = data;
    for (;;)
    {
        const guint i = (guint) g_atomic_int_add(&looking->next, 1);
        if (i >= looking->bots->len || cancel_requested(looking->cancel) || has_obstacle(looking))
            return NULL;
        const Bot *bot = looking->bots->pdata[i];
        if (bot->kind == BOT_VECTOR)
            look_at_bot(looking, bot, looking->looks->pdata[i]);
    }
}

static bool
names_urls(const GPtrArray *bots)
{
    for (guint i = 0; i < bots->len; i++)
    {
        const Bot *bot = bots->pdata[i];
        for (guint j = 0; j < bot->sources->len; j++)
            if (((const Source *) bot->sources->pdata[j])->kind == SOURCE_URL)
                return true;
    }
    return false;
}

static GPtrArray *
empty_looks(
    const Settings *settings, const GPtrArray *bots, DocumentSource *documents,
    const EmbedderInfo *embedder)
{
    GPtrArray *looks = g_ptr_array_new_with_free_func((GDestroyNotify) bot_look_free);
    for (guint i = 0; i < bots->len; i++)
    {
        const Bot *bot = bots->pdata[i];
        const SplitOptions split = stage_split_options(settings, bot, embedder);
        BotLook *look = bot_look_new();
        look->longest_chunk = split_longest(&split);
        look->chunk_size = split.size;
        look->chunk_overlap = split.overlap;
        for (guint j = 0; j < bot->sources->len; j++)
        {
            g_autofree char *label = documents->label(documents, bot, bot->sources->pdata[j]);
            g_ptr_array_add(look->sources, source_look_new(label));
        }
        g_ptr_array_add(looks, look);
    }
    return looks;
}

/* Files of this machine answer at once; what is far away is worth waiting for in parallel. */
static void
look_in_parallel(Looking *looking)
{
    const bool far =
        looking->documents->distant || (looking->check_urls && names_urls(looking->bots));
    const guint wanted = far ? LOOKERS : 0;
    pthread_t threads[LOOKERS];
    guint count = 0;

    while (count < wanted && pthread_create(&threads[count], NULL, look_at_bots, looking) == 0)
        count++;
    look_at_bots(looking); /* this thread alone would do */
    for (guint i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static GPtrArray *
look_at_sources(
    const Settings *settings, const GPtrArray *bots, const EmbedderInfo *embedder, Cancel *cancel,
    GError **error)
{
    g_autoptr(DocumentSource) documents = stage_documents(settings, error);
    if (documents == NULL)
        return NULL;

    Looking looking = {
        .documents = documents,
        .bots = bots,
        .looks = empty_looks(settings, bots, documents, embedder),
        .extract = stage_extract_options(settings),
        .cancel = cancel,
        .check_urls = settings_switch(settings, SETTING_CHECK_URLS),
    };
    pthread_mutex_init(&looking.lock, NULL);
    look_in_parallel(&looking);
    pthread_mutex_destroy(&looking.lock);

    if (looking.obstacle == NULL && cancel_check(cancel, error))
        return looking.looks;
    if (looking.obstacle != NULL)
        g_propagate_prefixed_error(error, looking.obstacle, "could not look at the documents: ");
    g_ptr_array_unref(looking.looks);
    return NULL;
}

/* --- what the store holds ------------------------------------------------------------------ */

/* `dimensions`: of the model; if nobody knows them, the column's. */
static Observation *
look_at_store(
    const Settings *settings, int *dimensions, const Notes *notes, Cancel *cancel, GError **error)
{
    StoreMap map = {0};
    g_autoptr(Store) store = stage_new_store(settings, "vecferry plan", &map, notes, cancel, error);

    if (store == NULL || !store_check(store, *dimensions, error))
        return NULL;
    if (*dimensions == 0)
        *dimensions = store->dimensions;
    return store_observe(store, error);
}

/* --- the plan ------------------------------------------------------------------------------ */

/* Bots that were to be loaded and are not in the catalogue any more. */
static void
add_vanished(Plan *plan, const Plan *agreed, const GPtrArray *all)
{
    g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < all->len; i++)
    {
        const Bot *bot = all->pdata[i];
        g_hash_table_add(there, bot_key(bot->user, bot->id));
    }
    for (guint i = 0; i < agreed->bots->len; i++)
    {
        const PlannedBot *was = agreed->bots->pdata[i];
        g_autofree char *key = bot_key(was->user, was->id);
        if (was->action != ACTION_EMBED || g_hash_table_contains(there, key))
            continue;
        PlannedBot *vanished = planned_bot_new(was->user, was->id, was->title);
        vanished->fingerprint = g_strdup(was->fingerprint);
        vanished->action = ACTION_BLOCKED;
        vanished->reason = g_strdup("it is no longer in the catalogue");
        vanished->marked_ms = -1;
        g_ptr_array_add(plan->bots, vanished);
    }
}

static GHashTable *
ids_of(const GPtrArray *bots)
{
    GHashTable *ids = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < bots->len; i++)
        g_hash_table_add(ids, ((const Bot *) bots->pdata[i])->id);
    return ids;
}

Plan *
flow_make_plan(
    const Settings *settings, const Plan *agreed, const Notes *notes, Cancel *cancel,
    GError **error)
{
    g_autoptr(Catalogue) catalogue = stage_catalogue(settings, error);
    if (catalogue == NULL)
        return NULL;
    g_autoptr(GPtrArray) all = catalogue->list(catalogue, cancel, error);
    if (all == NULL)
        return NULL;
    g_autoptr(GPtrArray) bots = select_bots(settings, agreed, all, error);
    if (bots == NULL)
        return NULL;
    g_autoptr(Embedder) unasked = stage_embedder(settings, 0, error);
    if (unasked == NULL)
        return NULL;
    int dimensions = unasked->info.dimensions;
    g_autoptr(Observation) store = look_at_store(settings, &dimensions, notes, cancel, error);
    if (store == NULL)
        return NULL;
    g_autofree char *unasked_space = embedder_space(unasked);
    g_autofree char *run =
        agreement_run_id(settings, catalogue->name, store->identity, unasked_space);
    /* A column that takes any length tells nothing: then the model has to. */
    if (dimensions == 0 && !ask_model(settings, run, cancel, &dimensions, error))
        return NULL;
    g_autoptr(Embedder) embedder = stage_embedder(settings, dimensions, error);
    if (embedder == NULL)
        return NULL;
    g_autoptr(GPtrArray) looks = look_at_sources(settings, bots, &embedder->info, cancel, error);
    if (looks == NULL)
        return NULL;

    g_autofree char *space = embedder_space(embedder);
    g_autoptr(GHashTable) known = ids_of(all);
    const char *price_origin = NULL;
    stage_price(settings, &embedder->info, &price_origin);
    const PlanInput input = {
        .catalogue = catalogue->name,
        .bots = bots,
        .all = all,
        .looks = looks,
        .known = bots->len == all->len ? known : NULL,
        .store = store,
        .space = space,
        .splitter = settings_text(settings, SETTING_SPLITTER),
        .max_characters = (gint64) embedder->info.max_characters,
        .rehearsal = g_str_equal(embedder->info.provider, "hashing"),
        .allow_partial = settings_switch(settings, SETTING_ALLOW_PARTIAL),
        .price_origin = price_origin,
        .rules = stage_estimate_rules(settings, &embedder->info),
        .now_ms = g_get_real_time() / 1000,
    };
    Plan *plan = plan_make(&input);
    plan->dimensions = embedder->info.dimensions;
    plan->asks_model = unasked->info.dimensions == 0;
    plan->run = g_steal_pointer(&run);
    if (agreed != NULL)
        add_vanished(plan, agreed, all);
    return plan;
}

static Plan *
read_plan(const char *path, GError **error)
{
    json_error_t problem;
    struct stat facts;

    if (stat(path, &facts) != 0 || access(path, R_OK) != 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not read the plan \"%s\": %s", path,
            g_strerror(errno));
        return NULL;
    }
    if (!S_ISREG(facts.st_mode) || facts.st_size > MAX_PLAN_BYTES)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "could not read the plan \"%s\": it should be a file of at most 256 MiB", path);
        return NULL;
    }
    g_autoptr(Json) json = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);

    if (json == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not read the plan \"%s\": %s (line %d)", path,
            problem.text, problem.line);
        return NULL;
    }
    Plan *plan = plan_from_json(json, error);
    if (plan == NULL)
        g_prefix_error(error, "could not read the plan \"%s\": ", path);
    return plan;
}

Plan *
flow_load_plan(const char *path, GError **error)
{
    Plan *plan = read_plan(path, error);
    if (plan == NULL)
        vf_error_hint(error, "a plan is what `vecferry plan -o FILE` wrote");
    return plan;
}
