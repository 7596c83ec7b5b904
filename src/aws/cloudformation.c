#include "aws/cloudformation.h"

#include "base/error.h"

#include <string.h>

/* A stack has 500 resources at most, and a page is said to have 100. */
#define MAX_PAGES 100

static void
explain(AwsClient *client, const char *name, GError **error)
{
    const bool missing = error != NULL && g_error_matches(*error, VF_ERROR, VF_ERROR_MISMATCH);

    g_prefix_error(error, "could not read the stack \"%s\": ", name);
    if (missing)
        vf_error_hint(error, "it was looked for in region %s", aws_client_region(client));
}

/* --- a stack and its outputs ------------------------------------------------------ */

static void
output_free(void *data)
{
    AwsStackOutput *output = data;
    g_free(output->key);
    g_free(output->value);
    g_free(output->description);
    g_free(output->export_name);
    g_free(output);
}

static GPtrArray *
read_outputs(const AwsReply *list)
{
    GPtrArray *outputs = g_ptr_array_new_with_free_func(output_free);

    for (const AwsReply *at = aws_reply_first(list); at != NULL; at = aws_reply_next(at))
    {
        const char *key = aws_reply_text(at, "OutputKey");
        const char *value = aws_reply_text(at, "OutputValue");
        if (key == NULL || value == NULL)
            continue;
        AwsStackOutput *output = g_new0(AwsStackOutput, 1);
        output->key = g_strdup(key);
        output->value = g_strdup(value);
        output->description = g_strdup(aws_reply_text(at, "Description"));
        output->export_name = g_strdup(aws_reply_text(at, "ExportName"));
        g_ptr_array_add(outputs, output);
    }
    return outputs;
}

static AwsStack *
read_stack(const AwsReply *reply, GError **error)
{
    const AwsReply *found = aws_reply_at(reply, "DescribeStacksResult/Stacks/member");
    const char *name = aws_reply_text(found, "StackName");
    const char *status = aws_reply_text(found, "StackStatus");
    if (name == NULL || status == NULL)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED,
            "cloudformation DescribeStacks: no stack in the answer");
        return NULL;
    }

    AwsStack *stack = g_new0(AwsStack, 1);
    stack->id = g_strdup(aws_reply_text(found, "StackId"));
    stack->name = g_strdup(name);
    stack->status = g_strdup(status);
    stack->outputs = read_outputs(aws_reply_at(found, "Outputs"));
    return stack;
}

AwsStack *
aws_stack(AwsClient *client, const char *name, Cancel *cancel, GError **error)
{
    const char *const parameters[] = {"StackName", name, NULL};
    g_autoptr(AwsReply) reply = aws_query_call(
        client, AWS_CLOUDFORMATION, "DescribeStacks", parameters, NULL, cancel, error);
    AwsStack *stack = reply != NULL ? read_stack(reply, error) : NULL;

    if (stack == NULL)
        explain(client, name, error);
    return stack;
}

void
aws_stack_free(AwsStack *stack)
{
    if (stack == NULL)
        return;
    g_free(stack->id);
    g_free(stack->name);
    g_free(stack->status);
    g_ptr_array_unref(stack->outputs);
    g_free(stack);
}

const char *
aws_stack_output(const AwsStack *stack, const char *key)
{
    for (guint i = 0; i < stack->outputs->len; i++)
    {
        const AwsStackOutput *output = stack->outputs->pdata[i];
        if (strcmp(output->key, key) == 0)
            return output->value;
    }
    return NULL;
}

bool
aws_stack_stands(const AwsStack *stack)
{
    return g_str_has_suffix(stack->status, "_COMPLETE") &&
           strcmp(stack->status, "DELETE_COMPLETE") != 0 &&
           strcmp(stack->status, "ROLLBACK_COMPLETE") != 0;
}

/* --- what a stack consists of ----------------------------------------------------- */

static void
resource_free(void *data)
{
    AwsStackResource *resource = data;
    g_free(resource->logical_id);
    g_free(resource->physical_id);
    g_free(resource->type);
    g_free(resource->status);
    g_free(resource);
}

static void
read_resources(const AwsReply *list, GPtrArray *resources)
{
    for (const AwsReply *at = aws_reply_first(list); at != NULL; at = aws_reply_next(at))
    {
        const char *logical_id = aws_reply_text(at, "LogicalResourceId");
        const char *type = aws_reply_text(at, "ResourceType");
        if (logical_id == NULL || type == NULL)
            continue;
        const char *status = aws_reply_text(at, "ResourceStatus");
        AwsStackResource *resource = g_new0(AwsStackResource, 1);
        resource->logical_id = g_strdup(logical_id);
        resource->physical_id = g_strdup(aws_reply_text(at, "PhysicalResourceId"));
        resource->type = g_strdup(type);
        resource->status = g_strdup(status != NULL ? status : "");
        g_ptr_array_add(resources, resource);
    }
}

/* One page; *token becomes the next one's, or NULL after the last. */
static bool
read_page(
    AwsClient *client, const char *name, char **token, GPtrArray *resources, Cancel *cancel,
    GError **error)
{
    const char *const parameters[] = {
        "StackName", name, *token != NULL ? "NextToken" : NULL, *token, NULL};
    g_autoptr(AwsReply) reply = aws_query_call(
        client, AWS_CLOUDFORMATION, "ListStackResources", parameters, NULL, cancel, error);
    if (reply == NULL)
        return false;

    const AwsReply *result = aws_reply_at(reply, "ListStackResourcesResult");
    const char *next = aws_reply_text(result, "NextToken");
    read_resources(aws_reply_at(result, "StackResourceSummaries"), resources);
    g_free(*token);
    *token = next != NULL && *next != '\0' ? g_strdup(next) : NULL;
    return true;
}

GPtrArray *
aws_stack_resources(AwsClient *client, const char *name, Cancel *cancel, GError **error)
{
    g_autoptr(GPtrArray) resources = g_ptr_array_new_with_free_func(resource_free);
    g_autofree char *token = NULL;
    int pages = 0;

    do
    {
        if (!read_page(client, name, &token, resources, cancel, error))
        {
            explain(client, name, error);
            return NULL;
        }
    } while (token != NULL && ++pages < MAX_PAGES);
    if (token != NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "the list of stack \"%s\" does not end", name);
        return NULL;
    }
    return g_steal_pointer(&resources);
}
