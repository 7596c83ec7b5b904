/*
 * patience.h - how often a call is tried again, and how long it waits before.
 *
 * A wait is drawn from zero to a whole that doubles with each attempt, so that callers who were
 * throttled together come back apart: from 1 s for throttles, from 50 ms for other failures, to
 * 20 s.  All calls of a client share a quota: where a service fails for everybody, retries end
 * after a few instead of multiplying the load.
 */
#pragma once

#include "base/cancel.h"

/* Clock, chance and waiting; a test puts its own in their place. */
typedef struct
{
    gint64 (*now_s)(void *data);                         /* since 1970 */
    double (*chance)(void *data);                        /* 0 <= chance < 1; any thread */
    bool (*wait)(void *data, gint64 ms, Cancel *cancel); /* as cancel_sleep() */
    void *data;
} AwsTiming;

/* The machine's own. */
extern const AwsTiming AWS_TIMING;

typedef struct AwsQuota AwsQuota;

AwsQuota *aws_quota_new(void);
void aws_quota_free(AwsQuota *quota);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsQuota, aws_quota_free)

/* Of one call.  Starts with the first three; the others are its own. */
typedef struct
{
    AwsQuota *quota; /* borrowed */
    const AwsTiming *timing;
    int attempts; /* in all */

    int failures;
    int cost; /* of the last retry */
} AwsPatience;

/*
 * After a failure: whether another attempt is allowed, and after which wait.  wish_ms is the
 * server's, -1 when it has none; it is granted up to 20 s.
 */
bool aws_patience_again(AwsPatience *patience, bool throttled, gint64 wish_ms, gint64 *wait_ms);

/* After a success: gives the quota back what the last retry took, or a little. */
void aws_patience_rewarded(const AwsPatience *patience);
