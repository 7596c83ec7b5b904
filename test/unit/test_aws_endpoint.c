#include "aws/endpoint.h"
#include "base/error.h"

#include <glib/gstdio.h>

static const AwsPlaces AWS = {0};

/* "scheme://hostpath region", yours. */
static char *
place(const AwsPlaces *places, AwsService service, const char *region, const char *bucket)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsEndpoint) endpoint = aws_endpoint(places, service, region, bucket, &error);
    g_assert_no_error(error);
    return g_strdup_printf(
        "%s://%s%s %s", endpoint->scheme, endpoint->host, endpoint->path, endpoint->region);
}

static void
assert_place(
    const AwsPlaces *places, AwsService service, const char *region, const char *bucket,
    const char *expected)
{
    g_autofree char *found = place(places, service, region, bucket);
    g_assert_cmpstr(found, ==, expected);
}

static void
test_every_service_has_its_host(void)
{
    static const char *const HOSTS[] = {
        [AWS_DYNAMODB] = "dynamodb.eu-central-1.amazonaws.com",
        [AWS_ECS] = "ecs.eu-central-1.amazonaws.com",
        [AWS_SECRETS_MANAGER] = "secretsmanager.eu-central-1.amazonaws.com",
        [AWS_LOGS] = "logs.eu-central-1.amazonaws.com",
        [AWS_SERVICE_QUOTAS] = "servicequotas.eu-central-1.amazonaws.com",
        [AWS_DMS] = "dms.eu-central-1.amazonaws.com",
        [AWS_CLOUDFORMATION] = "cloudformation.eu-central-1.amazonaws.com",
        [AWS_STS] = "sts.eu-central-1.amazonaws.com",
        [AWS_IAM] = "iam.amazonaws.com",
        [AWS_RDS] = "rds.eu-central-1.amazonaws.com",
        [AWS_S3] = "s3.eu-central-1.amazonaws.com",
        [AWS_BEDROCK_RUNTIME] = "bedrock-runtime.eu-central-1.amazonaws.com",
    };

    for (int i = 0; i < AWS_SERVICES; i++)
    {
        const char *region = i == AWS_IAM ? "us-east-1" : "eu-central-1";
        g_autofree char *expected = g_strdup_printf("https://%s %s", HOSTS[i], region);
        assert_place(&AWS, (AwsService) i, "eu-central-1", NULL, expected);
    }
}

static void
test_other_partitions_have_other_hosts(void)
{
    assert_place(
        &AWS, AWS_ECS, "cn-northwest-1", NULL,
        "https://ecs.cn-northwest-1.amazonaws.com.cn cn-northwest-1");
    assert_place(
        &AWS, AWS_ECS, "us-gov-east-1", NULL,
        "https://ecs.us-gov-east-1.amazonaws.com us-gov-east-1");
    assert_place(
        &AWS, AWS_ECS, "eusc-de-east-1", NULL,
        "https://ecs.eusc-de-east-1.amazonaws.eu eusc-de-east-1");
    assert_place(
        &AWS, AWS_S3, "cn-north-1", "papers",
        "https://papers.s3.cn-north-1.amazonaws.com.cn cn-north-1");
    assert_place(
        &AWS, AWS_IAM, "us-gov-east-1", NULL, "https://iam.us-gov.amazonaws.com us-gov-west-1");
    assert_place(
        &AWS, AWS_IAM, "cn-northwest-1", NULL,
        "https://iam.cn-north-1.amazonaws.com.cn cn-north-1");
    assert_place(
        &AWS, AWS_IAM, "eusc-de-east-1", NULL,
        "https://iam.eusc-de-east-1.amazonaws.eu eusc-de-east-1");
}

static void
test_fips_and_dual_stack_have_names_of_their_own(void)
{
    const AwsPlaces fips = {.fips = true};
    const AwsPlaces dual = {.dual_stack = true};
    const AwsPlaces both = {.fips = true, .dual_stack = true};

    assert_place(
        &fips, AWS_ECS, "us-east-1", NULL, "https://ecs-fips.us-east-1.amazonaws.com us-east-1");
    assert_place(&dual, AWS_ECS, "us-east-1", NULL, "https://ecs.us-east-1.api.aws us-east-1");
    assert_place(&both, AWS_ECS, "us-east-1", NULL, "https://ecs-fips.us-east-1.api.aws us-east-1");
    assert_place(
        &fips, AWS_DYNAMODB, "us-gov-west-1", NULL,
        "https://dynamodb.us-gov-west-1.amazonaws.com us-gov-west-1");
    assert_place(
        &fips, AWS_SECRETS_MANAGER, "us-gov-west-1", NULL,
        "https://secretsmanager-fips.us-gov-west-1.amazonaws.com us-gov-west-1");
    assert_place(
        &dual, AWS_SECRETS_MANAGER, "us-east-1", NULL,
        "https://secretsmanager.us-east-1.amazonaws.com us-east-1");
    assert_place(
        &dual, AWS_S3, "us-east-1", "papers",
        "https://papers.s3.dualstack.us-east-1.amazonaws.com us-east-1");
    assert_place(
        &both, AWS_S3, "us-east-1", "papers",
        "https://papers.s3-fips.dualstack.us-east-1.amazonaws.com us-east-1");
    assert_place(&fips, AWS_IAM, "us-east-1", NULL, "https://iam-fips.amazonaws.com us-east-1");
    assert_place(&dual, AWS_IAM, "us-east-1", NULL, "https://iam.amazonaws.com us-east-1");
}

/* The certificate for *.s3.REGION.amazonaws.com covers one label. */
static void
test_a_bucket_becomes_a_host_where_it_can(void)
{
    assert_place(
        &AWS, AWS_S3, "us-east-1", "my-papers-1",
        "https://my-papers-1.s3.us-east-1.amazonaws.com us-east-1");
    assert_place(
        &AWS, AWS_S3, "us-east-1", "my.papers",
        "https://s3.us-east-1.amazonaws.com/my.papers us-east-1");
    assert_place(
        &AWS, AWS_S3, "us-east-1", "My_Papers",
        "https://s3.us-east-1.amazonaws.com/My_Papers us-east-1");
}

static void
test_names_that_cannot_be_are_refused(void)
{
    static const char *const REGIONS[] = {
        "", "eu central 1", "evil.example/", "EU-CENTRAL-1", "-a", "a@b", "x.y"};
    static const char *const BUCKETS[] = {"", "ab", "a/b", "a?bc", "...", "..", "a bc", "a%2fb"};

    for (guint i = 0; i < G_N_ELEMENTS(REGIONS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(aws_endpoint(&AWS, AWS_ECS, REGIONS[i], NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    }
    for (guint i = 0; i < G_N_ELEMENTS(BUCKETS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(aws_endpoint(&AWS, AWS_S3, "us-east-1", BUCKETS[i], &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    }
}

/* --- what is configured ----------------------------------------------------------- */

typedef struct
{
    char *config;
    AwsFiles *files;
} Fixture;

#define CONFIG                                                                                     \
    "[default]\n"                                                                                  \
    "region = eu-west-1\n"                                                                         \
    "[profile whole]\n"                                                                            \
    "endpoint_url = http://whole:1\n"                                                              \
    "[profile each]\n"                                                                             \
    "endpoint_url = http://whole:1\n"                                                              \
    "services = here\n"                                                                            \
    "[profile fips]\n"                                                                             \
    "use_fips_endpoint = true\n"                                                                   \
    "use_dualstack_endpoint = true\n"                                                              \
    "[profile odd]\n"                                                                              \
    "endpoint_url = ftp://x\n"                                                                     \
    "[services here]\n"                                                                            \
    "secrets_manager =\n"                                                                          \
    "  endpoint_url = http://each:2\n"

static void
set_up(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    (void) data;

    const int fd = g_file_open_tmp("vecferry-aws-XXXXXX", &fixture->config, &error);
    g_assert_no_error(error);
    close(fd);
    g_file_set_contents(fixture->config, CONFIG, -1, &error);
    g_assert_no_error(error);
    g_setenv("AWS_CONFIG_FILE", fixture->config, TRUE);
    g_setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", TRUE);
    fixture->files = aws_files_read(&error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    static const char *const VARIABLES[] = {
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "AWS_USE_FIPS_ENDPOINT",
        "AWS_USE_DUALSTACK_ENDPOINT"};
    (void) data;

    for (guint i = 0; i < G_N_ELEMENTS(VARIABLES); i++)
        g_unsetenv(VARIABLES[i]);
    aws_files_free(fixture->files);
    g_unlink(fixture->config);
    g_free(fixture->config);
}

static void
assert_configured(
    const Fixture *fixture, const char *profile, const char *given, AwsService service,
    const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsPlaces) places = aws_places_read(fixture->files, profile, given, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(places->urls[service], ==, expected);
}

static void
test_the_nearer_setting_wins(Fixture *fixture, gconstpointer data)
{
    (void) data;
    assert_configured(fixture, "default", NULL, AWS_SECRETS_MANAGER, NULL);
    assert_configured(fixture, "whole", NULL, AWS_SECRETS_MANAGER, "http://whole:1");
    assert_configured(fixture, "each", NULL, AWS_SECRETS_MANAGER, "http://each:2");
    assert_configured(fixture, "each", NULL, AWS_S3, "http://whole:1");

    g_setenv("AWS_ENDPOINT_URL", "http://all:3", TRUE);
    assert_configured(fixture, "each", NULL, AWS_SECRETS_MANAGER, "http://all:3");
    g_setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://one:4", TRUE);
    assert_configured(fixture, "each", NULL, AWS_SECRETS_MANAGER, "http://one:4");
    assert_configured(fixture, "each", NULL, AWS_S3, "http://all:3");
    assert_configured(fixture, "each", "http://given:5", AWS_SECRETS_MANAGER, "http://given:5");
}

static void
test_an_empty_setting_is_none(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_setenv("AWS_ENDPOINT_URL", "", TRUE);
    g_setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", "", TRUE);
    assert_configured(fixture, "each", NULL, AWS_SECRETS_MANAGER, "http://each:2");
}

static void
test_configured_addresses_can_be_ignored(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_setenv("AWS_ENDPOINT_URL", "http://all:3", TRUE);
    g_setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True", TRUE);
    assert_configured(fixture, "each", NULL, AWS_SECRETS_MANAGER, NULL);
    assert_configured(fixture, "each", "http://given:5", AWS_SECRETS_MANAGER, "http://given:5");
}

static void
test_fips_and_dual_stack_are_read(Fixture *fixture, gconstpointer data)
{
    (void) data;
    g_autoptr(AwsPlaces) plain = aws_places_read(fixture->files, "default", NULL, NULL);
    g_assert_false(plain->fips || plain->dual_stack);
    g_autoptr(AwsPlaces) profile = aws_places_read(fixture->files, "fips", NULL, NULL);
    g_assert_true(profile->fips && profile->dual_stack);

    g_setenv("AWS_USE_FIPS_ENDPOINT", "", TRUE);
    g_autoptr(AwsPlaces) empty = aws_places_read(fixture->files, "fips", NULL, NULL);
    g_assert_true(empty->fips);
    g_setenv("AWS_USE_FIPS_ENDPOINT", "false", TRUE);
    g_autoptr(AwsPlaces) nearer = aws_places_read(fixture->files, "fips", NULL, NULL);
    g_assert_false(nearer->fips);
}

static void
test_what_is_no_address_is_named(Fixture *fixture, gconstpointer data)
{
    static const char *const URLS[] = {"localhost:1",  "http://",     "ftp://x",
                                       "http://u:p@x", "http://x/?a", "http://x#y"};
    (void) data;

    for (guint i = 0; i < G_N_ELEMENTS(URLS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_setenv("AWS_ENDPOINT_URL_S3", URLS[i], TRUE);
        g_assert_null(aws_places_read(fixture->files, "default", NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
        g_assert_nonnull(g_strstr_len(error->message, -1, "AWS_ENDPOINT_URL_S3"));
    }
    g_unsetenv("AWS_ENDPOINT_URL_S3");
    g_autoptr(GError) error = NULL;
    g_assert_null(aws_places_read(fixture->files, "odd", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

/* Name and region that are signed stay the same. */
static void
test_another_address_is_taken_apart(Fixture *fixture, gconstpointer data)
{
    static const struct
    {
        const char *url;
        const char *place;
        const char *place_of_bucket;
    } CASES[] = {
        {"http://127.0.0.1:4566", "http://127.0.0.1:4566 eu-west-1",
         "http://127.0.0.1:4566/papers eu-west-1"},
        {"HTTPS://Gate.Example:443/aws//", "https://gate.example/aws eu-west-1",
         "https://gate.example/aws/papers eu-west-1"},
        {"http://gate.example:80", "http://gate.example eu-west-1",
         "http://gate.example/papers eu-west-1"},
        {"http://[::1]:8080/", "http://[::1]:8080 eu-west-1", "http://[::1]:8080/papers eu-west-1"},
        {"https://gate.example:8443", "https://gate.example:8443 eu-west-1",
         "https://gate.example:8443/papers eu-west-1"},
    };
    (void) data;

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(AwsPlaces) places =
            aws_places_read(fixture->files, "default", CASES[i].url, NULL);
        g_assert_nonnull(places);
        assert_place(places, AWS_ECS, "eu-west-1", NULL, CASES[i].place);
        assert_place(places, AWS_S3, "eu-west-1", "papers", CASES[i].place_of_bucket);
    }
    g_autoptr(AwsPlaces) places = aws_places_read(fixture->files, "default", "http://x:1", NULL);
    assert_place(places, AWS_IAM, "eu-west-1", NULL, "http://x:1 us-east-1");
}

static void
add(const char *sentence, void (*test)(Fixture *, gconstpointer))
{
    g_autofree char *path = g_strconcat("/aws-endpoint/", sentence, NULL);
    g_test_add(path, Fixture, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aws-endpoint/every service has its host", test_every_service_has_its_host);
    g_test_add_func(
        "/aws-endpoint/other partitions have other hosts", test_other_partitions_have_other_hosts);
    g_test_add_func(
        "/aws-endpoint/FIPS and dual-stack have names of their own",
        test_fips_and_dual_stack_have_names_of_their_own);
    g_test_add_func(
        "/aws-endpoint/a bucket becomes a host where it can",
        test_a_bucket_becomes_a_host_where_it_can);
    g_test_add_func(
        "/aws-endpoint/names that cannot be are refused", test_names_that_cannot_be_are_refused);
    add("the nearer setting wins", test_the_nearer_setting_wins);
    add("an empty setting is none", test_an_empty_setting_is_none);
    add("configured addresses can be ignored", test_configured_addresses_can_be_ignored);
    add("FIPS and dual-stack are read", test_fips_and_dual_stack_are_read);
    add("what is no address is named", test_what_is_no_address_is_named);
    add("another address is taken apart", test_another_address_is_taken_apart);
    return g_test_run();
}
