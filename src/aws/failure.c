#include "aws/failure.h"

#include "aws/endpoint.h"
#include "aws/reply.h"
#include "base/json.h"
#include "base/text.h"

#include <string.h>

#define MAX_MESSAGE 500
#define MAX_FOREIGN_MESSAGE 120
#define MAX_FOREIGN_WORD 40
#define MIN_SECRET 8

/* --- what the codes mean ---------------------------------------------------------- */

typedef struct
{
    const char *code;
    AwsFailureKind kind;
    VfError error;
} Meaning;

static const Meaning MEANINGS[] = {
    {"Throttling", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"ThrottlingException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"ThrottledException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"RequestThrottledException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"RequestThrottled", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"TooManyRequestsException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"ProvisionedThroughputExceededException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"TransactionInProgressException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"RequestLimitExceeded", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"BandwidthLimitExceeded", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"LimitExceededException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"SlowDown", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"PriorRequestNotComplete", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"EC2ThrottledException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
    {"ModelNotReadyException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},

    {"RequestTimeout", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
    {"RequestTimeoutException", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
    {"InternalError", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
    {"BadDigest", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
    {"IDPCommunicationError", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
    {"ModelTimeoutException", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
    {"ReplicatedWriteConflictException", AWS_FAILURE_TRANSIENT, VF_ERROR_BUSY},
    {"TransactionConflictException", AWS_FAILURE_TRANSIENT, VF_ERROR_BUSY},

    {"RequestTimeTooSkewed", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
    {"RequestExpired", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
    {"RequestInTheFuture", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
    {"InvalidSignatureException", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
    {"SignatureDoesNotMatch", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},

    {"ExpiredToken", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
    {"ExpiredTokenException", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
    {"TokenRefreshRequired", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
    {"InvalidToken", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
    {"InvalidClientTokenId", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
    {"InvalidAccessKeyId", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
    {"UnrecognizedClientException", AWS_FAILURE_KEYS, VF_ERROR_DENIED},

    {"AuthFailure", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"AuthorizationHeaderMalformed", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"IncompleteSignature", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"IncompleteSignatureException", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"MissingAuthenticationToken", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"MissingAuthenticationTokenException", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"NotAuthorized", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"OptInRequired", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"SubscriptionRequiredException", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
    {"UnauthorizedOperation", AWS_FAILURE_FINAL, VF_ERROR_DENIED},

    {"ConditionalCheckFailedException", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
    {"PreconditionFailed", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
    {"InvalidObjectState", AWS_FAILURE_FINAL, VF_ERROR_BAD_INPUT}, /* an archived object */
};

static const Meaning *
meaning_of(const char *code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(MEANINGS); i++)
        if (strcmp(MEANINGS[i].code, code) == 0)
            return &MEANINGS[i];
    return NULL;
}

/* CloudFormation and ECS have no code for what does not exist. */
static bool
is_missing(const AwsFailure *failure)
{
    const char *code = failure->code;
    const char *message = failure->message;

    if (strcmp(code, "ValidationError") == 0)
        return strstr(message, "does not exist") != NULL;
    if (strcmp(code, "ClientException") == 0)
        return strstr(message, "Unable to describe task definition") != NULL;
    return g_str_has_prefix(code, "NoSuch") || g_str_has_suffix(code, "NotFound") ||
           g_str_has_suffix(code, "NotFoundException") || g_str_has_suffix(code, "NotFoundFault");
}

static void
judge_code(AwsFailure *failure)
{
    const Meaning *meaning = meaning_of(failure->code);

    if (meaning != NULL)
    {
        failure->kind = meaning->kind;
        failure->error = meaning->error;
    }
    else if (g_str_has_prefix(failure->code, "AccessDenied"))
    {
        failure->error = VF_ERROR_DENIED;
    }
    else if (is_missing(failure))
    {
        failure->error = VF_ERROR_MISMATCH;
    }
}

/* --- what the status means, where the code says nothing --------------------------- */

static VfError
error_of_status(int status)
{
    if (status == 401 || status == 403)
        return VF_ERROR_DENIED;
    if (status == 404 || status == 412)
        return VF_ERROR_MISMATCH;
    return status / 100 == 4 ? VF_ERROR_BAD_INPUT : VF_ERROR_FAILED;
}

static bool
is_servers_trouble(int status)
{
    return status == 500 || status == 502 || status == 503 || status == 504;
}

static void
judge_status(AwsFailure *failure, int status)
{
    if (is_servers_trouble(status))
    {
        failure->kind = AWS_FAILURE_TRANSIENT;
        failure->error = VF_ERROR_CONNECT;
    }
    else if (status == 429)
    {
        failure->kind = AWS_FAILURE_THROTTLED;
        failure->error = VF_ERROR_BUSY;
    }
    else
    {
        failure->error = failure->foreign ? VF_ERROR_FAILED : error_of_status(status);
    }
}

/* --- finding code and message ----------------------------------------------------- */

/* `ns#Code:http://…` has the code in the middle.  What cannot be a code is none. */
static void
set_code(AwsFailure *failure, const char *text)
{
    if (text == NULL || failure->code[0] != '\0')
        return;
    g_autofree char *code = g_strndup(text, strcspn(text, ":"));
    char *hash = strrchr(code, '#');
    const char *plain = g_strstrip(hash != NULL ? hash + 1 : code);
    const size_t length = strlen(plain);

    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(plain[i]) && strchr("._-", plain[i]) == NULL)
            return;
    if (length < sizeof failure->code)
        g_strlcpy(failure->code, plain, sizeof failure->code);
}

/* Bedrock wraps the failure of a model: only that of the model's server may pass. */
static void
judge_model_error(AwsFailure *failure, const Json *body)
{
    const json_int_t status = json_integer_value(json_object_get(body, "originalStatusCode"));

    if (strcmp(failure->code, "ModelErrorException") == 0 && status >= 500)
        judge_status(failure, 500);
}

static const char *
json_message(const Json *body)
{
    static const char *const KEYS[] = {"message", "Message", "errorMessage"};

    for (size_t i = 0; i < G_N_ELEMENTS(KEYS); i++)
        if (json_text(body, KEYS[i]) != NULL)
            return json_text(body, KEYS[i]);
    return NULL;
}

static char *
read_json(AwsFailure *failure, const GString *text)
{
    g_autoptr(Json) body = json_loadb(text->str, text->len, 0, NULL);

    if (!json_is_object(body))
        return NULL;
    set_code(failure, json_text(body, "__type"));
    set_code(failure, json_text(body, "code"));
    judge_model_error(failure, body);
    return g_strdup(json_message(body));
}

static const AwsReply *
error_element(const AwsReply *reply)
{
    if (strcmp(aws_reply_name(reply), "Error") == 0)
        return reply;
    const AwsReply *error = aws_reply_at(reply, "Error");
    return error != NULL ? error : aws_reply_at(reply, "Errors/Error");
}

static char *
read_xml(AwsFailure *failure, const GString *text)
{
    g_autoptr(AwsReply) reply = aws_reply_parse(text->str, text->len, NULL);
    const AwsReply *error = reply != NULL ? error_element(reply) : NULL;

    if (error == NULL)
        return NULL;
    set_code(failure, aws_reply_text(error, "Code"));
    failure->region = g_strdup(aws_reply_text(error, "Region"));
    return g_strdup(aws_reply_text(error, "Message"));
}

/* The message as it came, yours; NULL when there is none. */
static char *
read_body(AwsFailure *failure, const GString *body)
{
    const char first = body->str[strspn(body->str, " \t\r\n")];

    if (first == '{')
        return read_json(failure, body);
    return first == '<' ? read_xml(failure, body) : NULL;
}

/* --- the message, as it may be said ----------------------------------------------- */

/* What is shorter than any real one is a test's, and a part of words. */
static void
take_out(GString *text, const char *secret)
{
    if (secret != NULL && strlen(secret) >= MIN_SECRET)
        g_string_replace(text, secret, "…", 0);
}

/* One line of bearable length.  A refused signature's message goes on with all that was to be
 * signed, and the session token is in there. */
static char *
quotable(const char *message, size_t max_bytes, const AwsKeys *keys)
{
    g_autofree char *valid = g_utf8_make_valid(message, -1);
    g_autoptr(GString) text = g_string_new(valid);
    char *canonical = strstr(text->str, "The Canonical String");

    if (canonical != NULL)
        g_string_truncate(text, (gsize) (canonical - text->str));
    take_out(text, keys != NULL ? keys->session_token : NULL);
    take_out(text, keys != NULL ? keys->secret_key : NULL);

    g_auto(GStrv) words = g_strsplit_set(text->str, " \t\r\n", -1);
    g_string_truncate(text, 0);
    for (size_t i = 0; words[i] != NULL; i++)
        if (words[i][0] != '\0')
            g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", words[i]);
    if (text->len > max_bytes)
    {
        const char *end = g_utf8_find_prev_char(text->str, text->str + max_bytes);
        g_string_truncate(text, end != NULL ? (gsize) (end - text->str) : 0);
        g_string_append(text, "…");
    }
    return text_safe(text->str);
}

/* The words of a page without its marks; what is long enough to be a key is left out. */
static char *
page_words(const char *page)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    bool in_mark = false;
    for (const char *at = page; *at != '\0'; at++)
    {
        if (*at == '<' || *at == '>')
            g_string_append_c(plain, ' ');
        else if (!in_mark)
            g_string_append_c(plain, *at);
        in_mark = *at == '<' || (in_mark && *at != '>');
    }

    g_auto(GStrv) words = g_strsplit_set(plain->str, " \t\r\n", -1);
    g_string_truncate(plain, 0);
    for (size_t i = 0; words[i] != NULL; i++)
        g_string_append_printf(plain, "%s ", strlen(words[i]) > MAX_FOREIGN_WORD ? "…" : words[i]);
    return g_string_free(g_steal_pointer(&plain), FALSE);
}

static char *
foreign_message(const HttpResponse *response, const AwsKeys *keys)
{
    g_autofree char *words = page_words(response->body->str);
    g_autofree char *excerpt = quotable(words, MAX_FOREIGN_MESSAGE, keys);
    return g_strdup_printf(
        "the answer is not one of AWS (status %d): %s", response->status, excerpt);
}

static char *
said(const AwsFailure *failure, const HttpResponse *response, const char *raw, const AwsKeys *keys)
{
    if (failure->foreign)
        return foreign_message(response, keys);
    if (raw == NULL || *raw == '\0')
        return g_strdup_printf("status %d", response->status);
    return quotable(raw, MAX_MESSAGE, keys);
}

/* --- the whole -------------------------------------------------------------------- */

/* A body that has no code in it, where one would have its place. */
static bool
is_foreign(const AwsFailure *failure, const HttpResponse *response)
{
    return failure->code[0] == '\0' && response->body->len > 0;
}

/* HEAD has no body, only the header. */
static void
judge_region(AwsFailure *failure, const HttpResponse *response)
{
    const char *told = http_header(response, "x-amz-bucket-region");
    const bool malformed = strcmp(failure->code, "AuthorizationHeaderMalformed") == 0;
    const bool bare = failure->code[0] == '\0' && response->status == 400 && told != NULL;

    if (response->status != 301 && response->status != 307 && !malformed && !bare)
        return;
    if (told != NULL)
    {
        g_free(failure->region);
        failure->region = g_strdup(told);
    }
    if (failure->region != NULL && aws_is_region(failure->region))
        failure->kind = AWS_FAILURE_REGION;
    if (!malformed)
        failure->error = VF_ERROR_MISMATCH;
}

void
aws_failure_read(
    AwsFailure *failure, AwsService service, const HttpResponse *response, const AwsKeys *keys)
{
    *failure = (AwsFailure){.kind = AWS_FAILURE_FINAL};
    set_code(failure, http_header(response, "x-amzn-errortype"));
    g_autofree char *raw = read_body(failure, response->body);

    failure->foreign = is_foreign(failure, response);
    failure->message = said(failure, response, raw, keys);
    if (failure->kind == AWS_FAILURE_FINAL)
    {
        judge_status(failure, response->status);
        judge_code(failure);
    }
    if (service == AWS_S3)
        judge_region(failure, response);
}

void
aws_failure_read_problem(AwsFailure *failure, const GError *problem)
{
    const bool unreached = g_error_matches(problem, VF_ERROR, VF_ERROR_CONNECT);

    *failure = (AwsFailure){
        .kind = unreached ? AWS_FAILURE_TRANSIENT : AWS_FAILURE_FINAL,
        .error = unreached ? VF_ERROR_CONNECT : VF_ERROR_FAILED,
        .message = g_strdup(problem->message),
    };
}

void
aws_failure_clear(AwsFailure *failure)
{
    g_free(failure->message);
    g_free(failure->region);
    *failure = (AwsFailure){0};
}
