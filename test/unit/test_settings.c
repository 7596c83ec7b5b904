#include "base/error.h"
#include "base/settings.h"

#include <glib/gstdio.h>
#include <string.h>

static Settings *
loaded(const char *text)
{
    g_autoptr(GError) error = NULL;
    Settings *settings = settings_new();

    settings_load_text(settings, text, "the file", &error);
    g_assert_no_error(error);
    return settings;
}

static void
set(Settings *settings, Setting setting, const char *value)
{
    g_autoptr(GError) error = NULL;
    settings_set(settings, setting, value, "--option", &error);
    g_assert_no_error(error);
}

static void
assert_text_refused(const char *text, const char *message)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(settings_load_text(settings, text, "the file", &error));
    g_assert_cmpstr(vf_error_name(error), ==, "usage");
    g_assert_cmpstr(error->message, ==, message);
}

static void
assert_value_refused(Setting setting, const char *value, const char *message)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(settings_set(settings, setting, value, "--option", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, message);
    g_assert_false(settings_given(settings, setting));
}

/* --- the table ----------------------------------------------------------------------------- */

static void
test_every_setting_has_an_option_of_its_own(void)
{
    for (int i = 0; i < SETTING_COUNT; i++)
    {
        const SettingInfo *info = setting_info((Setting) i);
        g_assert_nonnull(info->option);
        g_assert_nonnull(info->help);
        g_assert_true((info->group == NULL) == (info->key == NULL));
        for (int j = 0; j < i; j++)
        {
            const SettingInfo *other = setting_info((Setting) j);
            /* One word may mean two settings, but only in different groups: of different commands.
             */
            if (g_strcmp0(info->group, other->group) == 0)
                g_assert_cmpstr(info->option, !=, other->option);
            g_assert_false(
                info->group != NULL && g_strcmp0(info->group, other->group) == 0 &&
                g_strcmp0(info->key, other->key) == 0);
        }
    }
}

static void
test_every_default_would_be_accepted(void)
{
    for (int i = 0; i < SETTING_COUNT; i++)
    {
        const SettingInfo *info = setting_info((Setting) i);
        g_autoptr(Settings) settings = settings_new();
        if (info->fallback != NULL)
            set(settings, (Setting) i, info->fallback);
        g_assert_true(
            info->fallback != NULL || info->kind == SETTING_KIND_TEXT ||
            info->kind == SETTING_KIND_LIST || info->kind == SETTING_KIND_AMOUNT ||
            i == SETTING_EMBEDDER);
    }
}

static void
test_every_value_can_be_read_before_any_is_set(void)
{
    g_autoptr(Settings) settings = settings_new();

    for (int i = 0; i < SETTING_COUNT; i++)
    {
        const Setting setting = (Setting) i;
        g_assert_false(settings_given(settings, setting));
        g_assert_cmpstr(settings_text(settings, setting), ==, setting_info(setting)->fallback);
        if (setting_info(setting)->kind == SETTING_KIND_COUNT)
            g_assert_cmpint(settings_count(settings, setting), >=, 0);
        if (setting_info(setting)->kind == SETTING_KIND_AMOUNT)
            g_assert_cmpfloat(settings_amount(settings, setting), ==, 0);
        if (setting_info(setting)->kind == SETTING_KIND_LIST)
            g_assert_null(settings_list(settings, setting)[0]);
    }
    g_assert_true(settings_switch(settings, SETTING_CHECK_URLS));
    g_assert_false(settings_switch(settings, SETTING_ALLOW_PARTIAL));
}

/* --- who wins ------------------------------------------------------------------------------ */

static void
test_the_file_beats_the_default(void)
{
    g_autoptr(Settings) settings = loaded("[run]\nworkers=7\n");
    g_assert_cmpint(settings_count(settings, SETTING_WORKERS), ==, 7);
    g_assert_cmpint(settings_count(settings, SETTING_CALLS), ==, 4);
    g_assert_true(settings_given(settings, SETTING_WORKERS));
    g_assert_false(settings_given(settings, SETTING_CALLS));
}

static void
test_an_option_beats_the_file_whichever_comes_first(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) before = settings_new();
    g_autoptr(Settings) after = loaded("[run]\nworkers=7\n");

    set(before, SETTING_WORKERS, "3");
    g_assert_true(settings_load_text(before, "[run]\nworkers=7\n", "the file", &error));
    set(after, SETTING_WORKERS, "3");
    g_assert_cmpint(settings_count(before, SETTING_WORKERS), ==, 3);
    g_assert_cmpint(settings_count(after, SETTING_WORKERS), ==, 3);
}

static void
test_an_option_does_not_excuse_a_wrong_value_in_the_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Settings) settings = settings_new();

    set(settings, SETTING_WORKERS, "3");
    g_assert_false(settings_load_text(settings, "[run]\nworkers=many\n", "the file", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_the_last_of_two_options_wins(void)
{
    g_autoptr(Settings) settings = settings_new();
    set(settings, SETTING_MODEL, "one");
    set(settings, SETTING_MODEL, "two");
    g_assert_cmpstr(settings_text(settings, SETTING_MODEL), ==, "two");
}

static void
test_a_list_grows(void)
{
    g_autoptr(Settings) settings = settings_new();
    set(settings, SETTING_BOT, "one");
    set(settings, SETTING_BOT, "two;three");

    char *const *bots = settings_list(settings, SETTING_BOT);
    g_assert_cmpstr(bots[0], ==, "one");
    g_assert_cmpstr(bots[1], ==, "two;three");
    g_assert_null(bots[2]);
}

/* --- what values may be -------------------------------------------------------------------- */

static void
test_counts_are_whole_numbers(void)
{
    static const char *const WRONG[] = {"", "-1", "+1", "1.5", "1e3", "0x10", " 1", "1 ", "many"};
    g_autoptr(Settings) settings = settings_new();

    for (guint i = 0; i < G_N_ELEMENTS(WRONG); i++)
    {
        g_autofree char *message =
            g_strdup_printf("--option: \"%s\" should be a whole number", WRONG[i]);
        assert_value_refused(SETTING_WORKERS, WRONG[i], message);
    }
    set(settings, SETTING_MAX_TEXTS, "0");
    g_assert_cmpint(settings_count(settings, SETTING_MAX_TEXTS), ==, 0);
    set(settings, SETTING_MAX_DOCUMENT_BYTES, "1000000000000");
    g_assert_cmpint(settings_count(settings, SETTING_MAX_DOCUMENT_BYTES), ==, 1000000000000);
}

static void
test_amounts_are_finite_and_not_negative(void)
{
    static const char *const WRONG[] = {"",     "-0.1",  "1,5",   "nan", "inf",
                                        "0x10", "1e999", "0.02$", "$1"};
    g_autoptr(Settings) settings = settings_new();

    for (guint i = 0; i < G_N_ELEMENTS(WRONG); i++)
    {
        g_autofree char *message =
            g_strdup_printf("--option: \"%s\" should be a number such as 0.02", WRONG[i]);
        assert_value_refused(SETTING_MAX_USD, WRONG[i], message);
    }
    set(settings, SETTING_MAX_USD, "0.125");
    g_assert_cmpfloat(settings_amount(settings, SETTING_MAX_USD), ==, 0.125);
}

static void
test_switches_are_yes_or_no(void)
{
    static const char *const YES[] = {"yes", "true", "on", "1"};
    static const char *const NO[] = {"no", "false", "off", "0"};
    g_autoptr(Settings) settings = settings_new();

    for (guint i = 0; i < G_N_ELEMENTS(YES); i++)
    {
        set(settings, SETTING_ALLOW_PARTIAL, YES[i]);
        g_assert_true(settings_switch(settings, SETTING_ALLOW_PARTIAL));
        set(settings, SETTING_ALLOW_PARTIAL, NO[i]);
        g_assert_false(settings_switch(settings, SETTING_ALLOW_PARTIAL));
    }
    assert_value_refused(
        SETTING_ALLOW_PARTIAL, "perhaps", "--option: \"perhaps\" should be yes or no");
    assert_value_refused(SETTING_ALLOW_PARTIAL, "", "--option: \"\" should be yes or no");
}

static void
test_a_choice_is_one_of_its_words(void)
{
    g_autoptr(Settings) settings = settings_new();

    set(settings, SETTING_DISTANCE, "cosine");
    g_assert_cmpstr(settings_text(settings, SETTING_DISTANCE), ==, "cosine");
    assert_value_refused(
        SETTING_DISTANCE, "l2|cosine", "--option: \"l2|cosine\" should be l2|cosine|ip");
    assert_value_refused(SETTING_DISTANCE, "", "--option: \"\" should be l2|cosine|ip");
}

static void
test_text_must_be_utf8(void)
{
    assert_value_refused(
        SETTING_MODEL, "caf\xe9", "--option: \"(not UTF-8)\" should be text in UTF-8");
    assert_value_refused(SETTING_BOT, "\xff", "--option: \"(not UTF-8)\" should be text in UTF-8");
}

/* A number that is multiplied, cast or summed later must not overflow there. */
static void
test_numbers_beyond_all_measure_are_refused(void)
{
    assert_value_refused(
        SETTING_TIME_LIMIT, "9223372036854775807",
        "--option: \"9223372036854775807\" should be at most 1000000000000");
    assert_value_refused(
        SETTING_TIME_LIMIT, "99999999999999999999",
        "--option: \"99999999999999999999\" should be at most 1000000000000");
    assert_value_refused(
        SETTING_WORKERS, "4294967296", "--option: \"4294967296\" should be at most 1000");
    assert_value_refused(SETTING_CALLS, "1001", "--option: \"1001\" should be at most 1000");
    assert_value_refused(SETTING_CALLS, "0", "--option: \"0\" should be at least 1");
    assert_value_refused(
        SETTING_PRICE, "1e300", "--option: \"1e300\" should be at most 1000000000000");
}

/* --- the file ------------------------------------------------------------------------------ */

static void
test_an_unknown_key_is_named_with_the_nearest(void)
{
    assert_text_refused(
        "[run]\nworker=2\n", "the file: unknown setting [run] worker\ndid you mean [run] workers?");
}

static void
test_an_unknown_group_is_named_with_the_nearest(void)
{
    assert_text_refused(
        "[embeder]\nmodel=m\n",
        "the file: unknown setting [embeder] model\ndid you mean [embedder] model?");
}

static void
test_an_unknown_group_without_keys_is_refused_too(void)
{
    assert_text_refused(
        "[run]\nworkers=2\n[embeder]\n# model=m\n",
        "the file: unknown group [embeder]\ndid you mean [embedder]?");
}

static void
test_what_is_only_an_option_is_no_key(void)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    g_assert_false(settings_load_text(settings, "[run]\nbot=x\n", "the file", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_a_wrong_value_is_named_with_its_place(void)
{
    assert_text_refused(
        "[run]\nworkers=many\n", "the file: [run] workers: \"many\" should be a whole number");
}

static void
test_broken_files_are_refused(void)
{
    static const char *const BROKEN[] = {
        "workers=2\n",           /* no group */
        "[run]\nworkers\n",      /* no value */
        "[run\nworkers=2\n",     /* an open group */
        "[run]\nstate=\\q\n",    /* an unknown escape */
        "[run]\nstate=\xff\xfe", /* not UTF-8 */
    };
    for (guint i = 0; i < G_N_ELEMENTS(BROKEN); i++)
    {
        g_autoptr(Settings) settings = settings_new();
        g_autoptr(GError) error = NULL;
        g_assert_false(settings_load_text(settings, BROKEN[i], "the file", &error));
        g_assert_cmpstr(vf_error_name(error), ==, "usage");
        g_assert_nonnull(strstr(error->message, "the file"));
    }
}

static void
test_an_empty_file_is_fine(void)
{
    g_autoptr(Settings) settings = loaded("");
    g_autoptr(Settings) comments = loaded("# nothing\n\n[run]\n");
    g_assert_false(settings_given(settings, SETTING_WORKERS));
    g_assert_false(settings_given(comments, SETTING_WORKERS));
}

static void
test_a_missing_file_is_named(void)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(settings_load(settings, "/nowhere/vecferry.conf", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "\"/nowhere/vecferry.conf\""));
}

static void
test_a_file_is_read(void)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "settings-XXXXXX", NULL);
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;
    const int fd = g_mkstemp(path);

    g_assert_true(g_file_set_contents(path, "[run]\nworkers=9\n", -1, &error));
    g_assert_true(settings_load(settings, path, &error));
    g_assert_cmpint(settings_count(settings, SETTING_WORKERS), ==, 9);
    g_assert_true(g_close(fd, NULL));
    g_assert_cmpint(g_remove(path), ==, 0);
}

/* --- to a worker, and what must be there --------------------------------------------------- */

static void
test_a_worker_gets_exactly_what_was_set(void)
{
    static const char AWKWARD[] = "  blanks, \t tab, \"quotes\", \\ and\nlines; é #no comment ";
    g_autoptr(Settings) settings = loaded("[run]\nworkers=7\n[embedder]\nprice=0.02\n");
    g_autoptr(Settings) again = settings_new();
    g_autoptr(GError) error = NULL;

    set(settings, SETTING_DOCUMENT_PREFIX, AWKWARD);
    set(settings, SETTING_ID_COLUMN, "");
    set(settings, SETTING_BOT, "only on the command line");
    g_autofree char *text = settings_to_text(settings);
    g_assert_true(settings_load_text(again, text, "the order", &error));
    g_assert_no_error(error);

    for (int i = 0; i < SETTING_COUNT; i++)
    {
        const Setting setting = (Setting) i;
        if (setting_info(setting)->group == NULL)
            continue;
        g_assert_true(settings_given(again, setting) == settings_given(settings, setting));
        g_assert_cmpstr(settings_text(again, setting), ==, settings_text(settings, setting));
    }
}

static void
test_what_is_required_is_asked_for_by_both_names(void)
{
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;

    g_assert_null(settings_require(settings, SETTING_NEW_STORE, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_true(g_str_has_prefix(error->message, "--new-store is missing: "));
    g_assert_true(
        g_str_has_suffix(error->message, "\ngive the option, or [new-store] url in vecferry.conf"));

    set(settings, SETTING_NEW_STORE, "");
    g_assert_null(settings_require(settings, SETTING_NEW_STORE, NULL));
    set(settings, SETTING_NEW_STORE, "postgresql://host/db");
    g_assert_cmpstr(
        settings_require(settings, SETTING_NEW_STORE, NULL), ==, "postgresql://host/db");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/settings/" #name, test_##name)
    TEST(every_setting_has_an_option_of_its_own);
    TEST(every_default_would_be_accepted);
    TEST(every_value_can_be_read_before_any_is_set);
    TEST(the_file_beats_the_default);
    TEST(an_option_beats_the_file_whichever_comes_first);
    TEST(an_option_does_not_excuse_a_wrong_value_in_the_file);
    TEST(the_last_of_two_options_wins);
    TEST(a_list_grows);
    TEST(counts_are_whole_numbers);
    TEST(amounts_are_finite_and_not_negative);
    TEST(switches_are_yes_or_no);
    TEST(a_choice_is_one_of_its_words);
    TEST(text_must_be_utf8);
    TEST(numbers_beyond_all_measure_are_refused);
    TEST(an_unknown_key_is_named_with_the_nearest);
    TEST(an_unknown_group_is_named_with_the_nearest);
    TEST(an_unknown_group_without_keys_is_refused_too);
    TEST(what_is_only_an_option_is_no_key);
    TEST(a_wrong_value_is_named_with_its_place);
    TEST(broken_files_are_refused);
    TEST(an_empty_file_is_fine);
    TEST(a_missing_file_is_named);
    TEST(a_file_is_read);
    TEST(a_worker_gets_exactly_what_was_set);
    TEST(what_is_required_is_asked_for_by_both_names);
    return g_test_run();
}
