/*
 * cloudformation.h - what a stack tells: its outputs, and what it consists of.
 *
 * The service allows few calls: ask once and keep the answer.
 *
 * VF_ERROR_MISMATCH  no such stack in the client's region
 */
#pragma once

#include "aws/client.h"

typedef struct
{
    char *key;
    char *value;
    char *description; /* NULL for none, here and below */
    char *export_name;
} AwsStackOutput;

typedef struct
{
    char *id; /* the ARN */
    char *name;
    char *status;
    GPtrArray *outputs; /* of AwsStackOutput */
} AwsStack;

/* name: or the ARN, with which deleted stacks are found too. */
AwsStack *aws_stack(AwsClient *client, const char *name, Cancel *cancel, GError **error);
void aws_stack_free(AwsStack *stack);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsStack, aws_stack_free)

/* The output of that key, or NULL.  Borrowed. */
const char *aws_stack_output(const AwsStack *stack, const char *key);

/* True when what the stack consists of stands and is not being changed. */
bool aws_stack_stands(const AwsStack *stack);

typedef struct
{
    char *logical_id;
    char *physical_id; /* NULL as long as there is none */
    char *type;        /* "AWS::ECS::Cluster" */
    char *status;
} AwsStackResource;

/* All of AwsStackResource that the stack itself names; a nested stack is one of them. */
GPtrArray *aws_stack_resources(AwsClient *client, const char *name, Cancel *cancel, GError **error);
