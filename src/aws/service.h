/*
 * service.h - what is fixed about each AWS service: its protocol and its names.
 */
#pragma once

#include <stdbool.h>

typedef enum
{
    AWS_DYNAMODB,
    AWS_ECS,
    AWS_SECRETS_MANAGER,
    AWS_LOGS,
    AWS_SERVICE_QUOTAS,
    AWS_DMS,
    AWS_CLOUDFORMATION,
    AWS_STS,
    AWS_IAM,
    AWS_RDS,
    AWS_S3,
    AWS_BEDROCK_RUNTIME,
    AWS_SERVICES, /* how many there are */
} AwsService;

typedef enum
{
    AWS_PROTOCOL_JSON,      /* POST / with X-Amz-Target */
    AWS_PROTOCOL_QUERY,     /* POST / with a form; XML comes back */
    AWS_PROTOCOL_REST_XML,  /* S3 */
    AWS_PROTOCOL_REST_JSON, /* Bedrock */
} AwsProtocol;

typedef struct
{
    const char *name; /* for people: "ecs" */
    AwsProtocol protocol;
    const char *content_type; /* NULL: none */
    const char *target;       /* json: before the operation's name; query: the API's version */
    const char *signing_name; /* "bedrock", not "bedrock-runtime" */
    const char *host;         /* the first label: "bedrock-runtime" */
    const char *setting;      /* "secrets_manager"; in capitals after AWS_ENDPOINT_URL_ */
    bool plain_fips_in_gov;   /* GovCloud's ordinary host is the FIPS one */
    bool plain_dual_stack;    /* but for isolated clouds, the ordinary host speaks IPv6 too */
} AwsServiceFacts;

const AwsServiceFacts *aws_service_facts(AwsService service);
