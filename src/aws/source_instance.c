/*
 * source_instance.c - keys of a machine's role, from its metadata (IMDS, version 2 first).
 */
#include "aws/keys_json.h"
#include "aws/source.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define ENDPOINT4 "http://169.254.169.254"
#define ENDPOINT6 "http://[fd00:ec2::254]"
#define ROLES "/latest/meta-data/iam/security-credentials/"
#define TOKEN_SECONDS "21600"
#define MAX_ANSWER_BYTES (64 * 1024)

/* For how long keys are used that are old already. */
#define OLD_KEYS_MS (20 * 60 * 1000)

typedef struct
{
    HttpClient *client;
    const char *endpoint;
    int timeout_ms;
    AwsSecret *header; /* with the session's token; NULL: version 1 */
    char *role;
} Metadata;

static bool
is_on(const char *variable)
{
    const char *value = aws_variable(variable);
    return value != NULL && g_ascii_strcasecmp(value, "true") == 0;
}

/* A number of the environment within its limits. */
static int
number_of(const char *variable, int fallback, int most)
{
    const char *text = aws_variable(variable);
    const int number = text != NULL ? atoi(text) : 0;
    return number > 0 ? MIN(number, most) : fallback;
}

static char *
find_endpoint(GError **error)
{
    const char *given = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const char *mode = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");

    if (given == NULL)
        return g_strdup(
            mode != NULL && g_ascii_strcasecmp(mode, "IPv6") == 0 ? ENDPOINT6 : ENDPOINT4);
    if (!http_is_address(given))
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT is no http address");
        return NULL;
    }
    char *endpoint = g_strdup(given);
    for (size_t length = strlen(endpoint); length > 0 && endpoint[length - 1] == '/'; length--)
        endpoint[length - 1] = '\0';
    return endpoint;
}

static SecretResponse *
fetch(
    const Metadata *metadata, const char *method, const char *path, const char *header,
    bool *unsent, Cancel *cancel, GError **error)
{
    g_autofree char *url = g_strconcat(metadata->endpoint, path, NULL);
    const char *headers[] = {header, NULL};
    const HttpRequest request = {
        .method = method,
        .url = url,
        .headers = headers,
        .connect_timeout_ms = metadata->timeout_ms,
        .total_timeout_ms = metadata->timeout_ms,
        .max_bytes = MAX_ANSWER_BYTES,
        .unsent = unsent,
    };
    return aws_fetch(metadata->client, &request, cancel, error);
}

/* True when there is a machine's metadata to ask; with a session's token where it gives one. */
static bool
begin_session(Metadata *metadata, bool *there, Cancel *cancel, GError **error)
{
    GError *problem = NULL;
    bool unsent = false;
    g_autoptr(SecretResponse) response = fetch(
        metadata, "PUT", "/latest/api/token",
        "x-aws-ec2-metadata-token-ttl-seconds: " TOKEN_SECONDS, &unsent, cancel, &problem);
    const int status = response != NULL ? response->status : 0;

    *there = !unsent;
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
    {
        g_propagate_error(error, problem);
        return false;
    }
    g_clear_error(&problem);
    if (status == 200)
    {
        g_autoptr(AwsSecret) token = g_strstrip(g_strdup(response->body->str));
        metadata->header = g_strconcat("x-aws-ec2-metadata-token: ", token, NULL);
        return true;
    }
    if (unsent)
        return true;

    /* In a container the answer is lost on its way when the hop limit is 1. */
    const bool older = status == 0 || status == 403 || status == 404 || status == 405;
    if (older && !is_on("AWS_EC2_METADATA_V1_DISABLED"))
        return true;
    g_set_error(
        error, VF_ERROR, status == 0 || status >= 500 ? VF_ERROR_CONNECT : VF_ERROR_DENIED,
        "it gave no session (%s)", status == 0 ? "no answer" : "refused");
    return false;
}

/* The name of the machine's role is the answer's first line.  False without an error when it has
 * none. */
static bool
find_role(Metadata *metadata, Cancel *cancel, GError **error)
{
    GError *problem = NULL;
    g_autoptr(SecretResponse) response =
        fetch(metadata, NULL, ROLES, metadata->header, NULL, cancel, &problem);

    if (response == NULL && metadata->header == NULL &&
        g_error_matches(problem, VF_ERROR, VF_ERROR_CONNECT))
    {
        g_error_free(problem); /* silent in both versions: no metadata here */
        return false;
    }
    if (response == NULL)
    {
        g_propagate_error(error, problem);
        return false;
    }
    if (response->status == 404)
        return false;
    if (response->status != 200)
    {
        g_set_error(
            error, VF_ERROR, response->status >= 500 ? VF_ERROR_BUSY : VF_ERROR_DENIED,
            "it answered %d when asked for the machine's role", response->status);
        return false;
    }
    metadata->role = aws_quote(response->body->str);
    return *metadata->role != '\0';
}

/* During an outage old keys are handed out, which are accepted then. */
static AwsKeys *
kept_alive(AwsKeys *keys)
{
    const gint64 now_ms = g_get_real_time() / 1000;
    if (keys != NULL && keys->expires_ms <= now_ms)
        keys->expires_ms = now_ms + OLD_KEYS_MS;
    return keys;
}

static AwsKeys *
fetch_keys(const Metadata *metadata, Cancel *cancel, GError **error)
{
    g_autofree char *name = g_uri_escape_string(metadata->role, NULL, false);
    g_autofree char *path = g_strconcat(ROLES, name, NULL);
    g_autoptr(SecretResponse) response =
        fetch(metadata, NULL, path, metadata->header, NULL, cancel, error);

    if (response == NULL)
        return NULL;
    g_autoptr(SecretJson) json = secret_json_read(response->body->str, response->body->len);
    const char *code = json_text(json, "Code");
    if (response->status == 200 && json != NULL && (code == NULL || strcmp(code, "Success") == 0))
        return kept_alive(aws_keys_from_json(json, "Token", error));
    g_autofree char *shown = aws_quote(code != NULL ? code : "no keys");
    g_set_error(
        error, VF_ERROR, response->status >= 500 ? VF_ERROR_BUSY : VF_ERROR_DENIED,
        "it answered %d for the role %s: %s", response->status, metadata->role, shown);
    return NULL;
}

static AwsKeys *
ask(void *data, Cancel *cancel, GError **error)
{
    Metadata *metadata = data;
    GError *problem = NULL;
    bool there = false;

    g_clear_pointer(&metadata->header, aws_secret_free);
    g_clear_pointer(&metadata->role, g_free);
    if (begin_session(metadata, &there, cancel, &problem) && there)
        find_role(metadata, cancel, &problem);
    if (problem == NULL && metadata->role != NULL && *metadata->role != '\0')
        return fetch_keys(metadata, cancel, error);
    if (problem == NULL)
        g_set_error_literal(&problem, VF_ERROR, VF_ERROR_MISMATCH, "there is none");
    g_propagate_error(error, problem);
    return NULL;
}

AwsKeys *
aws_instance_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    const RetryPolicy patience = {
        .attempts = number_of("AWS_METADATA_SERVICE_NUM_ATTEMPTS", 1, 10),
        .first_ms = 200,
        .longest_ms = 1000,
    };
    GError *problem = NULL;
    (void) search;

    if (is_on("AWS_EC2_METADATA_DISABLED"))
        return NULL;
    g_autofree char *endpoint = find_endpoint(error);
    if (endpoint == NULL)
        return NULL;
    const bool usual = aws_variable("AWS_EC2_METADATA_SERVICE_ENDPOINT") == NULL;
    g_autoptr(HttpClient) client = usual ? aws_narrow_client(endpoint) : aws_open_client();
    Metadata metadata = {
        .client = client,
        .endpoint = endpoint,
        .timeout_ms = number_of("AWS_METADATA_SERVICE_TIMEOUT", 1, 60) * 1000,
    };
    AwsKeys *keys = aws_ask_patiently(&patience, ask, &metadata, cancel, &problem);
    if (keys != NULL)
        *origin = g_strdup_printf("the instance's role %s", metadata.role);
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_MISMATCH))
        g_clear_error(&problem); /* no machine of EC2, or one without a role */
    if (problem != NULL)
    {
        g_prefix_error(&problem, "the instance's metadata: ");
        g_propagate_error(error, problem);
    }
    aws_secret_free(metadata.header);
    g_free(metadata.role);
    return keys;
}
