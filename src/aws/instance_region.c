#include "aws/instance_region.h"

#include "aws/setting.h"
#include "http/http.h"

#include <string.h>

#define TIMEOUT_MS 1000
#define TTL "X-aws-ec2-metadata-token-ttl-seconds: 60"

static const char *
service_url(const AwsFiles *files, const char *profile)
{
    const char *url = aws_setting(
        files, profile, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode = aws_setting(
        files, profile, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        "ec2_metadata_service_endpoint_mode");

    if (url != NULL)
        return url;
    return mode != NULL && g_ascii_strcasecmp(mode, "IPv6") == 0 ? "http://[fd00:ec2::254]"
                                                                 : "http://169.254.169.254";
}

static bool
is_disabled(void)
{
    const char *text = g_getenv("AWS_EC2_METADATA_DISABLED");
    return text != NULL && g_ascii_strcasecmp(text, "true") == 0;
}

/* The answer's text, yours; NULL when there is none. */
static char *
ask(HttpClient *http, const char *method, const char *base, const char *path, const char *header,
    Cancel *cancel)
{
    const bool slash = g_str_has_suffix(base, "/");
    g_autofree char *url = g_strconcat(base, slash ? "" : "/", path, NULL);
    const char *const headers[] = {header, NULL};
    const HttpRequest request = {
        .method = method,
        .url = url,
        .headers = headers,
        .connect_timeout_ms = TIMEOUT_MS,
        .total_timeout_ms = TIMEOUT_MS,
        .max_bytes = 4096,
    };
    g_autoptr(HttpResponse) response = http_fetch(http, &request, cancel, NULL);

    if (response == NULL || response->status != 200 || strpbrk(response->body->str, "\r\n") != NULL)
        return NULL;
    return g_strdup(response->body->str);
}

char *
aws_instance_region(const AwsFiles *files, const char *profile, Cancel *cancel)
{
    const HttpPolicy policy = {.allow_private = true};
    const char *base = service_url(files, profile);
    if (is_disabled() || !http_is_address(base))
        return NULL;

    g_autoptr(HttpClient) http = http_client_new(&policy);
    g_autofree char *token = ask(http, "PUT", base, "latest/api/token", TTL, cancel);
    if (token == NULL)
        return NULL;
    g_autofree char *header = g_strconcat("X-aws-ec2-metadata-token: ", token, NULL);
    return ask(http, "GET", base, "latest/meta-data/placement/region", header, cancel);
}
