#include "aws/service.h"

#include <glib.h>

#define JSON_1_0 "application/x-amz-json-1.0"
#define JSON_1_1 "application/x-amz-json-1.1"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static const AwsServiceFacts FACTS[] = {
    [AWS_DYNAMODB] =
        {
            .name = "dynamodb",
            .protocol = AWS_PROTOCOL_JSON,
            .content_type = JSON_1_0,
            .target = "DynamoDB_20120810.",
            .signing_name = "dynamodb",
            .host = "dynamodb",
            .setting = "dynamodb",
            .plain_fips_in_gov = true,
        },
    [AWS_ECS] =
        {
            .name = "ecs",
            .protocol = AWS_PROTOCOL_JSON,
            .content_type = JSON_1_1,
            .target = "AmazonEC2ContainerServiceV20141113.",
            .signing_name = "ecs",
            .host = "ecs",
            .setting = "ecs",
        },
    [AWS_SECRETS_MANAGER] =
        {
            .name = "secretsmanager",
            .protocol = AWS_PROTOCOL_JSON,
            .content_type = JSON_1_1,
            .target = "secretsmanager.",
            .signing_name = "secretsmanager",
            .host = "secretsmanager",
            .setting = "secrets_manager",
            .plain_dual_stack = true,
        },
    [AWS_LOGS] =
        {
            .name = "logs",
            .protocol = AWS_PROTOCOL_JSON,
            .content_type = JSON_1_1,
            .target = "Logs_20140328.",
            .signing_name = "logs",
            .host = "logs",
            .setting = "cloudwatch_logs",
            .plain_fips_in_gov = true,
        },
    [AWS_SERVICE_QUOTAS] =
        {
            .name = "servicequotas",
            .protocol = AWS_PROTOCOL_JSON,
            .content_type = JSON_1_1,
            .target = "ServiceQuotasV20190624.",
            .signing_name = "servicequotas",
            .host = "servicequotas",
            .setting = "service_quotas",
            .plain_fips_in_gov = true,
        },
    [AWS_DMS] =
        {
            .name = "dms",
            .protocol = AWS_PROTOCOL_JSON,
            .content_type = JSON_1_1,
            .target = "AmazonDMSv20160101.",
            .signing_name = "dms",
            .host = "dms",
            .setting = "database_migration_service",
            .plain_fips_in_gov = true,
        },
    [AWS_CLOUDFORMATION] =
        {
            .name = "cloudformation",
            .protocol = AWS_PROTOCOL_QUERY,
            .content_type = FORM,
            .target = "2010-05-15",
            .signing_name = "cloudformation",
            .host = "cloudformation",
            .setting = "cloudformation",
            .plain_fips_in_gov = true,
        },
    [AWS_STS] =
        {
            .name = "sts",
            .protocol = AWS_PROTOCOL_QUERY,
            .content_type = FORM,
            .target = "2011-06-15",
            .signing_name = "sts",
            .host = "sts",
            .setting = "sts",
            .plain_fips_in_gov = true,
        },
    [AWS_IAM] =
        {
            .name = "iam",
            .protocol = AWS_PROTOCOL_QUERY,
            .content_type = FORM,
            .target = "2010-05-08",
            .signing_name = "iam",
            .host = "iam",
            .setting = "iam",
        },
    [AWS_RDS] =
        {
            .name = "rds",
            .protocol = AWS_PROTOCOL_QUERY,
            .content_type = FORM,
            .target = "2014-10-31",
            .signing_name = "rds",
            .host = "rds",
            .setting = "rds",
            .plain_fips_in_gov = true,
        },
    [AWS_S3] =
        {
            .name = "s3",
            .protocol = AWS_PROTOCOL_REST_XML,
            .signing_name = "s3",
            .host = "s3",
            .setting = "s3",
        },
    [AWS_BEDROCK_RUNTIME] =
        {
            .name = "bedrock-runtime",
            .protocol = AWS_PROTOCOL_REST_JSON,
            .content_type = "application/json",
            .signing_name = "bedrock",
            .host = "bedrock-runtime",
            .setting = "bedrock_runtime",
        },
};

G_STATIC_ASSERT(G_N_ELEMENTS(FACTS) == AWS_SERVICES);

const AwsServiceFacts *
aws_service_facts(AwsService service)
{
    return &FACTS[service];
}
