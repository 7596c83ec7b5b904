/*
 * sign.h - AWS Signature Version 4, in headers and in addresses.
 *
 * Pure: no clock, no environment.  Follows "Signature Version 4 signing process" (AWS
 * General Reference); checked against botocore.
 */
#pragma once

#include "aws/keys.h"

#include <stdbool.h>
#include <stddef.h>

/* How a service wants its path signed. */
typedef enum
{
    AWS_PATH_NORMAL, /* dot segments and double slashes removed, then encoded once more */
    AWS_PATH_S3,     /* as it is sent; the payload's hash goes into a header */
} AwsPathRule;

typedef struct
{
    const char *method;
    const char *host;           /* with :port where it is not the scheme's own */
    const char *path;           /* as it is sent, percent-encoded; begins with "/" */
    const char *query;          /* as it is sent, without "?"; NULL or "": none */
    const char *const *headers; /* "Name: value", …, NULL: sent and signed; or NULL.  Not Host. */
    const void *body;
    size_t body_bytes;
    bool unsigned_payload; /* S3 over TLS only */
} AwsSignable;

typedef struct
{
    const char *service; /* the signing name: "bedrock", not "bedrock-runtime" */
    const char *region;
    gint64 time_s; /* since 1970, the server's clock as far as it is known */
    AwsPathRule path;
} AwsScope;

/*
 * The headers to send, yours, NULL-terminated: those of the request, then X-Amz-Date,
 * X-Amz-Security-Token where there is one, x-amz-content-sha256 for S3, Authorization.
 */
char **aws_sign(const AwsSignable *request, const AwsScope *scope, const AwsKeys *keys);

/*
 * The query string, yours, that makes an address usable without headers for so many seconds: the
 * request's query with X-Amz-Algorithm … X-Amz-Signature.  Only Host and the request's headers are
 * signed.
 */
char *aws_presign(
    const AwsSignable *request, const AwsScope *scope, const AwsKeys *keys, int expires_s);

/* The password of one connection to an RDS or Aurora server with IAM authentication: valid for 15
 * minutes, good for user at host:port.  Yours. */
char *aws_rds_token(
    const char *host, int port, const char *user, const char *region, gint64 time_s,
    const AwsKeys *keys);

/* Percent-encodes all bytes but A-Z a-z 0-9 - _ . ~, and "/" where `keep_slash`.  Yours. */
char *aws_encode(const char *text, bool keep_slash);
