#include "aws/sts.h"

#include "aws/keys_json.h"
#include "aws/sign.h"
#include "aws/source.h"
#include "base/error.h"
#include "xml/xml.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_ANSWER_BYTES (256 * 1024)
#define CALL_TIMEOUT_MS 20000

/* Servers refuse what is 5 minutes off. */
#define SKEW_S (4 * 60)

static const RetryPolicy PATIENCE = {.attempts = 3, .first_ms = 500, .longest_ms = 5000};

/* A call, and what is learnt while it is tried. */
typedef struct
{
    const AwsStsRole *role;
    const AwsKeys *signer;
    HttpClient *client;
    char *host;
    char *path;
    gint64 skew_s; /* the server's clock less ours */
    char code[AWS_STS_CODE_BYTES];
} Assuming;

/* What an answer says, by element. */
typedef enum
{
    ACCESS_KEY,
    SECRET_KEY,
    TOKEN,
    EXPIRATION,
    CODE,
    MESSAGE,
    PART_COUNT,
} Part;

static const char *const ELEMENTS[PART_COUNT] = {
    "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration", "Code", "Message",
};

typedef struct
{
    AwsSecret *parts[PART_COUNT];
    GString *text; /* of the element that is open */
} Answer;

/* ------------------------------------------------------------------------------------------
 * Reading the answer
 * ------------------------------------------------------------------------------------------ */

static bool
on_start(void *data, const char *name, const XmlAttributes *attributes)
{
    Answer *answer = data;
    (void) name;
    (void) attributes;
    g_string_truncate(answer->text, 0);
    return true;
}

static bool
on_text(void *data, const char *text, size_t length)
{
    Answer *answer = data;
    g_string_append_len(answer->text, text, (gssize) length);
    return true;
}

static bool
on_end(void *data, const char *name)
{
    Answer *answer = data;

    for (int i = 0; i < PART_COUNT; i++)
    {
        if (strcmp(name, ELEMENTS[i]) != 0)
            continue;
        aws_secret_free(answer->parts[i]);
        answer->parts[i] = g_strstrip(g_strdup(answer->text->str));
    }
    explicit_bzero(answer->text->str, answer->text->len);
    g_string_truncate(answer->text, 0);
    return true;
}

static void
answer_clear(Answer *answer)
{
    for (int i = 0; i < PART_COUNT; i++)
        aws_secret_free(answer->parts[i]);
    if (answer->text != NULL)
        g_string_free(answer->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static bool
read_answer(const HttpResponse *response, Answer *answer)
{
    static const XmlHandler HANDLER = {.start = on_start, .end = on_end, .text = on_text};

    /* Large enough from the start, so that no copy of a secret stays behind when it grows. */
    answer->text = g_string_sized_new(response->body->len + 1);
    return xml_parse_bytes(response->body->str, response->body->len, &HANDLER, answer, NULL);
}

static bool
is_one_of(const char *code, const char *const *codes)
{
    return code != NULL && g_strv_contains(codes, code);
}

static bool
is_about_the_clock(const char *code)
{
    static const char *const CODES[] = {
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        NULL,
    };
    return is_one_of(code, CODES);
}

static VfError
kind_of(int status, const char *code)
{
    static const char *const PASSING[] = {
        "Throttling",         "ThrottlingException", "RequestLimitExceeded",
        "TooManyRequests",    "RequestThrottled",    "IDPCommunicationError",
        "ServiceUnavailable", "RequestTimeout",      NULL,
    };
    static const char *const WRONG[] = {
        "ValidationError", "MalformedPolicyDocument", "PackedPolicyTooLarge",
        "InvalidAction",   "InvalidParameterValue",   NULL,
    };

    if (status >= 500 || status == 429 || is_one_of(code, PASSING))
        return VF_ERROR_BUSY;
    if (code == NULL)
        return VF_ERROR_FAILED;
    return is_one_of(code, WRONG) ? VF_ERROR_USAGE : VF_ERROR_DENIED;
}

static void
add_hint(const char *code, gint64 off_s, GError **error)
{
    static const char *const OLD[] = {"ExpiredToken", "ExpiredTokenException", NULL};
    static const char *const UNKNOWN[] = {
        "InvalidClientTokenId", "UnrecognizedClientException", "InvalidIdentityToken", NULL};

    if (is_about_the_clock(code) && ABS(off_s) > SKEW_S)
        vf_error_hint(error, "this machine's clock is off by %" G_GINT64_FORMAT " s", -off_s);
    else if (is_one_of(code, OLD))
        vf_error_hint(
            error, "the credentials that the role is taken with have expired: renew them");
    else if (is_one_of(code, UNKNOWN))
        vf_error_hint(error, "AWS does not know the credentials that the role is taken with");
    else if (g_strcmp0(code, "AccessDenied") == 0)
        vf_error_hint(error, "see the role's trust policy, and who may call sts:AssumeRole");
}

/* How far the server's clock is ahead of ours; 0 when it does not tell. */
static gint64
skew_of(const HttpResponse *response)
{
    const char *date = http_header(response, "Date");
    const time_t server = date != NULL ? curl_getdate(date, NULL) : -1;
    return server > 0 ? (gint64) server - g_get_real_time() / G_USEC_PER_SEC : 0;
}

static AwsKeys *
keys_of_answer(
    Assuming *assuming, const HttpResponse *response, const Answer *answer, GError **error)
{
    const gint64 expires_ms = aws_time_ms(answer->parts[EXPIRATION]);
    const gint64 off_s = skew_of(response);

    if (answer->parts[ACCESS_KEY] == NULL || answer->parts[SECRET_KEY] == NULL ||
        answer->parts[TOKEN] == NULL || expires_ms < 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "the answer of %s holds no keys", assuming->host);
        return NULL;
    }
    return aws_keys_new(
        answer->parts[ACCESS_KEY], answer->parts[SECRET_KEY], answer->parts[TOKEN],
        expires_ms - (ABS(off_s) > SKEW_S ? off_s * 1000 : 0));
}

static void
set_refusal(Assuming *assuming, const HttpResponse *response, const Answer *answer, GError **error)
{
    const char *code = answer->parts[CODE];
    g_autofree char *message =
        aws_quote(answer->parts[MESSAGE] != NULL ? answer->parts[MESSAGE] : "");

    g_autofree char *shown = aws_quote(code != NULL ? code : "no answer of AWS");
    g_strlcpy(assuming->code, code != NULL ? code : "", sizeof assuming->code);
    g_set_error(
        error, VF_ERROR, (int) kind_of(response->status, code), "%s answered %d: %s%s%s",
        assuming->host, response->status, shown, *message != '\0' ? ": " : "", message);
    add_hint(code, skew_of(response), error);
}

/* ------------------------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------------------------ */

static void
add_parameter(GString *body, const char *name, const char *value)
{
    if (value == NULL)
        return;
    g_autoptr(AwsSecret) encoded = aws_encode(value, false);
    g_string_append_printf(body, "&%s=%s", name, encoded);
}

static AwsSecret *
form_of(const AwsStsRole *role)
{
    GString *body = g_string_sized_new(128 * 1024); /* it holds a token: it must not move */
    g_autofree char *duration =
        role->duration_s > 0 ? g_strdup_printf("%d", role->duration_s) : NULL;

    g_string_append_printf(
        body, "Action=%s&Version=2011-06-15",
        role->web_token != NULL ? "AssumeRoleWithWebIdentity" : "AssumeRole");
    add_parameter(body, "RoleArn", role->role_arn);
    add_parameter(body, "RoleSessionName", role->session_name);
    add_parameter(body, "DurationSeconds", duration);
    add_parameter(body, "ExternalId", role->external_id);
    add_parameter(body, "Policy", role->policy);
    add_parameter(body, "WebIdentityToken", role->web_token);
    return g_string_free(body, FALSE);
}

/* The headers of the call, signed by whom it may concern. */
static char **
headers_of(const Assuming *assuming, const char *body)
{
    static const char *const PLAIN[] = {
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8", "Accept: text/xml", NULL};
    const AwsSignable request = {
        .method = "POST",
        .host = assuming->host,
        .path = assuming->path,
        .headers = PLAIN,
        .body = body,
        .body_bytes = strlen(body),
    };
    const AwsScope scope = {
        .service = "sts",
        .region = assuming->role->region,
        .time_s = g_get_real_time() / G_USEC_PER_SEC + assuming->skew_s,
    };

    if (assuming->signer == NULL)
    {
        g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
        for (size_t i = 0; PLAIN[i] != NULL; i++)
            g_strv_builder_add(builder, PLAIN[i]);
        return g_strv_builder_end(builder);
    }
    return aws_sign(&request, &scope, assuming->signer);
}

static SecretResponse *
post(const Assuming *assuming, Cancel *cancel, GError **error)
{
    g_autoptr(AwsSecret) body = form_of(assuming->role);
    g_auto(GStrv) headers = headers_of(assuming, body);
    g_autofree char *url = g_strconcat(assuming->role->endpoint, "/", NULL);
    const HttpRequest request = {
        .method = "POST",
        .url = url,
        .headers = (const char *const *) headers,
        .body = body,
        .body_bytes = strlen(body),
        .max_bytes = MAX_ANSWER_BYTES,
        .connect_timeout_ms = CALL_TIMEOUT_MS / 2,
        .total_timeout_ms = CALL_TIMEOUT_MS,
    };
    return aws_fetch(assuming->client, &request, cancel, error);
}

static AwsKeys *
ask(void *data, Cancel *cancel, GError **error)
{
    Assuming *assuming = data;
    g_autoptr(SecretResponse) response = post(assuming, cancel, error);
    g_auto(Answer) answer = {0};

    if (response == NULL)
        return NULL;
    if (!read_answer(response, &answer) && response->status == 200)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "%s did not answer as AWS does", assuming->host);
        return NULL;
    }
    if (response->status == 200)
        return keys_of_answer(assuming, response, &answer, error);

    const gint64 off_s = skew_of(response);
    if (assuming->skew_s == 0 && ABS(off_s) > SKEW_S && is_about_the_clock(answer.parts[CODE]))
    {
        assuming->skew_s = off_s;
        return ask(assuming, cancel, error);
    }
    set_refusal(assuming, response, &answer, error);
    return NULL;
}

/* The host as it is sent, and the path. */
static void
split_endpoint(const char *endpoint, char **host, char **path)
{
    g_autoptr(GUri) uri = g_uri_parse(endpoint, G_URI_FLAGS_ENCODED, NULL);
    const char *name = uri != NULL ? g_uri_get_host(uri) : "";
    const int port = uri != NULL ? g_uri_get_port(uri) : -1;
    const int usual = g_str_has_prefix(endpoint, "https:") ? 443 : 80;
    const bool bracketed = strchr(name, ':') != NULL;
    g_autofree char *suffix =
        port > 0 && port != usual ? g_strdup_printf(":%d", port) : g_strdup("");

    *host = g_strdup_printf("%s%s%s%s", bracketed ? "[" : "", name, bracketed ? "]" : "", suffix);
    *path = g_strconcat(uri != NULL ? g_uri_get_path(uri) : "", "/", NULL);
}

AwsKeys *
aws_sts_assume(
    const AwsStsRole *role, const AwsKeys *signer, char *code, Cancel *cancel, GError **error)
{
    Assuming assuming = {.role = role, .signer = signer, .client = aws_open_client()};

    split_endpoint(role->endpoint, &assuming.host, &assuming.path);
    AwsKeys *keys = aws_ask_patiently(&PATIENCE, ask, &assuming, cancel, error);
    if (keys == NULL)
        g_prefix_error(error, "could not take the role %s: ", role->role_arn);
    if (code != NULL)
        g_strlcpy(code, assuming.code, AWS_STS_CODE_BYTES);
    http_client_free(assuming.client);
    g_free(assuming.host);
    g_free(assuming.path);
    return keys;
}
