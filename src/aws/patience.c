#include "aws/patience.h"

#include <pthread.h>

#define QUOTA 500
#define THROTTLE_COST 5
#define FAILURE_COST 10
#define THROTTLE_FIRST_MS 1000
#define FAILURE_FIRST_MS 50
#define LONGEST_MS 20000

/* --- timing ----------------------------------------------------------------------- */

static gint64
machine_now_s(void *data)
{
    (void) data;
    return g_get_real_time() / G_USEC_PER_SEC;
}

static double
machine_chance(void *data)
{
    (void) data;
    return g_random_double();
}

static bool
machine_wait(void *data, gint64 ms, Cancel *cancel)
{
    (void) data;
    return cancel_sleep(cancel, ms);
}

const AwsTiming AWS_TIMING = {machine_now_s, machine_chance, machine_wait, NULL};

/* --- quota ------------------------------------------------------------------------ */

struct AwsQuota
{
    pthread_mutex_t mutex;
    int left; /* guarded by the mutex */
};

AwsQuota *
aws_quota_new(void)
{
    AwsQuota *quota = g_new0(AwsQuota, 1);
    pthread_mutex_init(&quota->mutex, NULL);
    quota->left = QUOTA;
    return quota;
}

void
aws_quota_free(AwsQuota *quota)
{
    if (quota == NULL)
        return;
    pthread_mutex_destroy(&quota->mutex);
    g_free(quota);
}

static bool
take(AwsQuota *quota, int cost)
{
    pthread_mutex_lock(&quota->mutex);
    const bool enough = quota->left >= cost;
    if (enough)
        quota->left -= cost;
    pthread_mutex_unlock(&quota->mutex);
    return enough;
}

static void
give(AwsQuota *quota, int amount)
{
    pthread_mutex_lock(&quota->mutex);
    quota->left = MIN(quota->left + amount, QUOTA);
    pthread_mutex_unlock(&quota->mutex);
}

/* --- patience --------------------------------------------------------------------- */

bool
aws_patience_again(AwsPatience *patience, bool throttled, gint64 wish_ms, gint64 *wait_ms)
{
    const int cost = throttled ? THROTTLE_COST : FAILURE_COST;
    const gint64 first_ms = throttled ? THROTTLE_FIRST_MS : FAILURE_FIRST_MS;

    if (patience->failures + 1 >= patience->attempts || !take(patience->quota, cost))
        return false;

    const gint64 whole_ms = MIN(first_ms << MIN(patience->failures, 20), LONGEST_MS);
    const double chance = patience->timing->chance(patience->timing->data);
    const gint64 drawn_ms = (gint64) ((double) whole_ms * chance);

    *wait_ms = MAX(drawn_ms, MIN(wish_ms, LONGEST_MS));
    patience->cost = cost;
    patience->failures++;
    return true;
}

void
aws_patience_rewarded(const AwsPatience *patience)
{
    give(patience->quota, MAX(patience->cost, 1));
}
