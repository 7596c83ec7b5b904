/*
 * retry.h - whether a failure may pass, and how long to wait before the next attempt.
 *
 * The only place that looks for VF_ERROR_BUSY and VF_ERROR_CONNECT.  Waits double
 * from the first to the longest, with jitter (half to whole), so that many who failed
 * together do not come back together.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct
{
    int attempts; /* in all, the first included */
    gint64 first_ms;
    gint64 longest_ms;
    bool failed_too; /* VF_ERROR_FAILED may pass as well: a wrong answer, a crash */
} RetryPolicy;

typedef struct
{
    const RetryPolicy *policy;
    int failures;
} Retry;

/* After a failure: true when another attempt makes sense, after `wait_ms`. */
bool retry_again(Retry *retry, const GError *error, gint64 *wait_ms);

/* True for a failure that means "too much, slow down". */
bool retry_is_busy(const GError *error);
