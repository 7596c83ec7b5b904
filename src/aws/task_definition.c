#include "aws/task_definition.h"

#include "base/error.h"

static const Json *
find_container(const Json *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++)
    {
        const Json *container = json_array_get(list, i);
        if (g_strcmp0(json_text(container, "name"), name) == 0)
            return container;
    }
    return json_array_size(list) == 1 ? json_array_get(list, 0) : NULL;
}

static GHashTable *
read_environment(const Json *list)
{
    GHashTable *environment = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (size_t i = 0; i < json_array_size(list); i++)
    {
        const char *name = json_text(json_array_get(list, i), "name");
        const char *value = json_text(json_array_get(list, i), "value");
        if (name != NULL && value != NULL)
            g_hash_table_replace(environment, g_strdup(name), g_strdup(value));
    }
    return environment;
}

static AwsTaskDefinition *
read_definition(const Json *answer, const char *container, GError **error)
{
    const Json *found = json_object_get(answer, "taskDefinition");
    const Json *part = find_container(json_object_get(found, "containerDefinitions"), container);
    const Json *storage = json_object_get(found, "ephemeralStorage");
    const json_int_t disk = json_integer_value(json_object_get(storage, "sizeInGiB"));

    if (json_text(part, "name") == NULL)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_MISMATCH, "it has no container \"%s\"", container);
        return NULL;
    }
    AwsTaskDefinition *definition = g_new0(AwsTaskDefinition, 1);
    definition->arn = g_strdup(json_text(found, "taskDefinitionArn"));
    definition->container = g_strdup(json_text(part, "name"));
    definition->environment = read_environment(json_object_get(part, "environment"));
    definition->disk_gib = (int) CLAMP(disk, 0, G_MAXINT);
    return definition;
}

AwsTaskDefinition *
aws_task_definition(
    AwsClient *client, const char *name, const char *container, Cancel *cancel, GError **error)
{
    g_autoptr(Json) request = json_pack("{ss}", "taskDefinition", name);
    g_autoptr(Json) answer =
        aws_json_call(client, AWS_ECS, "DescribeTaskDefinition", request, NULL, cancel, error);
    AwsTaskDefinition *definition =
        answer == NULL ? NULL : read_definition(answer, container, error);

    if (definition == NULL)
        g_prefix_error(error, "could not read the task definition \"%s\": ", name);
    return definition;
}

void
aws_task_definition_free(AwsTaskDefinition *definition)
{
    if (definition == NULL)
        return;
    g_free(definition->arn);
    g_free(definition->container);
    g_hash_table_unref(definition->environment);
    g_free(definition);
}
