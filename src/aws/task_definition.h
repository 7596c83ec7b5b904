/*
 * task_definition.h - what a task of ECS would run, and with which environment.
 *
 * VF_ERROR_MISMATCH  no such task definition
 */
#pragma once

#include "aws/client.h"

typedef struct
{
    char *arn;
    char *container;         /* the name of the one that was asked for, or of the only one */
    GHashTable *environment; /* of that container, name → value */
    int disk_gib;            /* ephemeral storage asked for; 0: the usual */
} AwsTaskDefinition;

/* name: a family, of which the latest revision counts, family:revision, or the ARN.  container:
 * VF_ERROR_MISMATCH when there are several and none of that name. */
AwsTaskDefinition *aws_task_definition(
    AwsClient *client, const char *name, const char *container, Cancel *cancel, GError **error);
void aws_task_definition_free(AwsTaskDefinition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsTaskDefinition, aws_task_definition_free)
