#include "aws/client.h"

#include "aws/client_state.h"
#include "aws/instance_region.h"
#include "aws/setting.h"
#include "base/error.h"

#include <string.h>

#define DEFAULT_ATTEMPTS 8
#define MAX_ATTEMPTS 100

static bool
check_profile(const AwsFiles *files, const char *profile, GError **error)
{
    if (strcmp(profile, "default") == 0 || aws_has_profile(files, profile))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "there is no AWS profile \"%s\" in the shared files",
        profile);
    vf_error_hint(error, "aws configure list-profiles shows those that there are");
    return false;
}

/* The region, yours, or NULL with the error set. */
static char *
find_region(
    const AwsFiles *files, const char *profile, const char *given, Cancel *cancel, GError **error)
{
    const char *first = g_getenv("AWS_REGION");
    const char *region = given;

    if (region == NULL)
        region = first != NULL && *first != '\0'
                     ? first
                     : aws_setting(files, profile, "AWS_DEFAULT_REGION", "region");
    g_autofree char *found =
        region != NULL ? g_strdup(region) : aws_instance_region(files, profile, cancel);

    if (!cancel_check(cancel, error))
        return NULL;
    if (found != NULL && aws_is_region(found))
        return g_steal_pointer(&found);
    if (found != NULL)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "\"%.60s\" is not the name of an AWS region", found);
    else
        g_set_error_literal(error, VF_ERROR, VF_ERROR_USAGE, "no AWS region is configured");
    vf_error_hint(error, "set AWS_REGION, or region in the profile, like eu-central-1");
    return NULL;
}

static int
count_attempts(const AwsFiles *files, const char *profile, int given, GError **error)
{
    const char *text = aws_setting(files, profile, "AWS_MAX_ATTEMPTS", "max_attempts");
    guint64 attempts = DEFAULT_ATTEMPTS;

    if (given > 0)
        return given;
    if (text == NULL || g_ascii_string_to_unsigned(text, 10, 1, MAX_ATTEMPTS, &attempts, NULL))
        return (int) attempts;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE,
        "AWS_MAX_ATTEMPTS (or the profile's max_attempts) is not a number from 1 to %d",
        MAX_ATTEMPTS);
    return 0;
}

static HttpClient *
connections(const AwsFiles *files, const char *profile)
{
    const HttpPolicy policy = {
        .allow_private = true, /* the addresses are AWS's or a person's own choice */
        .ca_file = aws_setting(files, profile, "AWS_CA_BUNDLE", "ca_bundle"),
    };
    return http_client_new(&policy);
}

/* All that can be refused comes first. */
AwsClient *
aws_client_new(const AwsClientOptions *options, Cancel *cancel, GError **error)
{
    const char *profile = options->profile != NULL ? options->profile : aws_default_profile();
    g_autoptr(AwsFiles) files = aws_files_read(error);
    if (files == NULL || !check_profile(files, profile, error))
        return NULL;
    const int attempts = count_attempts(files, profile, options->attempts, error);
    if (attempts == 0)
        return NULL;
    g_autoptr(AwsPlaces) places = aws_places_read(files, profile, options->endpoint, error);
    if (places == NULL)
        return NULL;
    char *region = find_region(files, profile, options->region, cancel, error);
    if (region == NULL)
        return NULL;

    AwsClient *client = g_new0(AwsClient, 1);
    client->region = region;
    client->attempts = attempts;
    client->places = g_steal_pointer(&places);
    client->http = connections(files, profile);
    client->quota = aws_quota_new();
    client->timing = options->timing != NULL ? options->timing : &AWS_TIMING;
    if (options->credentials == NULL)
        client->own_credentials = aws_credentials_new(files, options->profile, region);
    client->credentials =
        options->credentials != NULL ? options->credentials : client->own_credentials;
    client->files = g_steal_pointer(&files);
    pthread_mutex_init(&client->mutex, NULL);
    client->bucket_regions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return client;
}

void
aws_client_free(AwsClient *client)
{
    if (client == NULL)
        return;
    g_hash_table_unref(client->bucket_regions);
    pthread_mutex_destroy(&client->mutex);
    aws_credentials_free(client->own_credentials);
    aws_quota_free(client->quota);
    http_client_free(client->http);
    aws_places_free(client->places);
    aws_files_free(client->files);
    g_free(client->region);
    g_free(client);
}

const char *
aws_client_region(const AwsClient *client)
{
    return client->region;
}

AwsCredentials *
aws_client_credentials(const AwsClient *client)
{
    return client->credentials;
}
