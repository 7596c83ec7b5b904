#include "aws/caller_identity.h"

#include "base/error.h"

AwsCaller *
aws_caller_identity(AwsClient *client, Cancel *cancel, GError **error)
{
    g_autoptr(AwsReply) reply =
        aws_query_call(client, AWS_STS, "GetCallerIdentity", NULL, NULL, cancel, error);
    if (reply == NULL)
        return NULL;

    const AwsReply *result = aws_reply_at(reply, "GetCallerIdentityResult");
    const char *account = aws_reply_text(result, "Account");
    const char *arn = aws_reply_text(result, "Arn");
    if (account == NULL || arn == NULL)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED,
            "sts GetCallerIdentity: neither account nor ARN in the answer");
        return NULL;
    }
    AwsCaller *caller = g_new0(AwsCaller, 1);
    caller->account = g_strdup(account);
    caller->arn = g_strdup(arn);
    return caller;
}

void
aws_caller_free(AwsCaller *caller)
{
    if (caller == NULL)
        return;
    g_free(caller->account);
    g_free(caller->arn);
    g_free(caller);
}
