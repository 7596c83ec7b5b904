#include "flow/verify.h"

#include "base/error.h"
#include "compare/judge_counts.h"
#include "flow/stages.h"

/* What should be there. */
typedef struct
{
    char *catalogue;     /* NULL without one, as the next two */
    GPtrArray *expected; /* of OwnedExpectation, which begins as the judge wants it */
    GHashTable *known;   /* all ids → how many bots have it */
    char **counted;      /* bots whose rows are counted; NULL: all */
    bool whole;
} Wish;

/* What the judge borrows, with an owner. */
typedef struct
{
    ExpectedBot expected;
    Bot *bot;
    char **labels;
} OwnedExpectation;

static void
owned_expectation_free(void *data)
{
    OwnedExpectation *owned = data;
    bot_unref(owned->bot);
    g_strfreev(owned->labels);
    g_free(owned);
}

static void
wish_clear(Wish *wish)
{
    g_free(wish->catalogue);
    g_clear_pointer(&wish->expected, g_ptr_array_unref);
    g_clear_pointer(&wish->known, g_hash_table_unref);
    g_strfreev(wish->counted);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wish, wish_clear)

static OwnedExpectation *
expectation(DocumentSource *documents, Bot *bot)
{
    OwnedExpectation *owned = g_new0(OwnedExpectation, 1);

    owned->bot = bot_ref(bot);
    owned->labels = g_new0(char *, bot->sources->len + 1);
    for (guint i = 0; i < bot->sources->len; i++)
        owned->labels[i] = documents->label(documents, bot, bot->sources->pdata[i]);
    owned->expected = (ExpectedBot){owned->bot, owned->labels};
    return owned;
}

static GPtrArray *
expectations(const Settings *settings, const GPtrArray *bots, GError **error)
{
    g_autoptr(DocumentSource) documents = stage_documents(settings, error);
    if (documents == NULL)
        return NULL;

    GPtrArray *expected = g_ptr_array_new_with_free_func(owned_expectation_free);
    for (guint i = 0; i < bots->len; i++)
        g_ptr_array_add(expected, expectation(documents, bots->pdata[i]));
    return expected;
}

static GHashTable *
count_ids(const GPtrArray *bots)
{
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < bots->len; i++)
    {
        const char *id = ((const Bot *) bots->pdata[i])->id;
        const guint count = GPOINTER_TO_UINT(g_hash_table_lookup(ids, id));
        g_hash_table_replace(ids, g_strdup(id), GUINT_TO_POINTER(count + 1));
    }
    return ids;
}

static char **
ids_of(const GPtrArray *bots)
{
    char **ids = g_new0(char *, bots->len + 1);
    for (guint i = 0; i < bots->len; i++)
        ids[i] = g_strdup(((const Bot *) bots->pdata[i])->id);
    return ids;
}

static bool
names_any(char *const *list)
{
    return list != NULL && list[0] != NULL;
}

/* Only a choice of bots lets the others' rows be left alone; without one orphans are looked for. */
static bool
chooses(const Selection *selection)
{
    return names_any(selection->bots) || names_any(selection->users);
}

static bool
wish_of_catalogue(const Settings *settings, Wish *wish, Cancel *cancel, GError **error)
{
    const Selection selection = stage_selection(settings);
    g_autoptr(Catalogue) catalogue = stage_catalogue(settings, error);
    if (catalogue == NULL)
        return false;
    g_autoptr(GPtrArray) all = catalogue->list(catalogue, cancel, error);
    if (all == NULL)
        return false;
    g_autoptr(GPtrArray) bots = selection_apply(&selection, all, error);
    if (bots == NULL)
        return false;

    wish->catalogue = g_strdup(catalogue->name);
    wish->known = count_ids(all);
    wish->counted = chooses(&selection) ? ids_of(bots) : NULL;
    wish->whole = bots->len == all->len;
    wish->expected = expectations(settings, bots, error);
    return wish->expected != NULL;
}

static bool
wish_of_options(const Settings *settings, Wish *wish, GError **error)
{
    const Selection selection = stage_selection(settings);

    if (names_any(selection.users))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "--user needs a catalogue: a store knows no users");
        vf_error_hint(error, "give --catalogue, or choose bots with --bot");
        return false;
    }
    wish->counted = chooses(&selection) ? g_strdupv(selection.bots) : NULL;
    wish->whole = !chooses(&selection) && !names_any(selection.excluded);
    return true;
}

static bool
make_wish(const Settings *settings, Wish *wish, Cancel *cancel, GError **error)
{
    return settings_text(settings, SETTING_CATALOGUE) != NULL
               ? wish_of_catalogue(settings, wish, cancel, error)
               : wish_of_options(settings, wish, error);
}

static Counts *
count_store(Store *store, char *const *bots, GError **error)
{
    const CountedTable table = {
        .map = store->map,
        .table = store->table,
        .oid = store->oid,
        .extension_schema = store->extension_schema,
        .dimensions = store->dimensions,
    };
    Counts *counts = counts_read(store->pg, &table, bots, error);
    if (counts == NULL)
        g_prefix_error(error, "could not count the rows of %s: ", store->address);
    return counts;
}

static Verification *
judge(const Settings *settings, const Wish *wish, const Counts *counts)
{
    const JudgeInput input = {
        .counts = counts,
        .expected = wish->expected,
        .known = wish->known,
        .named = wish->counted,
        .excluded = settings_list(settings, SETTING_EXCLUDE),
    };
    return judge_counts(&input);
}

Verification *
flow_verify(const Settings *settings, const Notes *notes, Cancel *cancel, GError **error)
{
    g_auto(Wish) wish = {0};
    StoreMap map = {0};

    if (!make_wish(settings, &wish, cancel, error))
        return NULL;
    g_autoptr(Store) store =
        stage_new_store(settings, "vecferry verify", &map, notes, cancel, error);
    if (store == NULL || !store_check_reading(store, 0, error))
        return NULL;
    g_autoptr(Counts) counts = count_store(store, wish.counted, error);
    if (counts == NULL)
        return NULL;

    Verification *verification = judge(settings, &wish, counts);
    verification->store = g_strdup(store->address);
    verification->table = g_strdup(store->table);
    verification->catalogue = g_strdup(wish.catalogue);
    verification->whole = wish.whole;
    return verification;
}
