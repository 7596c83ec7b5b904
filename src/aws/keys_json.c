#include "aws/keys_json.h"

#include "base/error.h"

#include <stdint.h>
#include <string.h>

static void
overwrite(Json *json)
{
    if (json_is_string(json))
    {
        /* Ours alone, so that it may be written to, whatever jansson calls it. */
        void *bytes = (void *) (uintptr_t) json_string_value(json);
        explicit_bzero(bytes, json_string_length(json));
    }
    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at))
        overwrite(json_object_iter_value(at));
    for (size_t i = 0; i < json_array_size(json); i++)
        overwrite(json_array_get(json, i));
}

void
secret_json_free(SecretJson *json)
{
    overwrite(json);
    json_decref(json);
}

SecretJson *
secret_json_read(const char *bytes, size_t length)
{
    g_autoptr(SecretJson) json = json_loadb(bytes, length, 0, NULL);
    return json_is_object(json) ? g_steal_pointer(&json) : NULL;
}

gint64
aws_time_ms(const char *text)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = text != NULL ? g_date_time_new_from_iso8601(text, utc) : NULL;

    if (time == NULL)
        return -1;
    return g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
}

AwsKeys *
aws_keys_from_json(const Json *object, const char *token_name, GError **error)
{
    const char *access_key = json_text(object, "AccessKeyId");
    const char *secret_key = json_text(object, "SecretAccessKey");
    const char *token = json_text(object, token_name);
    const char *expiration = json_text(object, "Expiration");
    gint64 expires_ms = G_MAXINT64;

    if (access_key == NULL || *access_key == '\0' || secret_key == NULL || *secret_key == '\0')
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED,
            "the answer holds no AccessKeyId and SecretAccessKey");
        return NULL;
    }
    if (expiration != NULL && *expiration != '\0')
        expires_ms = aws_time_ms(expiration);
    if (expires_ms < 0)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED, "the answer's Expiration is no time in ISO 8601");
        return NULL;
    }
    return aws_keys_new(
        access_key, secret_key, token != NULL && *token != '\0' ? token : NULL, expires_ms);
}
