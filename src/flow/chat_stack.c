#include "flow/chat_stack.h"

#include "base/error.h"

#include <string.h>

/* From v1.2.5 on a task asks for so much disk. */
#define DISK_SINCE_1_2_5 100

typedef struct
{
    const char *keys[2]; /* how the output's key begins; the second where there is no first */
    const char *before;  /* the value */
    Setting setting;
    bool many; /* all that begin so, with commas between */
} Output;

static const Output OUTPUTS[] = {
    {{"DatabaseConversationTableName", "ConversationTableName"},
     "dynamodb:",
     SETTING_CATALOGUE,
     false},
    {{"DocumentBucketName"}, "s3://", SETTING_DOCUMENTS, false},
    {{"DbConfigSecretArn"}, "secret:", SETTING_NEW_STORE, false},
    {{"EmbeddingClusterName"}, "", SETTING_CLUSTER, false},
    {{"EmbeddingTaskDefinitionName"}, "", SETTING_TASK_DEFINITION, false},
    {{"PrivateSubnetId"}, "", SETTING_SUBNETS, true},
    {{"EmbeddingTaskSecurityGroupId"}, "", SETTING_SECURITY_GROUPS, false},
    {{"TableAccessRoleArn"}, "", SETTING_TABLE_ROLE, false},
};

static gint
by_key(gconstpointer one, gconstpointer other)
{
    const AwsStackOutput *const *first = one;
    const AwsStackOutput *const *second = other;
    return strcmp((*first)->key, (*second)->key);
}

/* Those of AwsStackOutput, borrowed, whose key begins so; in the order of their keys. */
static GPtrArray *
outputs_like(const AwsStack *stack, const char *key)
{
    GPtrArray *found = g_ptr_array_new();

    for (guint i = 0; i < stack->outputs->len; i++)
    {
        AwsStackOutput *output = stack->outputs->pdata[i];
        if (g_str_has_prefix(output->key, key) && *output->value != '\0')
            g_ptr_array_add(found, output);
    }
    g_ptr_array_sort(found, by_key);
    return found;
}

static bool
has_output(const AwsStack *stack, const char *key)
{
    g_autoptr(GPtrArray) found = outputs_like(stack, key);
    return found->len > 0;
}

/* --- which application ----------------------------------------------------------------------- */

typedef enum
{
    NO_CHAT,
    WITHOUT_OUTPUTS, /* older than v0.4.5, or v2 */
    VERSION_0,
    VERSION_1,
    VERSION_3,
} Generation;

static Generation
generation_of(const AwsStack *stack)
{
    if (has_output(stack, "BotTableNameV3") || has_output(stack, "ConversationTableNameV3"))
        return VERSION_3;
    if (has_output(stack, "EmbeddingClusterName"))
        return VERSION_1;
    if (has_output(stack, "DbConfig"))
        return VERSION_0;
    return has_output(stack, "DocumentBucketName") ? WITHOUT_OUTPUTS : NO_CHAT;
}

/* A bucket's name has the first 24 letters of its stack's. */
static bool
has_bucket_of_another_stack(const AwsStack *stack)
{
    g_autoptr(GPtrArray) found = outputs_like(stack, "DocumentBucketName");
    const AwsStackOutput *bucket = found->len == 1 ? found->pdata[0] : NULL;
    return bucket != NULL && strstr(bucket->value, "bedrockregionresourcesst") != NULL;
}

const char *
chat_stack_version(const AwsStack *stack, const AwsTaskDefinition *task)
{
    switch (generation_of(stack))
    {
    case VERSION_0:
        return "v0.4";
    case VERSION_1:
        if (has_bucket_of_another_stack(stack))
            return "v1.4";
        if (task == NULL)
            return "v1";
        return task->disk_gib >= DISK_SINCE_1_2_5 ? "v1.2.5 to v1.3" : "v1.0 to v1.2.4";
    case VERSION_3:
        return "v3";
    case WITHOUT_OUTPUTS:
        return "v2, or one older than v0.4.5";
    case NO_CHAT:
        return "no version that is known";
    }
    g_assert_not_reached();
}

/* A deploy that changes the cluster's address makes the table anew, without its rows. */
static bool
check_stands(const AwsStack *stack, GError **error)
{
    if (aws_stack_stands(stack))
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "the stack \"%s\" does not stand: it is %s",
        stack->name, stack->status);
    vf_error_hint(
        error, "wait until the deployment is over and well: it may drop the table items, and what "
               "is loaded before is lost");
    return false;
}

bool
chat_stack_check(const AwsStack *stack, GError **error)
{
    const Generation generation = generation_of(stack);

    if (generation == VERSION_0 || generation == VERSION_1)
        return check_stands(stack, error);
    if (generation == NO_CHAT)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_MISMATCH,
            "the stack \"%s\" has none of the outputs of Bedrock Chat", stack->name);
        vf_error_hint(
            error, "its usual name is BedrockChatStack; `aws cloudformation list-stacks` "
                   "lists all");
        return false;
    }
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "the stack \"%s\" is Bedrock Chat %s", stack->name,
        chat_stack_version(stack, NULL));
    vf_error_hint(
        error, "stacks from v0.4.5 to v1.4 tell where their vectors are in PostgreSQL; "
               "for others write vecferry.conf by hand (`vecferry settings`)");
    return false;
}

/* --- the settings ---------------------------------------------------------------------------- */

/* The value of a setting, yours; NULL with *problem, yours, when the outputs do not tell it. */
static char *
value_of(const AwsStack *stack, const Output *output, char **problem)
{
    g_autoptr(GPtrArray) found = outputs_like(stack, output->keys[0]);
    g_autoptr(GString) value = g_string_new(output->before);

    if (found->len == 0 && output->keys[1] != NULL)
    {
        g_ptr_array_unref(found);
        found = outputs_like(stack, output->keys[1]);
    }
    if (found->len == 0 || (found->len > 1 && !output->many))
    {
        *problem = g_strdup_printf(
            "%s %s…", found->len == 0 ? "no output" : "several outputs", output->keys[0]);
        return NULL;
    }
    for (guint i = 0; i < found->len; i++)
    {
        const AwsStackOutput *one = found->pdata[i];
        g_string_append_printf(value, "%s%s", i > 0 ? "," : "", one->value);
    }
    return g_string_free(g_steal_pointer(&value), FALSE);
}

static void
add_word(GString *list, const char *before, const char *word)
{
    g_string_append_printf(list, "%s%s%s", list->len > 0 ? ", " : "", before, word);
}

bool
chat_stack_read(const AwsStack *stack, Settings *settings, GError **error)
{
    g_autoptr(GString) problems = g_string_new(NULL);
    g_autoptr(GString) options = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(OUTPUTS); i++)
    {
        const Output *output = &OUTPUTS[i];
        if (settings_given(settings, output->setting))
            continue;
        g_autofree char *problem = NULL;
        g_autofree char *value = value_of(stack, output, &problem);
        if (value == NULL)
        {
            add_word(problems, "", problem);
            add_word(options, "--", setting_info(output->setting)->option);
        }
        else if (!settings_set(settings, output->setting, value, "the stack's output", error))
            return false;
    }
    if (problems->len == 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "the stack \"%s\" (Bedrock Chat %s) has %s",
        stack->name, chat_stack_version(stack, NULL), problems->str);
    vf_error_hint(error, "give by hand %s", options->str);
    return false;
}
