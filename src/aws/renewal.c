#include "aws/renewal.h"

#define MINUTE_MS (60 * 1000)

AwsKeysState
aws_keys_state(gint64 got_ms, gint64 expires_ms, gint64 now_ms)
{
    if (expires_ms == G_MAXINT64)
        return AWS_KEYS_HOLD;

    const gint64 life_ms = expires_ms - got_ms;
    const gint64 left_ms = expires_ms - now_ms;
    if (left_ms <= 0 || left_ms < MIN(10 * MINUTE_MS, life_ms / 6))
        return AWS_KEYS_EXPIRE;
    return left_ms < MIN(15 * MINUTE_MS, life_ms / 4) ? AWS_KEYS_AGE : AWS_KEYS_HOLD;
}
