/*
 * keys_json.h - the JSON in which programs and servers hand keys over.
 */
#pragma once

#include "aws/keys.h"
#include "base/json.h"

/* A value whose texts are overwritten before they are freed.  Nobody else may hold a part of it. */
typedef Json SecretJson;
void secret_json_free(SecretJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretJson, secret_json_free)

/* The object, yours; NULL for anything else. */
SecretJson *secret_json_read(const char *bytes, size_t length);

/* What an object with these names holds: AccessKeyId, SecretAccessKey, the token by its name, and
 * Expiration in ISO 8601, which may be absent.  VF_ERROR_FAILED for anything else. */
AwsKeys *aws_keys_from_json(const Json *object, const char *token_name, GError **error);

/* "2026-01-02T03:04:05Z" as milliseconds since 1970; -1 for anything else, and NULL. */
gint64 aws_time_ms(const char *text);
