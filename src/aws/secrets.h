/*
 * secrets.h - what AWS Secrets Manager keeps.
 *
 * What is read is overwritten before it is freed, and never in an error.
 *
 * VF_ERROR_MISMATCH   no such secret, or none at that stage
 * VF_ERROR_BAD_INPUT  the secret is another than the caller needs
 */
#pragma once

#include "aws/client.h"

/* The secret's text, yours.  id: a name or an ARN.  stage: NULL for "AWSCURRENT"; during a
 * rotation the next one is "AWSPENDING". */
AwsSecret *aws_secret_text(
    AwsClient *client, const char *id, const char *stage, Cancel *cancel, GError **error);

/* How a database is entered, as RDS and its rotation write it down. */
typedef struct
{
    AwsSecret *user;
    AwsSecret *password;
    char *host;     /* NULL when the secret does not say, here and below */
    int port;       /* 0 */
    char *database; /* NULL */
} AwsLogin;

AwsLogin *aws_secret_login(
    AwsClient *client, const char *id, const char *stage, Cancel *cancel, GError **error);
void aws_login_free(AwsLogin *login);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsLogin, aws_login_free)
