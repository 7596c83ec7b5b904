/*
 * The application's index LastBotUsedIndex holds only what was ever used as a bot, so reading it
 * takes seconds where the table, full of conversations, takes minutes.  What has no LastBotUsed is
 * in the table alone: the ghosts of deleted bots, and items that somebody damaged.  Those are found
 * by a scan of the table, in segments, at the same time; the filter lets nothing else through, so
 * that of a table only its bots are ever in memory.
 *
 * Neither is a snapshot.  A bot that is used meanwhile moves to another place of the index and may
 * be met twice: the later look counts.
 */
#include "aws/dynamodb.h"
#include "base/error.h"
#include "catalogue/bot_item.h"
#include "catalogue/catalogue.h"
#include "catalogue/quote.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define INDEX "LastBotUsedIndex"

/* A table gets one segment for so many bytes. */
#define SEGMENT_BYTES (16 * 1000 * 1000)
#define MAX_SEGMENTS 8

typedef struct
{
    Catalogue base;
    AwsClient *client;
    char *table;
    char *name;
} TableCatalogue;

/* --- one scan --------------------------------------------------------------------- */

/* What a bot consists of here; its instruction, the longest part, is not wanted.  CreateTime and
 * IsPinned tell a damaged bot from a ghost. */
static const char *const ATTRIBUTES[] = {
    "PK",
    "SK",
    "OriginalBotId",
    "LastBotUsed",
    "Title",
    "Knowledge",
    "SyncStatus",
    "SyncStatusReason",
    "LastExecId",
    "CreateTime",
    "IsPinned",
    "EmbeddingParams",
    "SearchParams",
    "BedrockKnowledgeBase",
};

#define IS_BOT "contains(#SK, :mark) AND attribute_not_exists(#OriginalBotId)"
#define IS_NOT_INDEXED IS_BOT " AND attribute_not_exists(#LastBotUsed)"
#define IS_OF_ANY_VERSION "contains(#SK, :mark)"

/* What all scans of one listing share. */
typedef struct
{
    AwsClient *client;
    Cancel *cancel;
    const char *table;
    atomic_bool failed; /* one of them has: the others need not go on */
} Scans;

typedef struct
{
    Bot *bot;
    char *sort_key;
} Found;

typedef struct
{
    Scans *scans;
    const char *index;
    const char *filter;
    const char *mark; /* that a sort key must hold */
    int segment;
    int segments;

    GPtrArray *found; /* of Found, in the order of the scan */
    gint64 looked;
    gint64 version_3;
    GError *problem;
} Scan;

static void
found_free(void *data)
{
    Found *found = data;
    bot_unref(found->bot);
    g_free(found->sort_key);
    g_free(found);
}

static Scan *
scan_new(Scans *scans, const char *index, const char *filter, const char *mark)
{
    Scan *scan = g_new0(Scan, 1);
    scan->scans = scans;
    scan->index = index;
    scan->filter = filter;
    scan->mark = mark;
    scan->found = g_ptr_array_new_with_free_func(found_free);
    return scan;
}

static void
scan_free(void *data)
{
    Scan *scan = data;
    g_ptr_array_unref(scan->found);
    g_clear_error(&scan->problem);
    g_free(scan);
}

static void
take_item(Scan *scan, const Json *item)
{
    const ItemKind kind = item_kind(item);

    if (kind == ITEM_VERSION_3)
        scan->version_3++;
    if (kind != ITEM_BOT)
        return;
    Found *found = g_new0(Found, 1);
    found->bot = bot_from_item(item, NULL);
    found->sort_key = g_strdup(json_text(json_object_get(item, "SK"), "S"));
    g_ptr_array_add(scan->found, found);
}

/* All attributes by their aliases, which the names get too: a scan's own, because jansson's counts
 * of references are not for several threads. */
static char *
projection_of(Json *names)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(ATTRIBUTES); i++)
    {
        g_autofree char *alias = g_strconcat("#", ATTRIBUTES[i], NULL);
        json_object_set_new(names, alias, json_string(ATTRIBUTES[i]));
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", alias);
    }
    return g_string_free(text, FALSE);
}

static bool
read_pages(Scan *scan, GError **error)
{
    Scans *scans = scan->scans;
    g_autoptr(Json) names = json_object();
    g_autofree char *projection = projection_of(names);
    g_autoptr(Json) values = json_pack("{s{ss}}", ":mark", "S", scan->mark);
    const AwsItemWish wish = {
        .table = scans->table,
        .index = scan->index,
        .filter = scan->filter,
        .projection = projection,
        .names = names,
        .values = values,
        .segment = scan->segment,
        .segments = scan->segments,
        .consistent = true,
    };
    g_auto(AwsItemPage) page = {0};

    do
    {
        if (!aws_scan_page(scans->client, &wish, page.next, &page, scans->cancel, error))
            return false;
        for (size_t i = 0; i < json_array_size(page.items); i++)
            take_item(scan, json_array_get(page.items, i));
        scan->looked += page.looked;
    } while (page.next != NULL && !atomic_load(&scans->failed));
    return true;
}

static void *
run_scan(void *data)
{
    Scan *scan = data;

    if (!read_pages(scan, &scan->problem))
        atomic_store(&scan->scans->failed, true);
    return NULL;
}

/* --- what the table is ------------------------------------------------------------ */

typedef struct
{
    bool has_index;
    int segments;
} Shape;

/* The name of the key attribute of that kind, or NULL. */
static const char *
key_name(const Json *table, const char *kind)
{
    const Json *schema = json_object_get(table, "KeySchema");

    for (size_t i = 0; i < json_array_size(schema); i++)
        if (g_strcmp0(json_text(json_array_get(schema, i), "KeyType"), kind) == 0)
            return json_text(json_array_get(schema, i), "AttributeName");
    return NULL;
}

/* Whether the index is there and holds whole items. */
static bool
has_index(const Json *table)
{
    const Json *indexes = json_object_get(table, "LocalSecondaryIndexes");

    for (size_t i = 0; i < json_array_size(indexes); i++)
    {
        const Json *index = json_array_get(indexes, i);
        const Json *projection = json_object_get(index, "Projection");
        if (g_strcmp0(json_text(index, "IndexName"), INDEX) == 0)
            return g_strcmp0(json_text(projection, "ProjectionType"), "ALL") == 0;
    }
    return false;
}

static bool
check_keys(const Json *table, GError **error)
{
    const char *hash = key_name(table, "HASH");
    const char *range = key_name(table, "RANGE");

    if (g_strcmp0(hash, "PK") == 0 && g_strcmp0(range, "SK") == 0)
        return true;
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "its keys are not PK and SK of the application's table");
    vf_error_hint(error, "the stack's output ConversationTableName names that table");
    return false;
}

/* Who may not describe the table may yet scan it: all of it then, which is right but slower. */
static bool
read_shape(TableCatalogue *self, Shape *shape, Cancel *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(Json) table = aws_table(self->client, self->table, cancel, &problem);

    *shape = (Shape){.has_index = false, .segments = 1};
    if (table == NULL && g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
        return true;
    if (table == NULL)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    const gint64 bytes = json_integer_value(json_object_get(table, "TableSizeBytes"));
    shape->has_index = has_index(table);
    shape->segments = (int) CLAMP(bytes / SEGMENT_BYTES, 1, MAX_SEGMENTS);
    return check_keys(table, error);
}

/* --- the listing ------------------------------------------------------------------ */

/* The scans that see all bots between them: an array of Scan.  That of the index is the last. */
static GPtrArray *
plan_scans(Scans *scans, const Shape *shape)
{
    GPtrArray *planned = g_ptr_array_new_with_free_func(scan_free);
    const char *filter = shape->has_index ? IS_NOT_INDEXED : IS_OF_ANY_VERSION;
    const char *mark = shape->has_index ? "#BOT#" : "BOT#";

    for (int i = 0; i < shape->segments; i++)
    {
        Scan *scan = scan_new(scans, NULL, filter, mark);
        scan->segment = i;
        scan->segments = shape->segments;
        g_ptr_array_add(planned, scan);
    }
    if (shape->has_index)
        g_ptr_array_add(planned, scan_new(scans, INDEX, IS_BOT, mark));
    return planned;
}

static void
run_scans(const GPtrArray *planned)
{
    pthread_t threads[MAX_SEGMENTS + 1];
    guint started = 0;

    while (started + 1 < planned->len &&
           pthread_create(&threads[started], NULL, run_scan, planned->pdata[started]) == 0)
        started++;
    for (guint i = started; i < planned->len; i++)
        run_scan(planned->pdata[i]);
    for (guint i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static bool
take_problem(const GPtrArray *planned, GError **error)
{
    for (guint i = 0; i < planned->len; i++)
    {
        Scan *scan = planned->pdata[i];
        if (scan->problem == NULL)
            continue;
        g_propagate_error(error, g_steal_pointer(&scan->problem));
        return true;
    }
    return false;
}

/* Adds what a scan found to the bots by their keys.  The same item again is a later look at it;
 * another one of the same name cannot be told apart from it in the store. */
static bool
add_found(GHashTable *bots, const Scan *scan, GError **error)
{
    for (guint i = 0; i < scan->found->len; i++)
    {
        Found *found = scan->found->pdata[i];
        g_autofree char *key = bot_key(found->bot->user, found->bot->id);
        const Found *other = g_hash_table_lookup(bots, key);
        if (other == NULL || g_strcmp0(other->sort_key, found->sort_key) == 0)
        {
            g_hash_table_replace(bots, g_steal_pointer(&key), found);
            continue;
        }
        g_autofree char *one = quote_text(other->sort_key);
        g_autofree char *two = quote_text(found->sort_key);
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "two items name the same bot: SK %s and SK %s",
            one, two);
        vf_error_hint(
            error, "one of them is damaged: the application writes PK, #BOT# and the bot's id");
        return false;
    }
    return true;
}

static GPtrArray *
sorted(GHashTable *found)
{
    GPtrArray *bots = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);
    GHashTableIter iter;
    void *value = NULL;

    g_hash_table_iter_init(&iter, found);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_ptr_array_add(bots, bot_ref(((const Found *) value)->bot));
    g_ptr_array_sort(bots, bot_order);
    return bots;
}

static bool
reject_all(GError **error, const char *reason, const char *remedy)
{
    g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, reason);
    vf_error_hint(error, "%s", remedy);
    return false;
}

/* What only the whole can tell. */
static bool
check_whole(gint64 looked, gint64 version_3, guint bots, GError **error)
{
    if (looked == 0)
        return reject_all(
            error, "there is not a single item",
            "the stack's output ConversationTableName names the application's table");
    if (version_3 > 0 && bots == 0)
        return reject_all(
            error, "the bots are those of the application's version 3",
            "their knowledge is in Knowledge Bases; name the table that versions 0.4 to 2 used");
    return true;
}

static GPtrArray *
gather(const GPtrArray *planned, GError **error)
{
    g_autoptr(GHashTable) bots = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    gint64 looked = 0;
    gint64 version_3 = 0;

    for (guint i = 0; i < planned->len; i++)
    {
        const Scan *scan = planned->pdata[i];
        if (!add_found(bots, scan, error))
            return NULL;
        looked += scan->looked;
        version_3 += scan->version_3;
    }
    return check_whole(looked, version_3, g_hash_table_size(bots), error) ? sorted(bots) : NULL;
}

static GPtrArray *
list(TableCatalogue *self, Cancel *cancel, GError **error)
{
    Shape shape;
    if (!read_shape(self, &shape, cancel, error))
        return NULL;

    Scans scans = {.client = self->client, .cancel = cancel, .table = self->table};
    g_autoptr(GPtrArray) planned = plan_scans(&scans, &shape);
    run_scans(planned);
    return take_problem(planned, error) ? NULL : gather(planned, error);
}

/* --- what the world sees ---------------------------------------------------------- */

/* Says which table, and what a person can do. */
static void
explain(const TableCatalogue *self, GError **error)
{
    GError *problem = error != NULL ? *error : NULL;
    const char *region = aws_client_region(self->client);

    if (problem == NULL || g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
        return;
    g_prefix_error(error, "could not read the table \"%s\" in %s: ", self->table, region);
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_MISMATCH))
    {
        problem->code = VF_ERROR_USAGE;
        vf_error_hint(
            error, "the stack's output ConversationTableName names it; is %s its region?", region);
    }
    else if (g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
        vf_error_hint(
            error, "allow dynamodb:DescribeTable, dynamodb:Scan and dynamodb:GetItem on the table "
                   "and its indexes");
    else if (g_error_matches(problem, VF_ERROR, VF_ERROR_BUSY))
        vf_error_hint(error, "the table is overloaded: try again later");
}

static GPtrArray *
table_list(Catalogue *base, Cancel *cancel, GError **error)
{
    TableCatalogue *self = (TableCatalogue *) base;
    GPtrArray *bots = list(self, cancel, error);

    if (bots == NULL)
        explain(self, error);
    return bots;
}

static Bot *
table_read(Catalogue *base, const char *user, const char *id, Cancel *cancel, GError **error)
{
    TableCatalogue *self = (TableCatalogue *) base;
    g_autofree char *sort_key = g_strconcat(user, "#BOT#", id, NULL);
    g_autoptr(Json) key = json_pack("{s{ss}s{ss}}", "PK", "S", user, "SK", "S", sort_key);
    g_autoptr(Json) item = NULL;

    if (!aws_get_item(self->client, self->table, key, true, &item, cancel, error))
    {
        explain(self, error);
        return NULL;
    }
    if (item != NULL && item_kind(item) == ITEM_BOT)
        return bot_from_item(item, NULL);

    g_autofree char *quoted_id = quote_text(id);
    g_autofree char *quoted_user = quote_text(user);
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "bot %s of user %s is not in the table \"%s\"",
        quoted_id, quoted_user, self->table);
    return NULL;
}

static void
table_free(Catalogue *base)
{
    TableCatalogue *self = (TableCatalogue *) base;

    aws_client_free(self->client);
    g_free(self->table);
    g_free(self->name);
    g_free(self);
}

Catalogue *
catalogue_dynamodb_new(AwsClient *client, const char *table)
{
    TableCatalogue *self = g_new0(TableCatalogue, 1);

    self->client = client;
    self->table = g_strdup(table);
    self->name = g_strdup_printf(CATALOGUE_DYNAMODB "%s in %s", table, aws_client_region(client));
    self->base =
        (Catalogue){.list = table_list, .read = table_read, .name = self->name, .free = table_free};
    return &self->base;
}
