#include "aws/ini.h"
#include "aws/profile.h"
#include "base/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

/* The two files of a test, in a folder of its own. */
typedef struct
{
    char *folder;
    char *config;
    char *credentials;
} Shared;

static Shared
shared_files(const char *config, const char *credentials)
{
    Shared shared = {.folder = g_dir_make_tmp("aws-XXXXXX", NULL)};

    shared.config = g_build_filename(shared.folder, "config", NULL);
    shared.credentials = g_build_filename(shared.folder, "credentials", NULL);
    if (config != NULL)
        g_assert_true(g_file_set_contents(shared.config, config, -1, NULL));
    if (credentials != NULL)
        g_assert_true(g_file_set_contents(shared.credentials, credentials, -1, NULL));
    g_setenv("AWS_CONFIG_FILE", shared.config, TRUE);
    g_setenv("AWS_SHARED_CREDENTIALS_FILE", shared.credentials, TRUE);
    return shared;
}

static void
shared_clear(Shared *shared)
{
    g_unlink(shared->config);
    g_unlink(shared->credentials);
    g_rmdir(shared->folder);
    g_free(shared->folder);
    g_free(shared->config);
    g_free(shared->credentials);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Shared, shared_clear)

static AwsFiles *
files_of(const char *config, const char *credentials)
{
    g_autoptr(GError) error = NULL;
    g_auto(Shared) shared = shared_files(config, credentials);

    AwsFiles *files = aws_files_read(&error);
    g_assert_no_error(error);
    return files;
}

static void
test_reads_profiles_of_both_files(void)
{
    g_autoptr(AwsFiles) files = files_of(
        "[default]\nregion = eu-west-1\n\n[profile dev]\nregion=us-east-1\nrole_arn: arn:aws:x\n",
        "[dev]\naws_access_key_id = AK\nregion = eu-central-1\n[only]\nx=y\n");

    g_assert_cmpstr(aws_profile_value(files, "default", "region"), ==, "eu-west-1");
    g_assert_cmpstr(aws_profile_value(files, "dev", "region"), ==, "eu-central-1");
    g_assert_cmpstr(aws_profile_value(files, "dev", "role_arn"), ==, "arn:aws:x");
    g_assert_cmpstr(aws_profile_value(files, "dev", "aws_access_key_id"), ==, "AK");
    g_assert_null(aws_profile_value(files, "dev", "output"));
    g_assert_true(aws_has_profile(files, "dev"));
    g_assert_true(aws_has_profile(files, "only"));
    g_assert_true(aws_has_profile(files, "default"));
    g_assert_false(aws_has_profile(files, "profile dev"));
    g_assert_false(aws_has_profile(files, "other"));
}

/* In the config file a section without "profile" in front is none, but for the default. */
static void
test_a_config_section_needs_its_kind(void)
{
    g_autoptr(AwsFiles) files =
        files_of("[dev]\nregion=a\n[default]\nregion=b\n[profile default]\nregion=c\n", NULL);

    g_assert_false(aws_has_profile(files, "dev"));
    g_assert_cmpstr(aws_profile_value(files, "default", "region"), ==, "c");
}

static void
test_names_may_hold_blanks(void)
{
    g_autoptr(AwsFiles) files =
        files_of("[profile  \"my own\"]\nregion=a\n[ profile\tother ] # mine\nregion=b\n", NULL);

    g_assert_cmpstr(aws_profile_value(files, "my own", "region"), ==, "a");
    g_assert_cmpstr(aws_profile_value(files, "other", "region"), ==, "b");
}

static void
test_a_missing_file_is_an_empty_one(void)
{
    g_autoptr(AwsFiles) files = files_of(NULL, NULL);
    g_assert_false(aws_has_profile(files, "default"));
}

static void
test_reads_other_sections_and_nested_settings(void)
{
    g_autoptr(AwsFiles) files = files_of(
        "[profile dev]\nservices = local\ns3 =\n  addressing_style = path\nregion = a\n"
        "[sso-session corp]\nsso_region = eu-west-1\n"
        "[services local]\nsecrets_manager =\n\tendpoint_url = http://127.0.0.1:1\n\n"
        "  # theirs\n  other=1\nsts = \n endpoint_url=http://127.0.0.1:2\n",
        NULL);

    g_assert_cmpstr(aws_section_value(files, "sso-session", "corp", "sso_region"), ==, "eu-west-1");
    g_assert_cmpstr(
        aws_nested_value(files, "services", "local", "secrets_manager", "endpoint_url"), ==,
        "http://127.0.0.1:1");
    g_assert_cmpstr(
        aws_nested_value(files, "services", "local", "secrets_manager", "other"), ==, "1");
    g_assert_cmpstr(
        aws_nested_value(files, "services", "local", "sts", "endpoint_url"), ==,
        "http://127.0.0.1:2");
    g_assert_null(aws_nested_value(files, "services", "local", "ecs", "endpoint_url"));
    g_assert_cmpstr(aws_profile_value(files, "dev", "region"), ==, "a");
    g_assert_null(aws_profile_value(files, "dev", "addressing_style"));
}

static void
test_files_of_other_systems_are_read(void)
{
    g_autoptr(AwsFiles) files = files_of(
        NULL, "\357\273\277[default]\r\nAWS_Access_Key_Id=AK\r\n; a comment\r\nregion = x ; y\r\n");

    g_assert_cmpstr(aws_profile_value(files, "default", "aws_access_key_id"), ==, "AK");
    g_assert_cmpstr(aws_profile_value(files, "default", "region"), ==, "x ; y");
}

static void
test_the_last_of_two_holds(void)
{
    g_autoptr(AwsFiles) files =
        files_of("[default]\nregion=a\nregion=b\n[profile x]\n[default]\noutput=json\n", NULL);

    g_assert_cmpstr(aws_profile_value(files, "default", "region"), ==, "b");
    g_assert_cmpstr(aws_profile_value(files, "default", "output"), ==, "json");
}

static void
assert_refused(const char *text, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_auto(Shared) shared = shared_files(text, NULL);
    g_autoptr(AwsFiles) files = aws_files_read(&error);

    g_assert_null(files);
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, what));
    g_assert_nonnull(strstr(error->message, shared.config));
    g_assert_null(strstr(error->message, "SECRET"));
}

static void
test_a_broken_file_is_told_with_its_line(void)
{
    assert_refused("region=SECRET\n", "line 1: a setting before the first section");
    assert_refused("[default]\n\nSECRET\n", "line 3: neither a section nor a setting");
    assert_refused("[default\nx=SECRET\n", "line 1: a section without its closing bracket");
    assert_refused("[default] SECRET\n", "line 1: text behind the name");
    assert_refused("[]\n", "line 1: a section without a name");
    assert_refused("[default]\n=SECRET\n", "line 2: neither");
    assert_refused("[default]\ns3=\n  SECRET\n", "line 3: not a nested setting");
}

static void
test_a_file_that_is_no_file_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(Shared) shared = shared_files(NULL, NULL);
    g_autoptr(AwsIni) zeros = aws_ini_read("[a]\0b", 5, "zeros", NULL);

    g_assert_null(zeros);
    g_setenv("AWS_CONFIG_FILE", shared.folder, TRUE);
    g_assert_null(aws_files_read(&error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_an_endless_file_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/zero", TRUE);
    g_assert_null(aws_files_read(&error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_unsetenv("AWS_SHARED_CREDENTIALS_FILE");
}

static void
test_keys_come_from_one_file(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsFiles) files = files_of(
        "[default]\naws_access_key_id=OLD\naws_secret_access_key=old\naws_session_token=token\n"
        "[profile half]\naws_secret_access_key=SECRET\n",
        "[default]\naws_access_key_id=NEW\naws_secret_access_key=new\n");

    g_autoptr(AwsKeys) keys = aws_profile_keys(files, AWS_CREDENTIALS_FILE, "default", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(keys->secret_key, ==, "new");
    g_assert_null(keys->session_token);
    g_autoptr(AwsKeys) older = aws_profile_keys(files, AWS_CONFIG_FILE, "default", &error);
    g_assert_cmpstr(older->session_token, ==, "token");

    g_assert_null(aws_profile_keys(files, AWS_CREDENTIALS_FILE, "half", &error));
    g_assert_no_error(error);
    g_assert_null(aws_profile_keys(files, AWS_CONFIG_FILE, "half", &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_null(strstr(error->message, "SECRET"));
}

static void
test_the_environment_names_the_profile(void)
{
    g_unsetenv("AWS_PROFILE");
    g_unsetenv("AWS_DEFAULT_PROFILE");
    g_assert_cmpstr(aws_default_profile(), ==, "default");
    g_setenv("AWS_DEFAULT_PROFILE", "old", TRUE);
    g_assert_cmpstr(aws_default_profile(), ==, "old");
    g_setenv("AWS_PROFILE", "new", TRUE);
    g_assert_cmpstr(aws_default_profile(), ==, "new");
    g_setenv("AWS_PROFILE", "", TRUE);
    g_assert_cmpstr(aws_default_profile(), ==, "old");
    g_unsetenv("AWS_PROFILE");
    g_unsetenv("AWS_DEFAULT_PROFILE");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/profile/reads profiles of both files", test_reads_profiles_of_both_files);
    g_test_add_func(
        "/profile/a config section needs its kind", test_a_config_section_needs_its_kind);
    g_test_add_func("/profile/names may hold blanks", test_names_may_hold_blanks);
    g_test_add_func("/profile/a missing file is an empty one", test_a_missing_file_is_an_empty_one);
    g_test_add_func(
        "/profile/reads other sections and nested settings",
        test_reads_other_sections_and_nested_settings);
    g_test_add_func(
        "/profile/files of other systems are read", test_files_of_other_systems_are_read);
    g_test_add_func("/profile/the last of two holds", test_the_last_of_two_holds);
    g_test_add_func(
        "/profile/a broken file is told with its line", test_a_broken_file_is_told_with_its_line);
    g_test_add_func(
        "/profile/a file that is no file is refused", test_a_file_that_is_no_file_is_refused);
    g_test_add_func("/profile/an endless file is refused", test_an_endless_file_is_refused);
    g_test_add_func("/profile/keys come from one file", test_keys_come_from_one_file);
    g_test_add_func(
        "/profile/the environment names the profile", test_the_environment_names_the_profile);
    return g_test_run();
}
