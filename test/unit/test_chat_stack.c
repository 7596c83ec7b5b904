#include "base/error.h"
#include "flow/chat_stack.h"

#include <string.h>

static void
output_free(void *data)
{
    AwsStackOutput *output = data;
    g_free(output->key);
    g_free(output->value);
    g_free(output);
}

/* A stack with these outputs: key, value, key, value, …, NULL. */
static AwsStack *
stack_with(const char *const *outputs)
{
    AwsStack *stack = g_new0(AwsStack, 1);

    stack->name = g_strdup("Chat");
    stack->status = g_strdup("UPDATE_COMPLETE");
    stack->outputs = g_ptr_array_new_with_free_func(output_free);
    for (; *outputs != NULL; outputs += 2)
    {
        AwsStackOutput *output = g_new0(AwsStackOutput, 1);
        output->key = g_strdup(outputs[0]);
        output->value = g_strdup(outputs[1]);
        g_ptr_array_add(stack->outputs, output);
    }
    return stack;
}

#define WHOLE                                                                                      \
    "ConversationTableName", "table", "DatabaseConversationTableNameDDF11821", "table",            \
        "EmbeddingClusterNameA6A626C4", "cluster", "EmbeddingTaskDefinitionName9C442847",          \
        "family", "EmbeddingTaskSecurityGroupId223DB337", "sg", "DbConfigSecretArn",               \
        "arn:aws:secretsmanager:r:1:secret:db", "PrivateSubnetId1", "two", "PrivateSubnetId0",     \
        "one", "PublicSubnetId0", "three", "TableAccessRoleArn", "arn:role", "DocumentBucketName", \
        "bucket"

static const char *const OUTPUTS[] = {WHOLE, NULL};

static void
assert_value(const Settings *settings, Setting setting, const char *value)
{
    g_assert_true(settings_given(settings, setting));
    g_assert_cmpstr(settings_text(settings, setting), ==, value);
}

static void
test_outputs_become_settings(void)
{
    g_autoptr(AwsStack) stack = stack_with(OUTPUTS);
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(chat_stack_check(stack, &error));
    g_assert_true(chat_stack_read(stack, settings, &error));
    g_assert_no_error(error);
    assert_value(settings, SETTING_CATALOGUE, "dynamodb:table");
    assert_value(settings, SETTING_DOCUMENTS, "s3://bucket");
    assert_value(settings, SETTING_NEW_STORE, "secret:arn:aws:secretsmanager:r:1:secret:db");
    assert_value(settings, SETTING_CLUSTER, "cluster");
    assert_value(settings, SETTING_TASK_DEFINITION, "family");
    assert_value(settings, SETTING_SUBNETS, "one,two");
    assert_value(settings, SETTING_SECURITY_GROUPS, "sg");
    assert_value(settings, SETTING_TABLE_ROLE, "arn:role");
}

static void
test_what_is_given_stays(void)
{
    g_autoptr(AwsStack) stack = stack_with(OUTPUTS);
    g_autoptr(Settings) settings = settings_new();

    settings_set(settings, SETTING_CLUSTER, "mine", "--cluster", NULL);
    g_assert_true(chat_stack_read(stack, settings, NULL));
    assert_value(settings, SETTING_CLUSTER, "mine");
}

static void
test_an_empty_value_is_a_missing_one(void)
{
    static const char *const LESS[] = {"DocumentBucketName", "", "DbConfigSecretArn", "arn", NULL};
    g_autoptr(AwsStack) stack = stack_with(LESS);
    g_autoptr(Settings) settings = settings_new();
    g_autoptr(GError) error = NULL;

    g_assert_false(chat_stack_read(stack, settings, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
    g_assert_cmpstr(
        error->message, ==,
        "the stack \"Chat\" (Bedrock Chat v0.4) has no output DatabaseConversationTableName…, no "
        "output DocumentBucketName…, no output EmbeddingClusterName…, no output "
        "EmbeddingTaskDefinitionName…, no output PrivateSubnetId…, no output "
        "EmbeddingTaskSecurityGroupId…, no output TableAccessRoleArn…\n"
        "give by hand --catalogue, --documents, --cluster, --task-definition, --subnets, "
        "--security-groups, --table-role");
}

static void
test_the_version_is_told_by_outputs_and_disk(void)
{
    static const char *const V0[] = {"DbConfigSecretArn", "arn", NULL};
    static const char *const V1[] = {"EmbeddingClusterName1", "c", NULL};
    static const char *const V1_4[] = {
        "EmbeddingClusterName1", "c", "DocumentBucketName",
        "bedrockregionresourcesst-useast1documentbucket-x", NULL};
    static const char *const V2[] = {"DocumentBucketName", "b", NULL};
    static const char *const V3[] = {"BotTableNameV3", "b", "EmbeddingClusterName", "c", NULL};
    static const char *const OTHER[] = {"Url", "b", NULL};
    static const struct
    {
        const char *const *outputs;
        int disk_gib; /* negative: the task is not known */
        const char *version;
        bool fits;
    } CASES[] = {
        {V0, -1, "v0.4", true},          {V1, -1, "v1", true},
        {V1, 0, "v1.0 to v1.2.4", true}, {V1, 100, "v1.2.5 to v1.3", true},
        {V1_4, 100, "v1.4", true},       {V2, -1, "v2, or one older than v0.4.5", false},
        {V3, -1, "v3", false},           {OTHER, -1, "no version that is known", false},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(AwsStack) stack = stack_with(CASES[i].outputs);
        const AwsTaskDefinition task = {.disk_gib = CASES[i].disk_gib};
        g_autoptr(GError) error = NULL;
        g_assert_cmpstr(
            chat_stack_version(stack, CASES[i].disk_gib < 0 ? NULL : &task), ==, CASES[i].version);
        g_assert_true(chat_stack_check(stack, &error) == CASES[i].fits);
        g_assert_true(CASES[i].fits || g_error_matches(error, VF_ERROR, VF_ERROR_MISMATCH));
    }
}

static void
test_a_stack_under_change_is_refused(void)
{
    g_autoptr(AwsStack) stack = stack_with(OUTPUTS);
    g_autoptr(GError) error = NULL;

    g_free(stack->status);
    stack->status = g_strdup("UPDATE_IN_PROGRESS");
    g_assert_false(chat_stack_check(stack, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
    g_assert_true(g_str_has_prefix(
        error->message, "the stack \"Chat\" does not stand: it is UPDATE_IN_PROGRESS\n"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chat-stack/outputs become settings", test_outputs_become_settings);
    g_test_add_func("/chat-stack/what is given stays", test_what_is_given_stays);
    g_test_add_func(
        "/chat-stack/an empty value is a missing one", test_an_empty_value_is_a_missing_one);
    g_test_add_func(
        "/chat-stack/the version is told by outputs and disk",
        test_the_version_is_told_by_outputs_and_disk);
    g_test_add_func(
        "/chat-stack/a stack under change is refused", test_a_stack_under_change_is_refused);
    return g_test_run();
}
