#include "base/error.h"
#include "catalogue/catalogue.h"
#include "catalogue/quote.h"

#include <string.h>

enum
{
    MAX_COMPARED_BYTES = 63, /* users are UUIDs, ids 26 characters */
    MAX_TYPING_ERRORS = 4,
};

typedef const char *(*NameOf)(const Bot *bot);

static const char *
id_of(const Bot *bot)
{
    return bot->id;
}

static const char *
user_of(const Bot *bot)
{
    return bot->user;
}

/* How many bytes must be changed, added or left out to make one name of the other; the
 * letters' case counts for nothing.  Levenshtein's distance, a row at a time. */
static size_t
typing_errors(const char *left, const char *right)
{
    const size_t length = strlen(right);
    size_t row[MAX_COMPARED_BYTES + 1];

    if (length > MAX_COMPARED_BYTES)
        return G_MAXSIZE;
    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (size_t number = 1; *left != '\0'; left++, number++)
    {
        size_t diagonal = row[0];
        row[0] = number;
        for (size_t i = 1; i <= length; i++)
        {
            const bool equal = g_ascii_tolower(*left) == g_ascii_tolower(right[i - 1]);
            const size_t replaced = diagonal + (equal ? 0 : 1);
            diagonal = row[i];
            row[i] = MIN(replaced, MIN(row[i], row[i - 1]) + 1);
        }
    }
    return row[length];
}

static const char *
nearest_name(GPtrArray *bots, NameOf name_of, const char *wanted)
{
    size_t fewest = MIN(MAX_TYPING_ERRORS, strlen(wanted) / 3) + 1;
    const char *nearest = NULL;

    if (strlen(wanted) > MAX_COMPARED_BYTES)
        return NULL;
    for (guint i = 0; i < bots->len; i++)
    {
        const char *name = name_of(bots->pdata[i]);
        const size_t errors = typing_errors(wanted, name);
        if (errors < fewest)
        {
            fewest = errors;
            nearest = name;
        }
    }
    return nearest;
}

/* The id of a bot that has this title: people know titles. */
static const char *
id_of_title(GPtrArray *bots, const char *title)
{
    for (guint i = 0; i < bots->len; i++)
    {
        const Bot *bot = bots->pdata[i];
        if (*title != '\0' && strcmp(bot->title, title) == 0)
            return bot->id;
    }
    return NULL;
}

/* All names in the array that some bot has, or an error that names the first other one. */
static bool
check_names(char **names, GPtrArray *bots, NameOf name_of, const char *what, GError **error)
{
    if (names == NULL || names[0] == NULL)
        return true;

    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < bots->len; i++)
        g_hash_table_add(known, g_strdup(name_of(bots->pdata[i])));

    for (; *names != NULL; names++)
    {
        if (g_hash_table_contains(known, *names))
            continue;

        g_autofree char *quoted = quote_text(*names);
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "there is no %s %s in the catalogue", what, quoted);
        const char *nearest = nearest_name(bots, name_of, *names);
        if (nearest == NULL && name_of == id_of)
            nearest = id_of_title(bots, *names);
        if (nearest != NULL)
        {
            g_autofree char *meant = quote_text(nearest);
            vf_error_hint(error, "did you mean %s?", meant);
        }
        return false;
    }
    return true;
}

static GHashTable *
set_of(char **names)
{
    GHashTable *set = g_hash_table_new(g_str_hash, g_str_equal);

    for (; names != NULL && *names != NULL; names++)
        g_hash_table_add(set, *names);
    return set;
}

static bool
is_wanted(GHashTable *names, const char *name)
{
    return g_hash_table_size(names) == 0 || g_hash_table_contains(names, name);
}

GPtrArray *
selection_apply(const Selection *selection, GPtrArray *bots, GError **error)
{
    if (!check_names(selection->bots, bots, id_of, "bot", error) ||
        !check_names(selection->users, bots, user_of, "user", error) ||
        !check_names(selection->excluded, bots, id_of, "bot to exclude", error))
        return NULL;

    g_autoptr(GHashTable) ids = set_of(selection->bots);
    g_autoptr(GHashTable) users = set_of(selection->users);
    g_autoptr(GHashTable) excluded = set_of(selection->excluded);
    GPtrArray *selected = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);

    for (guint i = 0; i < bots->len; i++)
    {
        Bot *bot = bots->pdata[i];
        if (is_wanted(ids, bot->id) && is_wanted(users, bot->user) &&
            !g_hash_table_contains(excluded, bot->id))
            g_ptr_array_add(selected, bot_ref(bot));
    }
    return selected;
}
