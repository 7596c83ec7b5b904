#include "base/error.h"

#include <string.h>

static void
test_every_code_has_a_name_that_leads_back(void)
{
    for (int code = VF_ERROR_USAGE; code <= VF_ERROR_FAILED; code++)
    {
        g_autoptr(GError) error = g_error_new_literal(VF_ERROR, code, "it");
        g_assert_cmpint((int) vf_error_from_name(vf_error_name(error)), ==, code);
    }
}

static void
test_names_are_those_of_events_and_ledgers(void)
{
    static const char *const NAMES[] = {"usage",     "connect",  "denied",    "busy",
                                        "bad-input", "mismatch", "cancelled", "failed"};
    for (guint code = 0; code < G_N_ELEMENTS(NAMES); code++)
        g_assert_cmpint((int) vf_error_from_name(NAMES[code]), ==, (int) code);
}

static void
test_a_wrong_option_is_wrong_usage(void)
{
    g_autoptr(GError) option =
        g_error_new_literal(G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION, "it");
    g_autoptr(GError) key = g_error_new_literal(G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE, "it");

    g_assert_cmpstr(vf_error_name(option), ==, "usage");
    g_assert_cmpstr(vf_error_name(key), ==, "usage");
}

static void
test_whatever_is_unknown_has_failed(void)
{
    g_autoptr(GError) foreign = g_error_new_literal(G_FILE_ERROR, G_FILE_ERROR_NOENT, "it");
    g_autoptr(GError) beyond = g_error_new_literal(VF_ERROR, VF_ERROR_FAILED + 1, "it");

    g_assert_cmpstr(vf_error_name(foreign), ==, "failed");
    g_assert_cmpstr(vf_error_name(beyond), ==, "failed");
    g_assert_cmpint((int) vf_error_from_name("no such name"), ==, VF_ERROR_FAILED);
    g_assert_cmpint((int) vf_error_from_name(""), ==, VF_ERROR_FAILED);
}

static void
test_a_hint_is_a_second_line(void)
{
    g_autoptr(GError) error = g_error_new_literal(VF_ERROR, VF_ERROR_USAGE, "no room");
    vf_error_hint(&error, "buy a %s", "disk");
    g_assert_cmpstr(error->message, ==, "no room\nbuy a disk");
}

static void
test_the_first_hint_stays(void)
{
    g_autoptr(GError) error = g_error_new_literal(VF_ERROR, VF_ERROR_USAGE, "no room");
    vf_error_hint(&error, "first");
    vf_error_hint(&error, "second");
    g_assert_cmpstr(error->message, ==, "no room\nfirst");
}

static void
test_nobody_gets_no_hint(void)
{
    g_autoptr(GError) error = NULL;
    vf_error_hint(NULL, "to nobody");
    vf_error_hint(&error, "to nothing");
    g_assert_no_error(error);
}

static void
test_a_hint_stands_behind_a_semicolon_on_one_line(void)
{
    g_autofree char *line = vf_error_one_line("it is full\nmake room");
    g_autofree char *plain = vf_error_one_line("it is full");
    g_autofree char *open = vf_error_one_line("http://me:secret@h/p: no\nsee http://a:b@h/");

    g_assert_cmpstr(line, ==, "it is full; make room");
    g_assert_cmpstr(plain, ==, "it is full");
    g_assert_null(strstr(open, "secret"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/error/" #name, test_##name)
    TEST(every_code_has_a_name_that_leads_back);
    TEST(names_are_those_of_events_and_ledgers);
    TEST(a_wrong_option_is_wrong_usage);
    TEST(whatever_is_unknown_has_failed);
    TEST(a_hint_is_a_second_line);
    TEST(the_first_hint_stays);
    TEST(nobody_gets_no_hint);
    TEST(a_hint_stands_behind_a_semicolon_on_one_line);
    return g_test_run();
}
