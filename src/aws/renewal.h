/*
 * renewal.h - when keys want to be replaced.
 */
#pragma once

#include <glib.h>

typedef enum
{
    AWS_KEYS_HOLD,
    AWS_KEYS_AGE,   /* time to renew them, though they still do */
    AWS_KEYS_EXPIRE /* not to be used any more */
} AwsKeysState;

/*
 * Of keys that were got at one time and expire at another (since 1970; G_MAXINT64: never).  They
 * age with less than 15 minutes left and expire with less than 10; keys that were to hold less
 * than an hour do so in proportion, else the shortest ones would be renewed for every call.
 */
AwsKeysState aws_keys_state(gint64 got_ms, gint64 expires_ms, gint64 now_ms);
