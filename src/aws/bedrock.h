/*
 * bedrock.h - asks a model of Amazon Bedrock.
 *
 * What goes in and comes out is JSON of the model's own.  A call is made once: a model is paid for
 * each time it is asked, so whoever keeps the books decides about another.
 *
 * Errors are those of aws_call(), with a hint where a person can do something.
 */
#pragma once

#include "aws/client.h"

typedef struct
{
    const char *model; /* its id, an inference profile's, or the ARN of either */
    const char *body;
    gint64 max_bytes; /* of the answer; 0: 16 MB */
    int timeout_ms;   /* 0: 60 s */
} AwsInvocation;

/* answer->response holds body and headers; answer->unsent tells whether anything was asked at all.
 */
bool aws_invoke_model(
    AwsClient *client, const AwsInvocation *invocation, AwsAnswer *answer, Cancel *cancel,
    GError **error);

/* The tokens that were read, as the answer's header says; 0 when it does not. */
guint64 aws_model_tokens(const AwsAnswer *answer);
