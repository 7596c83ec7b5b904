/*
 * keys.h - what AWS knows a caller by.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* One set of credentials.  Wiped from memory when it is freed. */
typedef struct
{
    char *access_key;
    char *secret_key;
    char *session_token; /* NULL for a user's own long-term keys */
    gint64 expires_ms;   /* since 1970; G_MAXINT64: never */
} AwsKeys;

AwsKeys *aws_keys_new(
    const char *access_key, const char *secret_key, const char *session_token, gint64 expires_ms);
AwsKeys *aws_keys_copy(const AwsKeys *keys);
void aws_keys_free(AwsKeys *keys);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsKeys, aws_keys_free)

/* True when a server cannot tell one from the other. */
bool aws_keys_are_same(const AwsKeys *one, const AwsKeys *other);

/* A text that is overwritten before it is freed: `g_autoptr(AwsSecret) token = …`. */
typedef char AwsSecret;
void aws_secret_free(AwsSecret *secret);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsSecret, aws_secret_free)
