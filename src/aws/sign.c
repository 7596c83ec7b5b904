#include "aws/sign.h"

#include "aws/canonical.h"

#include <string.h>
#include <time.h>

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SHA256_BYTES 32

/* What one signature is made with. */
typedef struct
{
    char time[20]; /* 20150830T123600Z */
    char *scope;   /* 20150830/us-east-1/service/aws4_request */
} Signing;

static void
signing_clear(Signing *signing)
{
    g_free(signing->scope);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Signing, signing_clear)

static Signing
signing_of(const AwsScope *scope)
{
    Signing signing = {0};
    const time_t seconds = scope->time_s;
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(signing.time, sizeof signing.time, "%Y%m%dT%H%M%SZ", &tm);
    signing.scope =
        g_strdup_printf("%.8s/%s/%s/aws4_request", signing.time, scope->region, scope->service);
    return signing;
}

static void
hmac(const guint8 *key, size_t key_length, const char *text, guint8 result[SHA256_BYTES])
{
    g_autoptr(GHmac) sum = g_hmac_new(G_CHECKSUM_SHA256, key, key_length);
    gsize length = SHA256_BYTES;

    g_hmac_update(sum, (const guchar *) text, (gssize) strlen(text));
    g_hmac_get_digest(sum, result, &length);
}

/* The key of one day, region and service. */
static void
signing_key(const AwsKeys *keys, const Signing *signing, guint8 key[SHA256_BYTES])
{
    g_autoptr(AwsSecret) first = g_strconcat("AWS4", keys->secret_key, NULL);
    g_auto(GStrv) parts = g_strsplit(signing->scope, "/", -1);

    hmac((const guint8 *) first, strlen(first), parts[0], key);
    for (size_t i = 1; parts[i] != NULL; i++)
    {
        guint8 next[SHA256_BYTES];
        hmac(key, SHA256_BYTES, parts[i], next);
        memcpy(key, next, SHA256_BYTES);
        explicit_bzero(next, sizeof next);
    }
}

static char *
signature(const char *canonical, const AwsKeys *keys, const Signing *signing)
{
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, canonical, -1);
    g_autofree char *text = g_strjoin("\n", ALGORITHM, signing->time, signing->scope, hash, NULL);
    guint8 key[SHA256_BYTES];

    signing_key(keys, signing, key);
    char *result = g_compute_hmac_for_string(G_CHECKSUM_SHA256, key, sizeof key, text, -1);
    explicit_bzero(key, sizeof key);
    return result;
}

static char *
payload_hash(const AwsSignable *request)
{
    if (request->unsigned_payload)
        return g_strdup("UNSIGNED-PAYLOAD");
    return g_compute_checksum_for_data(
        G_CHECKSUM_SHA256, request->body != NULL ? request->body : (const void *) "",
        request->body != NULL ? request->body_bytes : 0);
}

static bool
is_ours(const char *header)
{
    static const char *const OURS[] = {
        "Host:", "Authorization:", "X-Amz-Date:", "X-Amz-Security-Token:", "X-Amz-Content-Sha256:",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(OURS); i++)
        if (g_ascii_strncasecmp(header, OURS[i], strlen(OURS[i])) == 0)
            return true;
    return false;
}

/* The request's headers but those that the signer sets itself. */
static GPtrArray *
copy_headers(const char *const *headers)
{
    GPtrArray *list = g_ptr_array_new();

    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++)
        if (!is_ours(headers[i]))
            g_ptr_array_add(list, g_strdup(headers[i]));
    return list;
}

char **
aws_sign(const AwsSignable *request, const AwsScope *scope, const AwsKeys *keys)
{
    g_auto(Signing) signing = signing_of(scope);
    g_autofree char *payload = payload_hash(request);
    g_autoptr(GPtrArray) headers = copy_headers(request->headers);

    g_ptr_array_add(headers, g_strconcat("X-Amz-Date: ", signing.time, NULL));
    if (keys->session_token != NULL)
        g_ptr_array_add(headers, g_strconcat("X-Amz-Security-Token: ", keys->session_token, NULL));
    if (scope->path == AWS_PATH_S3)
        g_ptr_array_add(headers, g_strconcat("x-amz-content-sha256: ", payload, NULL));
    g_ptr_array_add(headers, NULL);

    g_auto(CanonicalHeaders) canonical =
        canonical_headers(request->host, (const char *const *) headers->pdata);
    g_autoptr(AwsSecret) text =
        canonical_request(request, request->query, scope->path, &canonical, payload);
    g_autofree char *sum = signature(text, keys, &signing);
    headers->pdata[headers->len - 1] = g_strdup_printf(
        "Authorization: " ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s",
        keys->access_key, signing.scope, canonical.names, sum);
    g_ptr_array_add(headers, NULL);
    return (char **) g_ptr_array_steal(headers, NULL);
}

/* The request's query, and the parameters of the signature but its last. */
static char *
query_to_sign(
    const char *query, const Signing *signing, const char *signed_names, int expires_s,
    const AwsKeys *keys)
{
    g_autofree char *credential = g_strdup_printf("%s/%s", keys->access_key, signing->scope);
    g_autofree char *encoded = aws_encode(credential, false);
    g_autofree char *names = aws_encode(signed_names, false);
    g_autoptr(AwsSecret) token =
        keys->session_token != NULL ? aws_encode(keys->session_token, false) : NULL;

    return g_strdup_printf(
        "%s%sX-Amz-Algorithm=" ALGORITHM "&X-Amz-Credential=%s&X-Amz-Date=%s&X-Amz-Expires=%d"
        "&X-Amz-SignedHeaders=%s%s%s",
        query != NULL ? query : "", query != NULL && *query != '\0' ? "&" : "", encoded,
        signing->time, expires_s, names, token != NULL ? "&X-Amz-Security-Token=" : "",
        token != NULL ? token : "");
}

char *
aws_presign(const AwsSignable *request, const AwsScope *scope, const AwsKeys *keys, int expires_s)
{
    g_auto(Signing) signing = signing_of(scope);
    g_auto(CanonicalHeaders) headers = canonical_headers(request->host, request->headers);
    AwsSignable bodiless = *request;

    /* Who uses an address of S3 may send what they like. */
    bodiless.unsigned_payload = request->unsigned_payload || scope->path == AWS_PATH_S3;
    g_autofree char *payload = payload_hash(&bodiless);
    g_autoptr(AwsSecret) query =
        query_to_sign(request->query, &signing, headers.names, expires_s, keys);
    g_autoptr(AwsSecret) text = canonical_request(request, query, scope->path, &headers, payload);
    g_autofree char *sum = signature(text, keys, &signing);
    return g_strconcat(query, "&X-Amz-Signature=", sum, NULL);
}

char *
aws_rds_token(
    const char *host, int port, const char *user, const char *region, gint64 time_s,
    const AwsKeys *keys)
{
    g_autofree char *place = g_strdup_printf("%s:%d", host, port);
    g_autofree char *encoded_user = aws_encode(user, false);
    g_autofree char *query = g_strconcat("Action=connect&DBUser=", encoded_user, NULL);
    const AwsSignable request = {.method = "GET", .host = place, .path = "/", .query = query};
    const AwsScope scope = {.service = "rds-db", .region = region, .time_s = time_s};

    g_autoptr(AwsSecret) signed_query = aws_presign(&request, &scope, keys, 900);
    return g_strconcat(place, "/?", signed_query, NULL);
}
