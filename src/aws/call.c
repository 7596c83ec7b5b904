/*
 * A call is a course of attempts.  Each is signed and sent; what came of it is judged; then there
 * is a remedy at once (another time, other keys, another region; each of them once), or patience,
 * or the end.
 */
#include "aws/client_state.h"
#include "aws/failure.h"
#include "aws/sign.h"
#include "base/error.h"

#include <curl/curl.h>
#include <string.h>
#include <zlib.h>

#define CONNECT_TIMEOUT_MS 5000
#define ATTEMPT_TIMEOUT_MS 60000

/* Signatures hold for five minutes around the server's time, some for fifteen. */
#define TOLERATED_SKEW_S (4 * 60)

void
aws_answer_clear(AwsAnswer *answer)
{
    http_response_free(answer->response);
    *answer = (AwsAnswer){0};
}

/* --- where a bucket is ------------------------------------------------------------ */

static char *
region_of_bucket(AwsClient *client, const char *bucket)
{
    pthread_mutex_lock(&client->mutex);
    const char *known = bucket != NULL ? g_hash_table_lookup(client->bucket_regions, bucket) : NULL;
    char *region = g_strdup(known != NULL ? known : client->region);
    pthread_mutex_unlock(&client->mutex);
    return region;
}

static void
remember_bucket(AwsClient *client, const char *bucket, const char *region)
{
    pthread_mutex_lock(&client->mutex);
    g_hash_table_replace(client->bucket_regions, g_strdup(bucket), g_strdup(region));
    pthread_mutex_unlock(&client->mutex);
}

/* --- one attempt ------------------------------------------------------------------ */

/* What a call has tried so far. */
typedef struct
{
    AwsClient *client;
    const AwsCall *call;
    Cancel *cancel;
    AwsPatience patience;
    char *region;
    int sent;
    bool clock_mended;
    bool keys_renewed;
    bool region_changed;
} Course;

typedef struct
{
    AwsKeys *keys;
    gint64 time_s;          /* that was signed */
    HttpResponse *response; /* NULL: none came */
    GError *problem;        /* why none came */
    bool unsent;
    bool begun;
    AwsFailure failure; /* when it is not a success */
} Attempt;

static void
attempt_clear(Attempt *attempt)
{
    aws_keys_free(attempt->keys);
    http_response_free(attempt->response);
    g_clear_error(&attempt->problem);
    aws_failure_clear(&attempt->failure);
    *attempt = (Attempt){0};
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Attempt, attempt_clear)

static bool
has_succeeded(const Attempt *attempt)
{
    return attempt->response != NULL && attempt->response->status / 100 == 2;
}

static const char *
method_of(const AwsCall *call)
{
    return call->method != NULL ? call->method : "POST";
}

/* Those of the protocol, then the call's own.  Yours. */
static char **
headers_of(const AwsCall *call)
{
    const AwsServiceFacts *facts = aws_service_facts(call->service);
    g_autoptr(GStrvBuilder) headers = g_strv_builder_new();

    if (facts->content_type != NULL)
    {
        g_autofree char *type = g_strconcat("Content-Type: ", facts->content_type, NULL);
        g_strv_builder_add(headers, type);
    }
    if (facts->protocol == AWS_PROTOCOL_JSON)
    {
        g_autofree char *target =
            g_strconcat("X-Amz-Target: ", facts->target, call->operation, NULL);
        g_strv_builder_add(headers, target);
    }
    if (facts->protocol == AWS_PROTOCOL_REST_JSON)
        g_strv_builder_add(headers, "Accept: application/json");
    if (call->headers != NULL)
        for (size_t i = 0; call->headers[i] != NULL; i++)
            g_strv_builder_add(headers, call->headers[i]);
    return g_strv_builder_end(headers);
}

static char **
sign(const Attempt *attempt, const AwsCall *call, const AwsEndpoint *endpoint, const char *path)
{
    g_auto(GStrv) headers = headers_of(call);
    const AwsSignable request = {
        .method = method_of(call),
        .host = endpoint->host,
        .path = path,
        .query = call->query,
        .headers = (const char *const *) headers,
        .body = call->body,
        .body_bytes = call->body_bytes,
    };
    const AwsScope scope = {
        .service = aws_service_facts(call->service)->signing_name,
        .region = endpoint->region,
        .time_s = attempt->time_s,
        .path = call->service == AWS_S3 ? AWS_PATH_S3 : AWS_PATH_NORMAL,
    };
    return aws_sign(&request, &scope, attempt->keys);
}

static bool
is_whole(const HttpResponse *response)
{
    const char *text = http_header(response, "x-amz-crc32");
    guint64 expected = 0;

    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &expected, NULL))
        return true;
    const GString *body = response->body;
    return crc32_z(0, (const unsigned char *) body->str, body->len) == expected;
}

static void
send_signed(Attempt *attempt, const Course *course, const AwsEndpoint *endpoint)
{
    const AwsCall *call = course->call;
    const int timeout_ms = call->total_timeout_ms > 0 ? call->total_timeout_ms : ATTEMPT_TIMEOUT_MS;
    g_autofree char *path =
        g_strconcat(endpoint->path, call->path != NULL ? call->path : "/", NULL);
    g_autofree char *url = g_strconcat(
        endpoint->scheme, "://", endpoint->host, path, call->query != NULL ? "?" : "", call->query,
        NULL);
    g_auto(GStrv) headers = sign(attempt, call, endpoint, path);
    const HttpRequest request = {
        .method = method_of(call),
        .url = url,
        .headers = (const char *const *) headers,
        .body = call->body,
        .body_bytes = call->body_bytes,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .idle_timeout_ms = timeout_ms,
        .total_timeout_ms = timeout_ms,
        .max_bytes = call->max_bytes,
        .once = call->once,
        .unsent = &attempt->unsent,
        .begun = &attempt->begun,
    };
    attempt->response = http_fetch_to_fd(
        course->client->http, &request, call->fd > 0 ? call->fd : -1, course->cancel,
        &attempt->problem);
}

/* A checksum covers a whole body; one that went to a descriptor is not here any more. */
static void
check_whole(Attempt *attempt, const AwsCall *call)
{
    if (attempt->response == NULL || is_whole(attempt->response) ||
        (call->fd > 0 && has_succeeded(attempt)))
        return;
    g_autofree char *host = http_host_of(attempt->response->url);
    g_set_error(
        &attempt->problem, VF_ERROR, VF_ERROR_CONNECT,
        "the answer of %s was damaged on its way: its checksum is another", host);
    g_clear_pointer(&attempt->response, http_response_free);
}

/* False when nothing could be sent: no keys, no such place, the end of the run. */
static bool
make_attempt(Attempt *attempt, Course *course, GError **error)
{
    AwsClient *client = course->client;
    const AwsCall *call = course->call;
    g_autoptr(AwsEndpoint) endpoint =
        aws_endpoint(client->places, call->service, course->region, call->bucket, error);
    if (endpoint == NULL)
        return false;
    attempt->keys = aws_credentials_get(client->credentials, course->cancel, error);
    if (attempt->keys == NULL)
        return false;
    attempt->time_s =
        client->timing->now_s(client->timing->data) + atomic_load(&client->clock_offset_s);

    send_signed(attempt, course, endpoint);
    course->sent++;
    if (!cancel_check(course->cancel, error))
        return false;
    check_whole(attempt, call);
    if (attempt->response == NULL)
        aws_failure_read_problem(&attempt->failure, attempt->problem);
    else if (!has_succeeded(attempt))
        aws_failure_read(&attempt->failure, call->service, attempt->response, attempt->keys);
    return true;
}

/* --- remedies --------------------------------------------------------------------- */

/* How much later the server's clock is than what was signed; 0 when it does not say. */
static gint64
skew_s(const Attempt *attempt)
{
    const char *date = http_header(attempt->response, "Date");
    const time_t servers = date != NULL ? curl_getdate(date, NULL) : -1;
    return servers != -1 ? (gint64) servers - attempt->time_s : 0;
}

static bool
is_beyond_tolerance(gint64 skew)
{
    return skew > TOLERATED_SKEW_S || skew < -TOLERATED_SKEW_S;
}

static bool
mend_clock(Course *course, const Attempt *attempt)
{
    AwsClient *client = course->client;
    const gint64 skew = skew_s(attempt);

    if (course->clock_mended || !is_beyond_tolerance(skew))
        return false;
    course->clock_mended = true;
    const gint64 now_s = client->timing->now_s(client->timing->data);
    atomic_store(&client->clock_offset_s, attempt->time_s + skew - now_s);
    return true;
}

/* Whether the source gives others than those that were refused. */
static bool
renew_keys(Course *course, const Attempt *attempt)
{
    AwsCredentials *credentials = course->client->credentials;

    if (course->keys_renewed)
        return false;
    course->keys_renewed = true;
    aws_credentials_refused(credentials, attempt->keys);
    g_autoptr(AwsKeys) keys = aws_credentials_get(credentials, course->cancel, NULL);
    return keys != NULL && !aws_keys_are_same(keys, attempt->keys);
}

static bool
change_region(Course *course, const Attempt *attempt)
{
    const char *region = attempt->failure.region;

    if (course->region_changed || strcmp(region, course->region) == 0)
        return false;
    course->region_changed = true;
    g_free(course->region);
    course->region = g_strdup(region);
    return true;
}

/* True when something was put right, and another attempt may follow at once. */
static bool
is_remedied(Course *course, const Attempt *attempt)
{
    switch (attempt->failure.kind)
    {
    case AWS_FAILURE_CLOCK:
        return mend_clock(course, attempt) || renew_keys(course, attempt);
    case AWS_FAILURE_KEYS:
        return renew_keys(course, attempt);
    case AWS_FAILURE_REGION:
        return change_region(course, attempt);
    case AWS_FAILURE_FINAL:
    case AWS_FAILURE_THROTTLED:
    case AWS_FAILURE_TRANSIENT:
        return false;
    }
    return false;
}

/* --- patience --------------------------------------------------------------------- */

/* What was written to a descriptor cannot be taken back. */
static bool
may_be_repeated(const AwsCall *call, const Attempt *attempt)
{
    const AwsFailureKind kind = attempt->failure.kind;

    if (kind != AWS_FAILURE_THROTTLED && kind != AWS_FAILURE_TRANSIENT)
        return false;
    if (call->fd > 0 && attempt->begun)
        return false;
    return !call->once || attempt->unsent || kind == AWS_FAILURE_THROTTLED;
}

/* In the header's milliseconds, or in the ordinary one's seconds. */
static gint64
servers_wish_ms(const HttpResponse *response)
{
    const char *text = response != NULL ? http_header(response, "x-amz-retry-after") : NULL;
    guint64 wish_ms = 0;

    if (response == NULL)
        return -1;
    if (text != NULL && g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT32, &wish_ms, NULL))
        return (gint64) wish_ms;
    return http_retry_after_ms(response);
}

static bool
wait_for_another(Course *course, const Attempt *attempt)
{
    const AwsTiming *timing = course->client->timing;
    const bool throttled = attempt->failure.kind == AWS_FAILURE_THROTTLED;
    gint64 wait_ms = 0;

    return may_be_repeated(course->call, attempt) &&
           aws_patience_again(
               &course->patience, throttled, servers_wish_ms(attempt->response), &wait_ms) &&
           timing->wait(timing->data, wait_ms, course->cancel);
}

/* --- the end ---------------------------------------------------------------------- */

static void
add_hint(const Course *course, const Attempt *attempt, GError **error)
{
    const AwsFailure *failure = &attempt->failure;
    AwsCredentials *credentials = course->client->credentials;
    g_autofree char *origin = aws_credentials_origin(credentials);

    if (failure->foreign)
        vf_error_hint(error, "is a proxy in between, or the endpoint not AWS's?");
    else if (failure->kind == AWS_FAILURE_CLOCK && is_beyond_tolerance(skew_s(attempt)))
        vf_error_hint(error, "this machine's clock is wrong: set it");
    else if (failure->kind == AWS_FAILURE_CLOCK)
        vf_error_hint(
            error, "the secret key (from %s) does not fit, or the region is another",
            origin != NULL ? origin : "its source");
    else if (failure->kind == AWS_FAILURE_KEYS)
        vf_error_hint(
            error, "the credentials (from %s) are expired or unknown: log in again",
            origin != NULL ? origin : "their source");
    else if (failure->kind == AWS_FAILURE_REGION)
        vf_error_hint(error, "the bucket is in region %s", failure->region);
}

static void
set_failure(const Course *course, Attempt *attempt, GError **error)
{
    const AwsFailure *failure = &attempt->failure;
    const AwsCall *call = course->call;
    g_autofree char *attempts =
        course->patience.failures > 0 ? g_strdup_printf(", %d attempts", course->sent) : NULL;

    if (attempt->response == NULL)
        g_propagate_error(error, g_steal_pointer(&attempt->problem));
    else
        g_set_error(
            error, VF_ERROR, (int) failure->error, "%s%s%s", failure->code,
            failure->code[0] != '\0' ? ": " : "", failure->message);
    g_prefix_error(
        error, "%s %s%s: ", aws_service_facts(call->service)->name, call->operation,
        attempts != NULL ? attempts : "");
    if (attempt->response != NULL)
        add_hint(course, attempt, error);
}

static void
hand_over(AwsAnswer *answer, Attempt *attempt)
{
    aws_answer_clear(answer);
    answer->status = attempt->response != NULL ? attempt->response->status : 0;
    answer->unsent = attempt->unsent;
    g_strlcpy(answer->code, attempt->failure.code, sizeof answer->code);
    answer->response = g_steal_pointer(&attempt->response);
}

static void
end_well(const Course *course)
{
    const AwsCall *call = course->call;

    aws_patience_rewarded(&course->patience);
    if (course->region_changed)
        remember_bucket(course->client, call->bucket, course->region);
}

static bool
run_course(Course *course, AwsAnswer *answer, GError **error)
{
    for (;;)
    {
        g_auto(Attempt) attempt = {.unsent = true};
        if (!make_attempt(&attempt, course, error))
        {
            answer->unsent = attempt.unsent;
            return false;
        }

        const bool ok = has_succeeded(&attempt);
        if (!ok && (is_remedied(course, &attempt) || wait_for_another(course, &attempt)))
            continue;
        if (ok)
            end_well(course);
        else if (cancel_check(course->cancel, error))
            set_failure(course, &attempt, error);
        hand_over(answer, &attempt);
        return ok;
    }
}

bool
aws_call(AwsClient *client, const AwsCall *call, AwsAnswer *answer, Cancel *cancel, GError **error)
{
    Course course = {
        .client = client,
        .call = call,
        .cancel = cancel,
        .patience =
            {
                .quota = client->quota,
                .timing = client->timing,
                .attempts = call->attempts > 0 ? call->attempts : client->attempts,
            },
        .region = region_of_bucket(client, call->bucket),
    };

    aws_answer_clear(answer);
    const bool ok = run_course(&course, answer, error);
    g_free(course.region);
    return ok;
}
