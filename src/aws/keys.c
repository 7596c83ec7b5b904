#include "aws/keys.h"

#include <string.h>

AwsKeys *
aws_keys_new(
    const char *access_key, const char *secret_key, const char *session_token, gint64 expires_ms)
{
    AwsKeys *keys = g_new0(AwsKeys, 1);

    keys->access_key = g_strdup(access_key);
    keys->secret_key = g_strdup(secret_key);
    keys->session_token = g_strdup(session_token);
    keys->expires_ms = expires_ms;
    return keys;
}

AwsKeys *
aws_keys_copy(const AwsKeys *keys)
{
    return aws_keys_new(keys->access_key, keys->secret_key, keys->session_token, keys->expires_ms);
}

void
aws_keys_free(AwsKeys *keys)
{
    if (keys == NULL)
        return;
    aws_secret_free(keys->access_key);
    aws_secret_free(keys->secret_key);
    aws_secret_free(keys->session_token);
    g_free(keys);
}

bool
aws_keys_are_same(const AwsKeys *one, const AwsKeys *other)
{
    return g_strcmp0(one->access_key, other->access_key) == 0 &&
           g_strcmp0(one->secret_key, other->secret_key) == 0 &&
           g_strcmp0(one->session_token, other->session_token) == 0;
}

void
aws_secret_free(AwsSecret *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}
