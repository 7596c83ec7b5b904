/*
 * One thread renews, without the lock; meanwhile the others go on with keys that still do, or wait
 * for it.  Those who waited share its failure: each trying again would take each a time limit.
 */
#include "aws/credentials.h"

#include "aws/renewal.h"
#include "aws/source.h"
#include "aws/sts.h"
#include "base/error.h"

#include <pthread.h>
#include <time.h>

/* How soon a renewal that could wait is tried again when it failed. */
#define PAUSE_MS (30 * 1000)
#define WAIT_STEP_NS (50 * 1000 * 1000)

struct AwsCredentials
{
    const AwsFiles *files;
    char *profile; /* NULL: the default */
    char *region;  /* NULL: what the environment and the profile say */

    AwsCredentials *base; /* whose keys take the role; NULL: the files' */
    char *role_arn;
    char *session_name;
    char *policy;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t renewed;
    bool renewing;
    guint renewals;  /* that ended, well or not */
    GError *failure; /* of the last of them, if not well */
    AwsKeys *keys;
    gint64 got_ms;
    gint64 pause_until_ms;
    bool refused;
    char *origin;
};

AwsCredentials *
aws_credentials_new(const AwsFiles *files, const char *profile, const char *region)
{
    AwsCredentials *credentials = g_new0(AwsCredentials, 1);
    pthread_condattr_t attributes;

    credentials->files = files;
    credentials->profile = g_strdup(profile);
    credentials->region = g_strdup(region);
    pthread_mutex_init(&credentials->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&credentials->renewed, &attributes);
    pthread_condattr_destroy(&attributes);
    return credentials;
}

AwsCredentials *
aws_credentials_of_role(
    AwsCredentials *base, const char *role_arn, const char *session_name, const char *policy,
    const char *region)
{
    AwsCredentials *credentials =
        aws_credentials_new(base->files, base->profile, region != NULL ? region : base->region);

    credentials->base = base;
    credentials->role_arn = g_strdup(role_arn);
    credentials->session_name = g_strdup(session_name);
    credentials->policy = g_strdup(policy);
    return credentials;
}

void
aws_credentials_free(AwsCredentials *credentials)
{
    if (credentials == NULL)
        return;
    pthread_cond_destroy(&credentials->renewed);
    pthread_mutex_destroy(&credentials->mutex);
    aws_keys_free(credentials->keys);
    g_clear_error(&credentials->failure);
    g_free(credentials->origin);
    g_free(credentials->policy);
    g_free(credentials->session_name);
    g_free(credentials->role_arn);
    g_free(credentials->region);
    g_free(credentials->profile);
    g_free(credentials);
}

/* ------------------------------------------------------------------------------------------
 * Asking the source
 * ------------------------------------------------------------------------------------------ */

static const char *
region_of(const AwsCredentials *credentials, const char *profile)
{
    const char *const regions[] = {
        credentials->region,
        aws_variable("AWS_REGION"),
        aws_variable("AWS_DEFAULT_REGION"),
        aws_profile_value(credentials->files, profile, "region"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(regions); i++)
        if (regions[i] != NULL)
            return regions[i];
    return "us-east-1";
}

/* STS may find the base's keys expired before we do: then once more with newer ones. */
static AwsKeys *
take_role(AwsCredentials *credentials, const AwsStsRole *role, Cancel *cancel, GError **error)
{
    for (int attempt = 1;; attempt++)
    {
        g_autoptr(AwsKeys) base = aws_credentials_get(credentials->base, cancel, error);
        char code[AWS_STS_CODE_BYTES] = "";
        GError *problem = NULL;

        if (base == NULL)
            return NULL;
        AwsKeys *keys = aws_sts_assume(role, base, code, cancel, &problem);
        if (keys != NULL)
            return keys;
        if (attempt == 1 &&
            (g_str_has_prefix(code, "ExpiredToken") || g_str_equal(code, "InvalidClientTokenId")))
        {
            g_error_free(problem);
            aws_credentials_refused(credentials->base, base);
            continue;
        }
        g_propagate_error(error, problem);
        return NULL;
    }
}

static AwsKeys *
role_keys(AwsCredentials *credentials, char **origin, Cancel *cancel, GError **error)
{
    const char *profile =
        credentials->profile != NULL ? credentials->profile : aws_default_profile();
    const char *region = region_of(credentials, profile);
    g_autofree char *endpoint =
        aws_source_endpoint(credentials->files, profile, "STS", "sts", region, error);
    if (endpoint == NULL)
        return NULL;
    const AwsStsRole role = {
        .endpoint = endpoint,
        .region = region,
        .role_arn = credentials->role_arn,
        .session_name = credentials->session_name,
        .policy = credentials->policy,
    };
    AwsKeys *keys = take_role(credentials, &role, cancel, error);
    if (keys != NULL)
        *origin = g_strdup_printf("role %s", credentials->role_arn);
    return keys;
}

static AwsKeys *
ask_source(AwsCredentials *credentials, char **origin, Cancel *cancel, GError **error)
{
    const char *profile =
        credentials->profile != NULL ? credentials->profile : aws_default_profile();
    const AwsSearch search = {
        .files = credentials->files,
        .profile = profile,
        .profile_named = credentials->profile != NULL,
        .region = region_of(credentials, profile),
    };

    g_autoptr(AwsKeys) keys = credentials->base != NULL
                                  ? role_keys(credentials, origin, cancel, error)
                                  : aws_find_keys(&search, origin, cancel, error);
    if (keys == NULL || keys->expires_ms > g_get_real_time() / 1000)
        return g_steal_pointer(&keys);
    g_set_error(error, VF_ERROR, VF_ERROR_DENIED, "the credentials of %s have expired", *origin);
    vf_error_hint(error, "renew them, and see that this machine's clock is right");
    return NULL;
}

/* ------------------------------------------------------------------------------------------
 * Sharing
 * ------------------------------------------------------------------------------------------ */

/* With the lock. */
static AwsKeysState
state_of(const AwsCredentials *credentials, gint64 now_ms)
{
    if (credentials->keys == NULL || credentials->refused)
        return AWS_KEYS_EXPIRE;
    return aws_keys_state(credentials->got_ms, credentials->keys->expires_ms, now_ms);
}

/* With the lock: waits until a renewal ended or a moment passed. */
static void
wait_a_moment(AwsCredentials *credentials)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_STEP_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&credentials->renewed, &credentials->mutex, &until);
}

/* With the lock: takes what the renewal brought. */
static void
take_renewal(AwsCredentials *credentials, AwsKeys *fresh, char *origin, const GError *problem)
{
    const gint64 now_ms = g_get_real_time() / 1000;

    credentials->renewing = false;
    credentials->renewals++;
    g_clear_error(&credentials->failure);
    if (fresh == NULL)
    {
        credentials->failure = g_error_copy(problem);
        credentials->pause_until_ms = now_ms + PAUSE_MS;
        return;
    }
    aws_keys_free(credentials->keys);
    credentials->keys = fresh;
    credentials->got_ms = now_ms;
    credentials->refused = false;
    credentials->pause_until_ms = 0;
    g_free(credentials->origin);
    credentials->origin = g_strdup(origin);
}

/* That there are none now is another matter when there were some before. */
static void
judge_absence(GError *problem, bool had_keys)
{
    if (!g_error_matches(problem, VF_ERROR, VF_ERROR_MISMATCH))
        return;
    problem->code = had_keys ? VF_ERROR_CONNECT : VF_ERROR_DENIED;
}

/* With the lock, which is left meanwhile. */
static bool
renew(AwsCredentials *credentials, Cancel *cancel, GError **error)
{
    g_autofree char *origin = NULL;
    GError *problem = NULL;

    const bool had_keys = credentials->keys != NULL;
    credentials->renewing = true;
    pthread_mutex_unlock(&credentials->mutex);
    AwsKeys *fresh = ask_source(credentials, &origin, cancel, &problem);
    judge_absence(problem, had_keys);
    pthread_mutex_lock(&credentials->mutex);
    take_renewal(credentials, fresh, origin, problem);
    pthread_cond_broadcast(&credentials->renewed);
    if (problem != NULL)
        g_propagate_error(error, problem);
    return fresh != NULL;
}

/* With the lock: waits while another thread renews.  False when that one failed, or we are to
 * stop. */
static bool
wait_for_renewal(AwsCredentials *credentials, Cancel *cancel, GError **error)
{
    const guint before = credentials->renewals;

    while (credentials->renewing && credentials->renewals == before)
    {
        if (!cancel_check(cancel, error))
            return false;
        wait_a_moment(credentials);
    }
    /* The other thread's wish to stop is not ours. */
    if (credentials->failure == NULL ||
        g_error_matches(credentials->failure, VF_ERROR, VF_ERROR_CANCELLED))
        return true;
    if (error != NULL)
        *error = g_error_copy(credentials->failure);
    return false;
}

/* With the lock: sees to it that the keys hold. */
static bool
see_to_keys(AwsCredentials *credentials, Cancel *cancel, GError **error)
{
    for (;;)
    {
        const gint64 now_ms = g_get_real_time() / 1000;
        const AwsKeysState state = state_of(credentials, now_ms);

        if (state == AWS_KEYS_HOLD)
            return true;
        if (state == AWS_KEYS_AGE)
        {
            if (credentials->renewing || now_ms < credentials->pause_until_ms)
                return true;
            renew(credentials, cancel, NULL);
            continue; /* it may have taken its time */
        }
        if (!credentials->renewing)
            return renew(credentials, cancel, error);
        if (!wait_for_renewal(credentials, cancel, error))
            return false;
    }
}

AwsKeys *
aws_credentials_get(AwsCredentials *credentials, Cancel *cancel, GError **error)
{
    pthread_mutex_lock(&credentials->mutex);
    const bool good = see_to_keys(credentials, cancel, error);
    AwsKeys *keys = good ? aws_keys_copy(credentials->keys) : NULL;
    pthread_mutex_unlock(&credentials->mutex);
    return keys;
}

void
aws_credentials_refused(AwsCredentials *credentials, const AwsKeys *keys)
{
    pthread_mutex_lock(&credentials->mutex);
    if (credentials->keys != NULL && aws_keys_are_same(credentials->keys, keys))
        credentials->refused = true;
    pthread_mutex_unlock(&credentials->mutex);
}

char *
aws_credentials_origin(AwsCredentials *credentials)
{
    pthread_mutex_lock(&credentials->mutex);
    char *origin = g_strdup(credentials->origin);
    pthread_mutex_unlock(&credentials->mutex);
    return origin;
}
