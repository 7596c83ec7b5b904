#include "base/error.h"
#include "catalogue/catalogue.h"

#include <string.h>

static Bot *
titled_bot(const char *user, const char *id, const char *title)
{
    Bot *bot = bot_new(user, id);
    g_free(bot->title);
    bot->title = g_strdup(title);
    return bot;
}

static GPtrArray *
three_bots(void)
{
    GPtrArray *bots = g_ptr_array_new_with_free_func((GDestroyNotify) bot_unref);
    g_ptr_array_add(bots, titled_bot("ann", "bot-one", "Handbook"));
    g_ptr_array_add(bots, titled_bot("ben", "bot-two", ""));
    g_ptr_array_add(bots, titled_bot("ann", "bot-three", ""));
    return bots;
}

/* The ids that are selected, each followed by a blank. */
static char *
selected(const Selection *selection, GError **error)
{
    g_autoptr(GPtrArray) bots = three_bots();
    g_autoptr(GPtrArray) result = selection_apply(selection, bots, error);
    if (result == NULL)
        return NULL;

    GString *ids = g_string_new(NULL);
    for (guint i = 0; i < result->len; i++)
        g_string_append_printf(ids, "%s ", ((const Bot *) result->pdata[i])->id);
    return g_string_free(ids, FALSE);
}

static void
assert_selected(Selection selection, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *ids = selected(&selection, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(ids, ==, expected);
}

static void
assert_refused(Selection selection, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *ids = selected(&selection, &error);

    g_assert_null(ids);
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, expected);
}

#define NAMES(...) ((char *[]){__VA_ARGS__, NULL})

static char one[] = "bot-one";
static char two[] = "bot-two";
static char three[] = "bot-three";
static char ann[] = "ann";

static void
test_nothing_named_means_all(void)
{
    char *none[] = {NULL};
    assert_selected((Selection){0}, "bot-one bot-two bot-three ");
    assert_selected((Selection){none, none, none}, "bot-one bot-two bot-three ");
}

static void
test_keeps_the_order_of_the_catalogue(void)
{
    assert_selected((Selection){.bots = NAMES(three, one)}, "bot-one bot-three ");
}

static void
test_takes_the_bots_of_a_user(void)
{
    assert_selected((Selection){.users = NAMES(ann)}, "bot-one bot-three ");
}

static void
test_bots_and_users_must_both_fit(void)
{
    assert_selected((Selection){.bots = NAMES(one, two), .users = NAMES(ann)}, "bot-one ");
}

static void
test_leaves_out_the_excluded(void)
{
    assert_selected((Selection){.excluded = NAMES(one)}, "bot-two bot-three ");
    assert_selected((Selection){.bots = NAMES(one), .excluded = NAMES(one)}, "");
}

static void
test_names_an_unknown_one_and_the_nearest(void)
{
    char typo[] = "Bot-ona";
    char loud[] = "BOT-ONE";
    char title[] = "Handbook";
    char nothing[] = "zzzzzzzzz";
    char anne[] = "anne";
    char evil[] = "\x1b[31m\xff";

    assert_refused(
        (Selection){.bots = NAMES(one, typo)},
        "there is no bot \"Bot-ona\" in the catalogue\ndid you mean \"bot-one\"?");
    assert_refused(
        (Selection){.bots = NAMES(loud)},
        "there is no bot \"BOT-ONE\" in the catalogue\ndid you mean \"bot-one\"?");
    assert_refused(
        (Selection){.bots = NAMES(title)},
        "there is no bot \"Handbook\" in the catalogue\ndid you mean \"bot-one\"?");
    assert_refused(
        (Selection){.users = NAMES(anne)},
        "there is no user \"anne\" in the catalogue\ndid you mean \"ann\"?");
    assert_refused(
        (Selection){.excluded = NAMES(nothing)},
        "there is no bot to exclude \"zzzzzzzzz\" in the catalogue");
    assert_refused(
        (Selection){.bots = NAMES(evil)},
        "there is no bot \"\xef\xbf\xbd[31m\xef\xbf\xbd\" in the catalogue");
}

static void
test_a_name_of_any_length_is_refused(void)
{
    for (size_t length = 0; length < 200; length++)
    {
        g_autofree char *name = g_strnfill(length, 'q');
        g_autoptr(GError) error = NULL;
        const Selection selection = {.bots = NAMES(name)};
        g_assert_null(selected(&selection, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/selection/" #name, test_##name)
    TEST(nothing_named_means_all);
    TEST(keeps_the_order_of_the_catalogue);
    TEST(takes_the_bots_of_a_user);
    TEST(bots_and_users_must_both_fit);
    TEST(leaves_out_the_excluded);
    TEST(names_an_unknown_one_and_the_nearest);
    TEST(a_name_of_any_length_is_refused);
    return g_test_run();
}
