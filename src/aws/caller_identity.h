/*
 * caller_identity.h - who AWS takes us for.
 *
 * No permission is needed for the question, so it tells at the start whether credentials, region
 * and clock are right.
 */
#pragma once

#include "aws/client.h"

typedef struct
{
    char *account; /* twelve digits */
    char *arn;     /* of a user, or of a role's session */
} AwsCaller;

AwsCaller *aws_caller_identity(AwsClient *client, Cancel *cancel, GError **error);
void aws_caller_free(AwsCaller *caller);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsCaller, aws_caller_free)
