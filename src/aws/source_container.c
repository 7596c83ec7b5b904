/*
 * source_container.c - keys of a task or a pod, from an endpoint beside the container.
 */
#include "aws/keys_json.h"
#include "aws/source.h"
#include "base/error.h"

#include <string.h>

#define TASK_ENDPOINT "http://169.254.170.2"
#define TIMEOUT_MS 2000
#define MAX_ANSWER_BYTES (64 * 1024)

static const RetryPolicy PATIENCE = {.attempts = 3, .first_ms = 500, .longest_ms = 1000};

typedef struct
{
    HttpClient *client;
    const char *url;
    const char *host; /* what may be said of the address */
} Asking;

/* Plain http goes only where no network lies between. */
static bool
is_beside_us(const char *host)
{
    static const char *const HOSTS[] = {
        "localhost", "169.254.170.2", "169.254.170.23", "fd00:ec2::23", "::1", NULL,
    };
    return g_strv_contains(HOSTS, host) ||
           (g_str_has_prefix(host, "127.") && g_hostname_is_ip_address(host));
}

static bool
check_address(const char *url, GError **error)
{
    g_autoptr(GUri) uri = http_is_address(url) ? g_uri_parse(url, G_URI_FLAGS_NONE, NULL) : NULL;

    if (uri == NULL)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is no http address");
        return false;
    }
    if (strcmp(g_uri_get_scheme(uri), "https") == 0 || is_beside_us(g_uri_get_host(uri)))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names the host %s, to which keys must not go over "
        "plain http",
        g_uri_get_host(uri));
    vf_error_hint(
        error, "allowed are https, this machine, 169.254.170.2, 169.254.170.23 and fd00:ec2::23");
    return false;
}

/* Yours; NULL without an error when the environment names none. */
static char *
find_address(GError **error)
{
    const char *relative = aws_variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");

    if (relative != NULL && *relative != '/')
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_USAGE,
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with \"/\"");
        return NULL;
    }
    if (relative != NULL)
        return g_strconcat(TASK_ENDPOINT, relative, NULL);
    return full != NULL && check_address(full, error) ? g_strdup(full) : NULL;
}

/* Read anew for every call: pods get another token now and then.  NULL without an error when none
 * is wanted. */
static AwsSecret *
find_token(GError **error)
{
    const char *path = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *given = aws_variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    AwsSecret *token =
        path != NULL ? aws_read_secret(path, "the container's token", error) : g_strdup(given);

    if (token == NULL || strpbrk(token, "\r\n") == NULL)
        return token;
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_USAGE, "the container's token has a line break in it");
    g_clear_pointer(&token, aws_secret_free);
    return NULL;
}

static AwsKeys *
keys_of_answer(const Asking *asking, const HttpResponse *response, GError **error)
{
    g_autoptr(SecretJson) json = secret_json_read(response->body->str, response->body->len);

    if (response->status == 200 && json != NULL)
        return aws_keys_from_json(json, "Token", error);
    const char *told = json_text(json, "message");
    g_autofree char *message = aws_quote(told != NULL ? told : "");
    g_set_error(
        error, VF_ERROR, response->status >= 500 ? VF_ERROR_BUSY : VF_ERROR_DENIED,
        "%s answered %d%s%s", asking->host, response->status, *message != '\0' ? ": " : "",
        message);
    return NULL;
}

static AwsKeys *
ask(void *data, Cancel *cancel, GError **error)
{
    const Asking *asking = data;
    GError *problem = NULL;
    g_autoptr(AwsSecret) token = find_token(&problem);
    g_autoptr(AwsSecret) authorization = g_strconcat("Authorization: ", token, NULL);
    const char *headers[] = {
        "Accept: application/json", token != NULL ? authorization : NULL, NULL};
    const HttpRequest request = {
        .url = asking->url,
        .headers = headers,
        .connect_timeout_ms = TIMEOUT_MS,
        .total_timeout_ms = TIMEOUT_MS,
        .max_bytes = MAX_ANSWER_BYTES,
    };

    if (problem != NULL)
    {
        g_propagate_error(error, problem);
        return NULL;
    }
    g_autoptr(SecretResponse) response = aws_fetch(asking->client, &request, cancel, error);
    return response != NULL ? keys_of_answer(asking, response, error) : NULL;
}

AwsKeys *
aws_container_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    g_autofree char *url = find_address(error);
    (void) search;

    if (url == NULL)
        return NULL;
    const bool plain = g_str_has_prefix(url, "http:");
    g_autoptr(HttpClient) client = plain ? aws_narrow_client(url) : aws_open_client();
    g_autofree char *host = http_host_of(url);
    Asking asking = {client, url, host};
    AwsKeys *keys = aws_ask_patiently(&PATIENCE, ask, &asking, cancel, error);
    if (keys == NULL)
        g_prefix_error(error, "the container's credentials: ");
    else
        *origin = g_strdup_printf("the container's endpoint %s", host);
    return keys;
}
