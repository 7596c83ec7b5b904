#include "aws/cloudformation.h"
#include "scripted_aws.h"

#define STACK(status, outputs)                                                                     \
    "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">"       \
    "<DescribeStacksResult><Stacks><member><StackName>Chat</StackName>"                            \
    "<StackId>arn:aws:cloudformation:eu-central-1:1:stack/Chat/x</StackId>"                        \
    "<StackStatus>" status "</StackStatus>" outputs                                                \
    "</member></Stacks></DescribeStacksResult></DescribeStacksResponse>"

#define OUTPUTS                                                                                    \
    "<Outputs>\n<member><OutputKey>Table</OutputKey><OutputValue>a &amp; b</OutputValue>"          \
    "<Description>where bots are</Description><ExportName>chat-table</ExportName></member>\n"      \
    "<member><OutputKey>Empty</OutputKey><OutputValue/></member>\n"                                \
    "<member><OutputKey>Odd</OutputKey></member></Outputs>"

static void
test_a_stack_tells_its_outputs(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, STACK("UPDATE_COMPLETE", OUTPUTS), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_autoptr(AwsStack) stack = aws_stack(stage.client, "Chat", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(stack->name, ==, "Chat");
    g_assert_cmpstr(stack->id, ==, "arn:aws:cloudformation:eu-central-1:1:stack/Chat/x");
    g_assert_cmpuint(stack->outputs->len, ==, 2);
    g_assert_cmpstr(aws_stack_output(stack, "Table"), ==, "a & b");
    g_assert_cmpstr(aws_stack_output(stack, "Empty"), ==, "");
    g_assert_null(aws_stack_output(stack, "Tab"));
    const AwsStackOutput *table = stack->outputs->pdata[0];
    g_assert_cmpstr(table->description, ==, "where bots are");
    g_assert_cmpstr(table->export_name, ==, "chat-table");
    g_assert_true(aws_stack_stands(stack));
}

static void
test_a_stack_without_outputs_is_one(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, STACK("CREATE_IN_PROGRESS", ""), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_autoptr(AwsStack) stack = aws_stack(stage.client, "Chat", NULL, NULL);
    g_assert_cmpuint(stack->outputs->len, ==, 0);
    g_assert_false(aws_stack_stands(stack));
}

static void
test_only_some_stacks_stand(void)
{
    static const struct
    {
        const char *status;
        bool stands;
    } CASES[] = {
        {"CREATE_COMPLETE", true},         {"UPDATE_ROLLBACK_COMPLETE", true},
        {"IMPORT_COMPLETE", true},         {"ROLLBACK_COMPLETE", false},
        {"DELETE_COMPLETE", false},        {"DELETE_IN_PROGRESS", false},
        {"UPDATE_ROLLBACK_FAILED", false}, {"CREATE_FAILED", false},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autofree char *status = g_strdup(CASES[i].status);
        const AwsStack stack = {.status = status};
        g_assert_true(aws_stack_stands(&stack) == CASES[i].stands);
    }
}

static void
test_a_missing_stack_is_told_with_its_region(void)
{
    static const Step STEPS[] = {
        {"400 Bad Request", NULL,
         "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Stack with "
         "id Chat does not exist</Message></Error></ErrorResponse>",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_null(aws_stack(stage.client, "Chat", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
    g_assert_cmpstr(
        error->message, ==,
        "could not read the stack \"Chat\": cloudformation DescribeStacks: ValidationError: Stack "
        "with id Chat does not exist\nit was looked for in region eu-central-1");
}

#define PAGE_OF(name, token)                                                                       \
    "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>"               \
    "<member><LogicalResourceId>" name "</LogicalResourceId><PhysicalResourceId>" name             \
    "-1</PhysicalResourceId><ResourceType>AWS::ECS::Cluster</ResourceType>"                        \
    "<ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResourceSummaries>" token     \
    "</ListStackResourcesResult></ListStackResourcesResponse>"

static void
test_all_pages_are_read(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, PAGE_OF("One", "<NextToken>a+b=</NextToken>"), false},
        {"200 OK", NULL,
         "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries/>"
         "<NextToken>c</NextToken></ListStackResourcesResult></ListStackResourcesResponse>",
         false},
        {"200 OK", NULL, PAGE_OF("Two", ""), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_autoptr(GPtrArray) resources = aws_stack_resources(stage.client, "Chat", NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(resources->len, ==, 2);
    const AwsStackResource *two = resources->pdata[1];
    g_assert_cmpstr(two->logical_id, ==, "Two");
    g_assert_cmpstr(two->physical_id, ==, "Two-1");
    g_assert_cmpstr(two->type, ==, "AWS::ECS::Cluster");
    g_assert_cmpstr(two->status, ==, "CREATE_COMPLETE");
    g_assert_cmpstr(
        served(stage.server, 0)->body->str, ==,
        "Action=ListStackResources&Version=2010-05-15&StackName=Chat");
    g_assert_cmpstr(
        served(stage.server, 1)->body->str, ==,
        "Action=ListStackResources&Version=2010-05-15&StackName=Chat&NextToken=a%2Bb%3D");
}

static void
test_a_list_without_an_end_is_left(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, PAGE_OF("One", "<NextToken>again</NextToken>"), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_null(aws_stack_resources(stage.client, "Chat", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_cmpuint(served_count(&stage), ==, 100);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
    g_test_add_func(
        "/aws-cloudformation/a stack tells its outputs", test_a_stack_tells_its_outputs);
    g_test_add_func(
        "/aws-cloudformation/a stack without outputs is one", test_a_stack_without_outputs_is_one);
    g_test_add_func("/aws-cloudformation/only some stacks stand", test_only_some_stacks_stand);
    g_test_add_func(
        "/aws-cloudformation/a missing stack is told with its region",
        test_a_missing_stack_is_told_with_its_region);
    g_test_add_func("/aws-cloudformation/all pages are read", test_all_pages_are_read);
    g_test_add_func(
        "/aws-cloudformation/a list without an end is left", test_a_list_without_an_end_is_left);
    return g_test_run();
}
