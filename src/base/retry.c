#include "base/retry.h"

#include "base/error.h"

bool
retry_is_busy(const GError *error)
{
    return g_error_matches(error, VF_ERROR, VF_ERROR_BUSY);
}

static bool
may_pass(const RetryPolicy *policy, const GError *error)
{
    return retry_is_busy(error) || g_error_matches(error, VF_ERROR, VF_ERROR_CONNECT) ||
           (policy->failed_too && g_error_matches(error, VF_ERROR, VF_ERROR_FAILED));
}

bool
retry_again(Retry *retry, const GError *error, gint64 *wait_ms)
{
    const RetryPolicy *policy = retry->policy;

    if (!may_pass(policy, error) || retry->failures + 1 >= policy->attempts)
        return false;
    const gint64 whole = MIN(policy->first_ms << MIN(retry->failures, 20), policy->longest_ms);
    retry->failures++;
    *wait_ms = (gint64) ((double) whole * g_random_double_range(0.5, 1.0));
    return true;
}
