/*
 * failure.h - what an answer of AWS that is not a success means.
 *
 * Services say what is wrong by a code, and the status tells little: throttles, expired keys and
 * a wrong clock all come as 400.  The code stands in JSON (`__type`), in XML, or in a header; a
 * proxy's page has none.  Pure: answer in, judgement out.  The answer may be anything.
 */
#pragma once

#include "aws/keys.h"
#include "aws/service.h"
#include "base/error.h"
#include "http/http.h"

typedef enum
{
    AWS_FAILURE_FINAL,
    AWS_FAILURE_THROTTLED, /* too many calls: try again, later and later */
    AWS_FAILURE_TRANSIENT, /* the server's own trouble: try again */
    AWS_FAILURE_CLOCK,     /* perhaps the time that was signed is not the server's */
    AWS_FAILURE_KEYS,      /* the keys do not hold any more */
    AWS_FAILURE_REGION,    /* the bucket is in another region */
} AwsFailureKind;

typedef struct
{
    AwsFailureKind kind;
    VfError error; /* for the caller, when nothing more is tried */
    char code[80]; /* "" when there is none */
    char *message; /* one line; the service's words, or ours; never the keys */
    char *region;  /* with AWS_FAILURE_REGION: the bucket's */
    bool foreign;  /* not an answer of AWS */
} AwsFailure;

/* keys: those that were sent; their secret parts are taken out of the message. */
void aws_failure_read(
    AwsFailure *failure, AwsService service, const HttpResponse *response, const AwsKeys *keys);

/* No answer came: whether another attempt makes sense. */
void aws_failure_read_problem(AwsFailure *failure, const GError *problem);

void aws_failure_clear(AwsFailure *failure);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AwsFailure, aws_failure_clear)
