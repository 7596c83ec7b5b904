/* source_static.c - keys that somebody wrote down: in the environment, or in a file. */
#include "aws/keys_json.h"
#include "aws/source.h"
#include "base/error.h"

AwsKeys *
aws_environment_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    const char *access_key = aws_variable("AWS_ACCESS_KEY_ID");
    const char *secret_key = aws_variable("AWS_SECRET_ACCESS_KEY");
    const char *expiration = aws_variable("AWS_CREDENTIAL_EXPIRATION");
    gint64 expires_ms = G_MAXINT64;
    (void) search;
    (void) cancel;

    if (access_key == NULL && secret_key == NULL)
        return NULL;
    if (access_key == NULL || secret_key == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the environment sets %s without %s",
            access_key != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
            access_key != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
        return NULL;
    }
    if (expiration != NULL && (expires_ms = aws_time_ms(expiration)) < 0)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE,
            "AWS_CREDENTIAL_EXPIRATION is no time in ISO 8601 (2026-01-02T03:04:05Z)");
        return NULL;
    }
    *origin = g_strdup("the environment");
    return aws_keys_new(access_key, secret_key, aws_variable("AWS_SESSION_TOKEN"), expires_ms);
}

static AwsKeys *
file_keys(const AwsSearch *search, AwsFile file, char **origin, GError **error)
{
    AwsKeys *keys = aws_profile_keys(search->files, file, search->profile, error);
    if (keys != NULL)
        *origin = g_strdup_printf(
            "profile \"%s\" in %s", search->profile, aws_file_path(search->files, file));
    return keys;
}

AwsKeys *
aws_credentials_file_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    (void) cancel;
    return file_keys(search, AWS_CREDENTIALS_FILE, origin, error);
}

AwsKeys *
aws_config_file_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    (void) cancel;
    return file_keys(search, AWS_CONFIG_FILE, origin, error);
}
