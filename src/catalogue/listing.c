/*
 * Most of a table are conversations, large ones.  They are only looked through for
 * the letters of a bot's sort key and never parsed: that makes the difference between
 * the speed of a search and that of a JSON parser.
 */
#include "catalogue/listing.h"

#include "base/error.h"
#include "catalogue/bot_item.h"
#include "catalogue/file_list.h"
#include "catalogue/item_json.h"
#include "catalogue/item_stream.h"
#include "catalogue/quote.h"

#include <string.h>

struct Listing
{
    GPtrArray *bots;     /* in the catalogue's order */
    GHashTable *entries; /* the set of Entry, equal when user and id are */
};

typedef struct
{
    Bot *bot;
    char *file;
    guint64 line;
} Entry;

/* What was seen of the files until now. */
typedef struct
{
    Listing *listing;
    guint64 items;
    guint64 version_3;
    bool is_our_table; /* an item with the application's keys was seen */
    PageEnd page_end;
} Reading;

static guint
entry_hash(const void *key)
{
    const Entry *entry = key;
    return g_str_hash(entry->bot->user) * 31 + g_str_hash(entry->bot->id);
}

static gboolean
entry_equal(const void *left, const void *right)
{
    const Entry *a = left;
    const Entry *b = right;
    return strcmp(a->bot->id, b->bot->id) == 0 && strcmp(a->bot->user, b->bot->user) == 0;
}

static void
entry_free(void *data)
{
    Entry *entry = data;
    bot_unref(entry->bot);
    g_free(entry->file);
    g_free(entry);
}

static Listing *
listing_new(void)
{
    Listing *listing = g_new0(Listing, 1);
    listing->bots = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);
    listing->entries = g_hash_table_new_full(entry_hash, entry_equal, entry_free, NULL);
    return listing;
}

void
listing_free(Listing *listing)
{
    if (listing == NULL)
        return;
    g_ptr_array_unref(listing->bots);
    g_hash_table_unref(listing->entries);
    g_free(listing);
}

/* True when the text after an escape's \u00 spells one of the letters of "#BOT#". */
static bool
is_escaped_letter(const char *digits)
{
    static const char *const letters[] = {"23", "42", "4f", "54"};

    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++)
        if (g_ascii_strncasecmp(digits, letters[i], 2) == 0)
            return true;
    return false;
}

/* False when no sort key of a bot, of whatever version, can be in the text. */
static bool
may_be_bot(const char *text, size_t bytes)
{
    if (memmem(text, bytes, "BOT#", 4) != NULL)
        return true;

    const char *const end = text + bytes;
    const char *at = text;
    while ((at = memmem(at, (size_t) (end - at), "\\u00", 4)) != NULL)
    {
        at += 4;
        if (is_escaped_letter(at))
            return true;
    }
    return false;
}

static bool
add_bot(Reading *reading, Bot *bot, const char *file, guint64 line, GError **error)
{
    Entry *entry = g_new0(Entry, 1);
    entry->bot = bot;
    entry->file = g_strdup(file);
    entry->line = line;

    const Entry *other = g_hash_table_lookup(reading->listing->entries, entry);
    if (other == NULL)
    {
        g_hash_table_add(reading->listing->entries, entry);
        g_ptr_array_add(reading->listing->bots, bot_ref(bot));
        return true;
    }

    g_autofree char *id = quote_text(bot->id);
    g_autofree char *user = quote_text(bot->user);
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "bot %s of user %s is there twice: \"%s\" line %" G_GUINT64_FORMAT
        " and \"%s\" line %" G_GUINT64_FORMAT,
        id, user, other->file, other->line, file, line);
    vf_error_hint(
        error, "scans or exports of different times must not lie together: keep the newest");
    entry_free(entry);
    return false;
}

static bool
reject_plain(guint64 line, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "line %" G_GUINT64_FORMAT ": an item whose keys are without DynamoDB's types", line);
    vf_error_hint(
        error, "this looks like plain JSON; use the unchanged output of `aws dynamodb scan`");
    return false;
}

static bool
add_item(
    Reading *reading, const char *text, size_t bytes, const char *file, guint64 line,
    GError **error)
{
    reading->items++;
    if (reading->is_our_table && !may_be_bot(text, bytes))
        return true;

    const char *problem = NULL;
    g_autoptr(Json) item = item_parse(text, bytes, &problem, error);
    if (item == NULL)
    {
        g_prefix_error(error, "line %" G_GUINT64_FORMAT ": ", line);
        return false;
    }

    const ItemKind kind = item_kind(item);
    if (kind == ITEM_PLAIN)
        return reject_plain(line, error);
    if (kind != ITEM_FOREIGN)
        reading->is_our_table = true;
    if (kind == ITEM_VERSION_3)
        reading->version_3++;
    return kind != ITEM_BOT || add_bot(reading, bot_from_item(item, problem), file, line, error);
}

static bool
check_number(const ListedFile *file, guint64 items, GError **error)
{
    if (file->items < 0 || (guint64) file->items == items)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "it holds %" G_GUINT64_FORMAT " items, the export's manifest says %" G_GINT64_FORMAT, items,
        file->items);
    vf_error_hint(error, "copy the whole export from S3 again");
    return false;
}

static bool
add_items(Reading *reading, ItemStream *stream, const ListedFile *file, GError **error)
{
    const guint64 items_before = reading->items;
    GError *failure = NULL;
    size_t bytes = 0;

    for (const char *text; (text = item_stream_next(stream, &bytes, &failure)) != NULL;)
        if (!add_item(reading, text, bytes, file->path, item_stream_line(stream), error))
            return false;
    if (failure != NULL)
    {
        g_propagate_error(error, failure);
        return false;
    }
    return check_number(file, reading->items - items_before, error);
}

static bool
read_file(Reading *reading, const ListedFile *file, Cancel *cancel, GError **error)
{
    const int fd = file_list_open(file->path, error);
    if (fd < 0)
        return false;

    g_autoptr(ItemStream) stream = item_stream_new(fd, cancel);
    if (!add_items(reading, stream, file, error))
    {
        if (error != NULL && !g_error_matches(*error, VF_ERROR, VF_ERROR_CANCELLED))
            g_prefix_error(error, "could not read \"%s\": ", file->path);
        if (error != NULL && g_error_matches(*error, VF_ERROR, VF_ERROR_BAD_INPUT))
            vf_error_hint(
                error, "use the unchanged output of `aws dynamodb scan --output json`, or "
                       "DynamoDB's export to S3");
        return false;
    }
    if (item_stream_page_end(stream) != PAGE_NONE)
        reading->page_end = item_stream_page_end(stream);
    return true;
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
check_whole(const Reading *reading, GError **error)
{
    if (reading->page_end == PAGE_CONTINUED)
        return reject_all(
            error, "the scan is not complete: its last page says that more items follow",
            "scan again without --max-items and --no-paginate, or add the pages that are missing");
    if (reading->items == 0)
        return reject_all(
            error, "there is not a single item",
            "scan the table that the stack's output ConversationTableName names");
    if (!reading->is_our_table)
        return reject_all(
            error, "no item has the keys PK and SK of the application's table",
            "scan the table that the stack's output ConversationTableName names");
    if (reading->version_3 > 0 && reading->listing->bots->len == 0)
        return reject_all(
            error, "the bots are those of the application's version 3",
            "their knowledge is in Knowledge Bases; give the table that versions 0.4 to 2 used");
    return true;
}

Listing *
listing_read(const char *name, const GPtrArray *files, Cancel *cancel, GError **error)
{
    g_autoptr(Listing) listing = listing_new();
    Reading reading = {.listing = listing};

    for (guint i = 0; i < files->len; i++)
        if (!read_file(&reading, files->pdata[i], cancel, error))
            return NULL;
    if (!check_whole(&reading, error))
    {
        g_prefix_error(error, "could not use \"%s\": ", name);
        return NULL;
    }

    g_ptr_array_sort(listing->bots, bot_order);
    return g_steal_pointer(&listing);
}

GPtrArray *
listing_bots(const Listing *listing)
{
    GPtrArray *bots = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);

    for (guint i = 0; i < listing->bots->len; i++)
        g_ptr_array_add(bots, bot_ref(listing->bots->pdata[i]));
    return bots;
}

Bot *
listing_find(const Listing *listing, const char *user, const char *id)
{
    g_autoptr(Bot) wanted = bot_new(user, id);
    const Entry key = {.bot = wanted};
    const Entry *entry = g_hash_table_lookup(listing->entries, &key);

    return entry != NULL ? bot_ref(entry->bot) : NULL;
}
