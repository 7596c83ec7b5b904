/*
 * client.h - one AWS account and region: signed calls with retries.
 *
 * aws_call() signs each attempt anew, retries what may pass (transport errors, 500, 502, 503, 504,
 * damaged answers, throttles by their code, whatever status they come with) as aws/patience.h says;
 * mends a wrong clock once; renews refused credentials once; follows S3 to the right region once.
 * Many threads may call at once.
 *
 * Every other answer than 2xx is an error:
 *   VF_ERROR_BUSY      throttled, and the retries are used up
 *   VF_ERROR_CONNECT   not reached, or 5xx, and the retries are used up
 *   VF_ERROR_DENIED    credentials or permissions
 *   VF_ERROR_MISMATCH  the thing named does not exist, or a condition of the call does not hold
 *   VF_ERROR_BAD_INPUT the service refuses the request
 *   VF_ERROR_FAILED    not an answer of AWS (a proxy's page), anything else
 * The message names operation, code and the service's words: "ecs RunTask: AccessDeniedException:
 * …", "dynamodb Scan, 8 attempts: ThrottlingException: …".  Neither keys nor tokens are in it.
 */
#pragma once

#include "aws/credentials.h"
#include "aws/patience.h"
#include "aws/reply.h"
#include "aws/service.h"
#include "base/json.h"
#include "http/http.h"

typedef struct AwsClient AwsClient;

typedef struct
{
    const char *profile;  /* NULL: the default */
    const char *region;   /* NULL: AWS_REGION, AWS_DEFAULT_REGION, the profile's, the instance's */
    const char *endpoint; /* NULL: AWS_ENDPOINT_URL[_SERVICE], the profile's, AWS itself */
    int attempts;         /* of one call, in all; 0: AWS_MAX_ATTEMPTS, the profile's, 8 */
    AwsCredentials *credentials; /* borrowed, instead of the profile's; or NULL */
    const AwsTiming *timing;     /* of a test; borrowed; NULL: the machine's */
} AwsClientOptions;

/* VF_ERROR_USAGE: unknown profile, no region, broken files or settings.  Nothing is asked yet, but
 * for the instance's region.  Own certificates: AWS_CA_BUNDLE, or the profile's ca_bundle. */
AwsClient *aws_client_new(const AwsClientOptions *options, Cancel *cancel, GError **error);
void aws_client_free(AwsClient *client); /* no call may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsClient, aws_client_free)

const char *aws_client_region(const AwsClient *client);          /* borrowed */
AwsCredentials *aws_client_credentials(const AwsClient *client); /* borrowed */

/* A small answer, or the first 64 kB of one that went to a descriptor and failed. */
typedef struct
{
    int status;
    char code[80]; /* of the service's error, "" for none; filled even when the call fails */
    bool unsent;   /* the last attempt never left this machine */
    HttpResponse *response; /* NULL when none came */
} AwsAnswer;

void aws_answer_clear(AwsAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AwsAnswer, aws_answer_clear)

typedef struct
{
    AwsService service;
    const char *operation;      /* "RunTask"; for errors, and for the json and query protocols */
    const char *method;         /* S3 and Bedrock; NULL: POST */
    const char *bucket;         /* S3 only */
    const char *path;           /* S3 (the key, encoded, after the bucket) and Bedrock; NULL: "/" */
    const char *query;          /* S3, encoded; or NULL */
    const char *const *headers; /* besides those of the protocol; or NULL */
    const void *body;
    size_t body_bytes;
    int fd; /* > 0: a 2xx body is written there, and an attempt that broke off is not repeated */
    gint64 max_bytes;     /* of the answer; 0: 16 MB */
    int total_timeout_ms; /* of one attempt; 0: 60 s */
    int attempts;         /* 0: the client's */
    bool once;            /* a lost answer is not asked for again: the call may have happened */
} AwsCall;

bool aws_call(
    AwsClient *client, const AwsCall *call, AwsAnswer *answer, Cancel *cancel, GError **error);

/* Protocol json 1.0 or 1.1: the answer's object, yours; {} for an empty one.  code: as in
 * AwsAnswer, 80 bytes, or NULL. */
Json *aws_json_call(
    AwsClient *client, AwsService service, const char *operation, Json *request, char *code,
    Cancel *cancel, GError **error);

/* Protocol query: parameters as name, value, name, value, …, NULL; the answer's root element,
 * <ActionResponse>, yours. */
AwsReply *aws_query_call(
    AwsClient *client, AwsService service, const char *action, const char *const *parameters,
    char *code, Cancel *cancel, GError **error);
