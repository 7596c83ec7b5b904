#include "aws/source.h"

#include "base/error.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_SECRET_BYTES 20000
#define MAX_QUOTE_COLUMNS 300

/* ------------------------------------------------------------------------------------------
 * The order
 * ------------------------------------------------------------------------------------------ */

typedef enum
{
    OF_ENVIRONMENT,
    OF_PROFILE_ROLE,
    OF_PROFILE,
    OF_MACHINE,
} SourceKind;

static const struct
{
    SourceKind kind;
    AwsSource keys;
} SOURCES[] = {
    {OF_ENVIRONMENT, aws_environment_keys},  {OF_PROFILE_ROLE, aws_role_keys},
    {OF_PROFILE, aws_web_identity_keys},     {OF_PROFILE, aws_sso_keys},
    {OF_PROFILE, aws_credentials_file_keys}, {OF_PROFILE, aws_process_keys},
    {OF_PROFILE, aws_config_file_keys},      {OF_MACHINE, aws_container_keys},
    {OF_MACHINE, aws_instance_keys},
};

static void
set_unknown_profile(const AwsSearch *search, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "there is no profile \"%s\" in %s or %s", search->profile,
        aws_file_path(search->files, AWS_CONFIG_FILE),
        aws_file_path(search->files, AWS_CREDENTIALS_FILE));
    vf_error_hint(error, "`aws configure list-profiles` shows the profiles there are");
}

static void
set_nowhere(const AwsSearch *search, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH,
        "found no AWS credentials: not in %sprofile \"%s\" of %s and %s, nor from a container's "
        "endpoint, nor from an instance's metadata%s",
        search->profile_named ? "" : "the environment, ", search->profile,
        aws_file_path(search->files, AWS_CREDENTIALS_FILE),
        aws_file_path(search->files, AWS_CONFIG_FILE),
        g_strcmp0(g_getenv("AWS_EC2_METADATA_DISABLED"), "true") == 0 ? " (switched off)" : "");
    vf_error_hint(
        error, "run `aws configure` or `aws sso login`, or set AWS_ACCESS_KEY_ID and "
               "AWS_SECRET_ACCESS_KEY");
}

/* Asks one source.  True when it had its say: keys, or an error. */
static bool
ask_one(
    AwsSource source, const AwsSearch *search, AwsKeys **keys, char **origin, Cancel *cancel,
    GError **error)
{
    g_autoptr(GError) problem = NULL;

    *keys = source(search, origin, cancel, &problem);
    if (problem == NULL)
        return *keys != NULL;
    g_propagate_error(error, g_steal_pointer(&problem));
    return true;
}

AwsKeys *
aws_find_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    AwsKeys *keys = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(SOURCES); i++)
    {
        if (SOURCES[i].kind == OF_ENVIRONMENT && search->profile_named)
            continue;
        if (SOURCES[i].kind == OF_PROFILE_ROLE && strcmp(search->profile, "default") != 0 &&
            !aws_has_profile(search->files, search->profile))
        {
            set_unknown_profile(search, error);
            return NULL;
        }
        if (ask_one(SOURCES[i].keys, search, &keys, origin, cancel, error))
            return keys;
    }
    set_nowhere(search, error);
    return NULL;
}

AwsKeys *
aws_find_profile_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    AwsKeys *keys = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(SOURCES); i++)
        if (SOURCES[i].kind == OF_PROFILE &&
            ask_one(SOURCES[i].keys, search, &keys, origin, cancel, error))
            return keys;
    g_set_error(
        error, VF_ERROR, VF_ERROR_DENIED, "profile \"%s\" has no credentials", search->profile);
    return NULL;
}

/* ------------------------------------------------------------------------------------------
 * Texts
 * ------------------------------------------------------------------------------------------ */

const char *
aws_variable(const char *name)
{
    const char *value = g_getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

char *
aws_quote(const char *text)
{
    g_autofree char *line = g_strndup(text, strcspn(text, "\r\n"));
    g_autofree char *valid = g_utf8_make_valid(g_strstrip(line), -1);
    return text_cut(valid, MAX_QUOTE_COLUMNS);
}

AwsSecret *
aws_read_secret(const char *path, const char *what, GError **error)
{
    char bytes[MAX_SECRET_BYTES + 1];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    size_t length = 0;
    ssize_t got = fd >= 0 ? 1 : -1;
    AwsSecret *secret = NULL;

    while (got > 0 && length < sizeof bytes)
    {
        got = read(fd, bytes + length, sizeof bytes - length);
        length += got > 0 ? (size_t) got : 0;
    }
    const int problem = errno;
    if (fd >= 0)
        close(fd);
    if (got < 0)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not read %s from %s: %s", what, path,
            g_strerror(problem));
    else if (length > MAX_SECRET_BYTES)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "%s in %s is longer than %d bytes", what, path,
            MAX_SECRET_BYTES);
    else
        secret = g_strstrip(g_strndup(bytes, length));
    explicit_bzero(bytes, length);
    return secret;
}

/* ------------------------------------------------------------------------------------------
 * Calls
 * ------------------------------------------------------------------------------------------ */

AwsKeys *
aws_ask_patiently(const RetryPolicy *policy, AwsAsk ask, void *data, Cancel *cancel, GError **error)
{
    Retry retry = {.policy = policy};

    for (;;)
    {
        GError *problem = NULL;
        gint64 wait_ms = 0;
        g_autoptr(AwsKeys) keys = ask(data, cancel, &problem);
        if (keys != NULL)
            return g_steal_pointer(&keys);
        if (!retry_again(&retry, problem, &wait_ms) || !cancel_sleep(cancel, wait_ms))
        {
            g_propagate_error(error, problem);
            return NULL;
        }
        g_error_free(problem);
    }
}

void
aws_response_free(SecretResponse *response)
{
    if (response != NULL && response->body != NULL)
        explicit_bzero(response->body->str, response->body->len);
    http_response_free(response);
}

SecretResponse *
aws_fetch(HttpClient *client, const HttpRequest *request, Cancel *cancel, GError **error)
{
    GError *problem = NULL;
    SecretResponse *response = http_fetch(client, request, cancel, &problem);

    /* Elsewhere that code means: skip this document. */
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT))
        problem->code = VF_ERROR_FAILED;
    if (problem != NULL)
        g_propagate_error(error, problem);
    return response;
}

HttpClient *
aws_open_client(void)
{
    return http_client_new(&(HttpPolicy){.allow_private = true});
}

/* "127.0.0.1:80", "[::1]:80" for any spelling of an address; NULL for a name. */
static char *
literal_place(const char *host, int port)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr in;
    struct in6_addr in6;

    if (inet_pton(AF_INET, host, &in) == 1)
        return g_strdup_printf("%s:%d", inet_ntop(AF_INET, &in, text, sizeof text), port);
    if (inet_pton(AF_INET6, host, &in6) == 1)
        return g_strdup_printf("[%s]:%d", inet_ntop(AF_INET6, &in6, text, sizeof text), port);
    return NULL;
}

HttpClient *
aws_narrow_client(const char *url)
{
    g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_NONE, NULL);
    const char *host = uri != NULL ? g_uri_get_host(uri) : "";
    const int given_port = uri != NULL ? g_uri_get_port(uri) : -1;
    const int port = given_port > 0 ? given_port : 80;
    const bool local = g_ascii_strcasecmp(host, "localhost") == 0;
    g_autofree char *first = literal_place(local ? "127.0.0.1" : host, port);
    g_autofree char *second = local ? literal_place("::1", port) : NULL;
    const char *const allowed[] = {first, second, NULL};

    return http_client_new(&(HttpPolicy){.allowed_addresses = allowed});
}

/* What the user wants instead of AWS's own address.  Borrowed. */
static const char *
configured_endpoint(const AwsFiles *files, const char *profile, const char *id)
{
    g_autofree char *variable = g_strconcat("AWS_ENDPOINT_URL_", id, NULL);
    g_autofree char *group = g_ascii_strdown(id, -1);
    const char *services = aws_profile_value(files, profile, "services");
    const char *ignored = aws_variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");

    if (ignored != NULL && g_ascii_strcasecmp(ignored, "true") == 0)
        return NULL;
    if (aws_variable(variable) != NULL)
        return aws_variable(variable);
    if (aws_variable("AWS_ENDPOINT_URL") != NULL)
        return aws_variable("AWS_ENDPOINT_URL");
    const char *nested = services != NULL
                             ? aws_nested_value(files, "services", services, group, "endpoint_url")
                             : NULL;
    return nested != NULL ? nested : aws_profile_value(files, profile, "endpoint_url");
}

/* A region becomes part of a host's name. */
static bool
is_region(const char *region)
{
    return *region != '\0' &&
           strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(region);
}

char *
aws_source_endpoint(
    const AwsFiles *files, const char *profile, const char *id, const char *host,
    const char *region, GError **error)
{
    const char *configured = configured_endpoint(files, profile, id);

    if (configured != NULL && http_is_address(configured))
    {
        char *url = g_strdup(configured);
        for (size_t length = strlen(url); length > 0 && url[length - 1] == '/'; length--)
            url[length - 1] = '\0';
        return url;
    }
    if (configured != NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the endpoint configured for %s is no http address",
            id);
        return NULL;
    }
    if (!is_region(region))
    {
        g_autofree char *shown = aws_quote(region);
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is no region of AWS", shown);
        return NULL;
    }
    return g_strdup_printf(
        "https://%s.%s.amazonaws.com%s", host, region,
        g_str_has_prefix(region, "cn-") ? ".cn" : "");
}
