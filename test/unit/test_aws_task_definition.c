#include "aws/task_definition.h"
#include "scripted_aws.h"

#define DEFINITION(rest) "{\"taskDefinition\":{\"taskDefinitionArn\":\"arn:f:3\"," rest "}}"
#define CONTAINER(name)                                                                            \
    "{\"name\":\"" name "\",\"environment\":[{\"name\":\"A\",\"value\":\"" name "\"}]}"

static AwsTaskDefinition *
read_answer(const char *body, GError **error)
{
    const Step steps[] = {{"200 OK", NULL, body, false}};
    g_auto(Stage) stage;
    OPEN(stage, steps);
    AwsTaskDefinition *definition =
        aws_task_definition(stage.client, "family", "Container", NULL, error);

    const ServedRequest *seen = served(stage.server, 0);
    g_assert_true(
        says(seen, "X-Amz-Target: AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition\r\n"));
    g_assert_cmpstr(seen->body->str, ==, "{\"taskDefinition\":\"family\"}");
    return definition;
}

static void
test_the_named_container_is_read(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsTaskDefinition) definition = read_answer(
        DEFINITION("\"containerDefinitions\":[" CONTAINER("sidecar") "," CONTAINER(
            "Container") "],"
                         "\"ephemeralStorage\":{\"sizeInGiB\":100}"),
        &error);

    g_assert_no_error(error);
    g_assert_cmpstr(definition->arn, ==, "arn:f:3");
    g_assert_cmpstr(definition->container, ==, "Container");
    g_assert_cmpstr(g_hash_table_lookup(definition->environment, "A"), ==, "Container");
    g_assert_cmpint(definition->disk_gib, ==, 100);
}

static void
test_the_only_container_may_have_another_name(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsTaskDefinition) definition =
        read_answer(DEFINITION("\"containerDefinitions\":[" CONTAINER("app") "]"), &error);

    g_assert_no_error(error);
    g_assert_cmpstr(definition->container, ==, "app");
    g_assert_cmpint(definition->disk_gib, ==, 0);
}

static void
test_among_several_none_is_chosen(void)
{
    static const char *const ANSWERS[] = {
        DEFINITION("\"containerDefinitions\":[" CONTAINER("a") "," CONTAINER("b") "]"),
        DEFINITION("\"containerDefinitions\":[]"),
        DEFINITION("\"containerDefinitions\":[{\"name\":7}]"),
        "{}",
    };

    for (guint i = 0; i < G_N_ELEMENTS(ANSWERS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(read_answer(ANSWERS[i], &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
        g_assert_cmpstr(
            error->message, ==,
            "could not read the task definition \"family\": it has no container \"Container\"");
    }
}

static void
test_a_missing_definition_is_told(void)
{
    static const Step STEPS[] = {
        {"400 Bad Request", NULL,
         "{\"__type\":\"ClientException\",\"message\":\"Unable to describe task definition.\"}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_null(aws_task_definition(stage.client, "family", "Container", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
    g_test_add_func(
        "/aws-task-definition/the named container is read", test_the_named_container_is_read);
    g_test_add_func(
        "/aws-task-definition/the only container may have another name",
        test_the_only_container_may_have_another_name);
    g_test_add_func(
        "/aws-task-definition/among several none is chosen", test_among_several_none_is_chosen);
    g_test_add_func(
        "/aws-task-definition/a missing definition is told", test_a_missing_definition_is_told);
    return g_test_run();
}
