#include "aws/bedrock.h"

#include "base/error.h"

#include <string.h>

#define TOKENS_HEADER "x-amzn-bedrock-input-token-count"

/* More than any context holds; a header of digits must not end a budget. */
#define MOST_TOKENS 1000000000

static void
add_hint(AwsClient *client, const char *code, GError **error)
{
    const char *message = error != NULL && *error != NULL ? (*error)->message : "";

    if (g_str_has_prefix(code, "AccessDenied"))
        vf_error_hint(
            error,
            "grant access to the model in the Bedrock console of region %s, and the IAM action "
            "bedrock:InvokeModel",
            aws_client_region(client));
    else if (strstr(message, "on-demand throughput") != NULL)
        vf_error_hint(
            error, "name an inference profile that holds the model: us., eu. or global. before its "
                   "id, or the profile's ARN");
    else if (
        strcmp(code, "ResourceNotFoundException") == 0 ||
        strstr(message, "model identifier") != NULL)
        vf_error_hint(
            error, "is the model offered in region %s (--bedrock-region)?",
            aws_client_region(client));
    else if (strcmp(code, "ServiceQuotaExceededException") == 0)
        vf_error_hint(
            error, "look at the model's quotas in the Service Quotas console of region %s",
            aws_client_region(client));
}

bool
aws_invoke_model(
    AwsClient *client, const AwsInvocation *invocation, AwsAnswer *answer, Cancel *cancel,
    GError **error)
{
    g_autofree char *model = g_uri_escape_string(invocation->model, NULL, FALSE);
    g_autofree char *path = g_strconcat("/model/", model, "/invoke", NULL);
    const AwsCall call = {
        .service = AWS_BEDROCK_RUNTIME,
        .operation = "InvokeModel",
        .path = path,
        .body = invocation->body,
        .body_bytes = strlen(invocation->body),
        .max_bytes = invocation->max_bytes,
        .total_timeout_ms = invocation->timeout_ms,
        .attempts = 1,
        .once = true,
    };
    if (aws_call(client, &call, answer, cancel, error))
        return true;
    add_hint(client, answer->code, error);
    return false;
}

guint64
aws_model_tokens(const AwsAnswer *answer)
{
    const char *text =
        answer->response != NULL ? http_header(answer->response, TOKENS_HEADER) : NULL;
    guint64 tokens = 0;

    if (text != NULL)
        g_ascii_string_to_unsigned(text, 10, 0, MOST_TOKENS, &tokens, NULL);
    return tokens;
}
