/*
 * chat_stack.h - what a stack of Bedrock Chat tells about itself, as settings.
 *
 * The keys of its outputs end in a hash of the place that they have in the application's source, so
 * a key is known by its beginning, and forks keep theirs.  Pure.
 */
#pragma once

#include "aws/cloudformation.h"
#include "aws/task_definition.h"
#include "base/settings.h"

/* False when this is no stack whose vectors are in PostgreSQL, or when it is just being changed:
 * VF_ERROR_MISMATCH with the remedy. */
bool chat_stack_check(const AwsStack *stack, GError **error);

/*
 * Sets what is not given yet.  VF_ERROR_MISMATCH names every output that is missing or there more
 * than once, and the options that would do instead.
 */
bool chat_stack_read(const AwsStack *stack, Settings *settings, GError **error);

/* The version of the application, as close as stack and task (which may be NULL) tell: "v1.0 to
 * v1.2.4".  Static. */
const char *chat_stack_version(const AwsStack *stack, const AwsTaskDefinition *task);
