#include "aws/endpoint.h"

#include "aws/setting.h"
#include "base/error.h"
#include "http/http.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* --- what is configured ----------------------------------------------------------- */

/* The service's own address in the services section that the profile names. */
static const char *
url_in_services(const AwsFiles *files, const char *profile, const char *service)
{
    const char *section = aws_profile_value(files, profile, "services");
    if (section == NULL)
        return NULL;
    return aws_nested_value(files, "services", section, service, "endpoint_url");
}

typedef struct
{
    const char *url;   /* borrowed */
    const char *where; /* borrowed */
} Found;

static Found
configured_url(
    const AwsFiles *files, const char *profile, const char *service, const char *variable)
{
    const Found places[] = {
        {g_getenv(variable), variable},
        {g_getenv("AWS_ENDPOINT_URL"), "AWS_ENDPOINT_URL"},
        {url_in_services(files, profile, service), "endpoint_url of the services section"},
        {aws_profile_value(files, profile, "endpoint_url"), "endpoint_url of the profile"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        if (places[i].url != NULL && *places[i].url != '\0')
            return places[i];
    return (Found){NULL, NULL};
}

/* A query or a fragment would come before the call's path. */
static bool
check_url(const Found *found, GError **error)
{
    if (found->url == NULL || (http_is_address(found->url) && strstr(found->url, "://") != NULL &&
                               strpbrk(found->url, "?#\\ ") == NULL))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "%s is not the http address of a server", found->where);
    return false;
}

static bool
read_urls(
    AwsPlaces *places, const AwsFiles *files, const char *profile, const char *url, GError **error)
{
    const bool ignored = aws_setting_is_true(
        files, profile, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");

    for (int i = 0; i < AWS_SERVICES; i++)
    {
        const char *name = aws_service_facts((AwsService) i)->setting;
        g_autofree char *capitals = g_ascii_strup(name, -1);
        g_autofree char *variable = g_strconcat("AWS_ENDPOINT_URL_", capitals, NULL);
        Found found = {url, "the endpoint"};

        if (url == NULL && !ignored)
            found = configured_url(files, profile, name, variable);
        if (!check_url(&found, error))
            return false;
        places->urls[i] = g_strdup(found.url);
    }
    return true;
}

AwsPlaces *
aws_places_read(const AwsFiles *files, const char *profile, const char *url, GError **error)
{
    g_autoptr(AwsPlaces) places = g_new0(AwsPlaces, 1);

    if (!read_urls(places, files, profile, url, error))
        return NULL;
    places->fips =
        aws_setting_is_true(files, profile, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
    places->dual_stack =
        aws_setting_is_true(files, profile, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
    return g_steal_pointer(&places);
}

void
aws_places_free(AwsPlaces *places)
{
    if (places == NULL)
        return;
    for (int i = 0; i < AWS_SERVICES; i++)
        g_free(places->urls[i]);
    g_free(places);
}

/* --- AWS's own hosts -------------------------------------------------------------- */

typedef struct
{
    const char *prefix; /* of its regions' names */
    const char *suffix;
    const char *dual_stack_suffix;
    const char *iam_host; /* NULL: as another service */
    const char *iam_fips_host;
    const char *iam_region; /* NULL: the caller's */
} Partition;

static const Partition PARTITIONS[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", "iam.cn-north-1.amazonaws.com.cn",
     "iam-fips.amazonaws.com.cn", "cn-north-1"},
    {"us-gov-", "amazonaws.com", "api.aws", "iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com",
     "us-gov-west-1"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", NULL, NULL, NULL},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", NULL, NULL, NULL},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", NULL, NULL, NULL},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", NULL, NULL, NULL},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", NULL, NULL, NULL},
    {"", "amazonaws.com", "api.aws", "iam.amazonaws.com", "iam-fips.amazonaws.com", "us-east-1"},
};

static const Partition *
partition_of(const char *region)
{
    size_t i = 0;
    while (!g_str_has_prefix(region, PARTITIONS[i].prefix))
        i++;
    return &PARTITIONS[i];
}

static char *
s3_host(const AwsPlaces *places, const char *region, const Partition *partition)
{
    return g_strdup_printf(
        "s3%s%s.%s.%s", places->fips ? "-fips" : "", places->dual_stack ? ".dualstack" : "", region,
        partition->suffix);
}

static char *
regional_host(
    const AwsPlaces *places, const AwsServiceFacts *facts, const char *region,
    const Partition *partition)
{
    const bool is_gov = strcmp(partition->prefix, "us-gov-") == 0;
    const bool is_isolated = !g_str_has_prefix(partition->suffix, "amazonaws.com");
    const bool dual_stack = places->dual_stack && (is_isolated || !facts->plain_dual_stack);
    const bool plain = facts->plain_fips_in_gov && is_gov && !dual_stack;

    return g_strdup_printf(
        "%s%s.%s.%s", facts->host, places->fips && !plain ? "-fips" : "", region,
        dual_stack ? partition->dual_stack_suffix : partition->suffix);
}

/* IAM's hosts with IPv6 follow no rule; the ordinary ones serve as well. */
static char *
iam_host(const AwsPlaces *places, const char *region, const Partition *partition)
{
    const AwsPlaces single_stack = {.fips = places->fips};

    if (partition->iam_host == NULL)
        return regional_host(&single_stack, aws_service_facts(AWS_IAM), region, partition);
    return g_strdup(places->fips ? partition->iam_fips_host : partition->iam_host);
}

static char *
own_host(const AwsPlaces *places, AwsService service, const char *region)
{
    const Partition *partition = partition_of(region);

    if (service == AWS_S3)
        return s3_host(places, region, partition);
    if (service == AWS_IAM)
        return iam_host(places, region, partition);
    return regional_host(places, aws_service_facts(service), region, partition);
}

static const char *
signed_region(AwsService service, const char *region)
{
    const char *global = partition_of(region)->iam_region;
    return service == AWS_IAM && global != NULL ? global : region;
}

/* --- buckets ---------------------------------------------------------------------- */

bool
aws_is_region(const char *region)
{
    const size_t length = strlen(region);
    return length > 0 && length <= 40 && strspn(region, LOWER DIGITS "-") == length &&
           region[0] != '-' && region[length - 1] != '-';
}

static bool
is_bucket(const char *bucket)
{
    const size_t length = strlen(bucket);
    return length >= 3 && length <= 255 && strspn(bucket, LOWER UPPER DIGITS ".-_") == length &&
           strspn(bucket, ".") != length;
}

/* Whether the certificate for *.s3.REGION.amazonaws.com is good for it. */
static bool
can_be_host(const char *bucket)
{
    const size_t length = strlen(bucket);
    return length <= 63 && strspn(bucket, LOWER DIGITS "-") == length && bucket[0] != '-' &&
           bucket[length - 1] != '-';
}

static void
prepend(char **text, const char *before)
{
    char *whole = g_strconcat(before, *text, NULL);
    g_free(*text);
    *text = whole;
}

static void
add_bucket(AwsEndpoint *endpoint, const char *bucket, bool own)
{
    g_autofree char *label = g_strconcat(bucket, ".", NULL);

    if (own && can_be_host(bucket))
    {
        prepend(&endpoint->host, label);
        return;
    }
    char *path = g_strconcat(endpoint->path, "/", bucket, NULL);
    g_free(endpoint->path);
    endpoint->path = path;
}

/* --- both ------------------------------------------------------------------------- */

/* The port that everybody takes for granted is not in the Host header. */
static void
cut_suffix(char *text, const char *suffix)
{
    if (g_str_has_suffix(text, suffix))
        text[strlen(text) - strlen(suffix)] = '\0';
}

static void
set_place(AwsEndpoint *endpoint, const char *url)
{
    const char *host = strstr(url, "://") + 3;
    const size_t length = strcspn(host, "/");
    g_autofree char *scheme = g_strndup(url, (gsize) (host - 3 - url));
    g_autofree char *place = g_strndup(host, length);

    endpoint->scheme = g_ascii_strdown(scheme, -1);
    endpoint->host = g_ascii_strdown(place, -1);
    cut_suffix(endpoint->host, strcmp(endpoint->scheme, "https") == 0 ? ":443" : ":80");
    endpoint->path = g_strdup(host + length);
    while (g_str_has_suffix(endpoint->path, "/"))
        cut_suffix(endpoint->path, "/");
}

AwsEndpoint *
aws_endpoint(
    const AwsPlaces *places, AwsService service, const char *region, const char *bucket,
    GError **error)
{
    const char *url = places->urls[service];

    if (!aws_is_region(region))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "\"%.60s\" is not the name of an AWS region", region);
        return NULL;
    }
    if (bucket != NULL && !is_bucket(bucket))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "\"%.80s\" is not the name of a bucket", bucket);
        return NULL;
    }

    AwsEndpoint *endpoint = g_new0(AwsEndpoint, 1);
    endpoint->region = g_strdup(signed_region(service, region));
    if (url != NULL)
    {
        set_place(endpoint, url);
    }
    else
    {
        endpoint->scheme = g_strdup("https");
        endpoint->host = own_host(places, service, region);
        endpoint->path = g_strdup("");
    }
    if (bucket != NULL)
        add_bucket(endpoint, bucket, url == NULL);
    return endpoint;
}

void
aws_endpoint_free(AwsEndpoint *endpoint)
{
    if (endpoint == NULL)
        return;
    g_free(endpoint->scheme);
    g_free(endpoint->host);
    g_free(endpoint->path);
    g_free(endpoint->region);
    g_free(endpoint);
}
