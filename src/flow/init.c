#include "flow/init.h"

#include "aws/task_definition.h"
#include "base/error.h"
#include "flow/chat_stack.h"
#include "flow/stage_aws.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What the application embeds with. */
#define USUAL_MODEL "cohere.embed-multilingual-v3"

void
init_free(Init *init)
{
    if (init == NULL)
        return;
    g_free(init->stack);
    g_free(init->region);
    g_free(init->version);
    g_ptr_array_unref(init->notes);
    g_free(init);
}

static void note(Init *init, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
note(Init *init, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(init->notes, g_strdup_vprintf(format, args));
    va_end(args);
}

/* --- what AWS tells ----------------------------------------------------------------------------
 */

static bool
suggest(Settings *settings, Setting setting, const char *value, GError **error)
{
    return value == NULL || settings_given(settings, setting) ||
           settings_set(settings, setting, value, "AWS's answer", error);
}

/* The task of the stack; NULL without an error when it may not be read. */
static AwsTaskDefinition *
look_at_task(
    Init *init, AwsClient *client, const Settings *settings, Cancel *cancel, GError **error)
{
    g_autoptr(GError) problem = NULL;
    AwsTaskDefinition *task = aws_task_definition(
        client, settings_text(settings, SETTING_TASK_DEFINITION),
        settings_text(settings, SETTING_CONTAINER), cancel, &problem);

    if (task != NULL)
        return task;
    if (!g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return NULL;
    }
    note(
        init,
        "the task definition may not be read (ecs:DescribeTaskDefinition), so the region of "
        "Bedrock is not known: it is taken to be %s (--bedrock-region)",
        init->region);
    return NULL;
}

static bool
take_task(const AwsTaskDefinition *task, Settings *settings, GError **error)
{
    return suggest(
               settings, SETTING_BEDROCK_REGION,
               g_hash_table_lookup(task->environment, "BEDROCK_REGION"), error) &&
           suggest(settings, SETTING_CONTAINER, task->container, error);
}

static bool
read_stack(
    Init *init, AwsClient *client, const InitOptions *options, Settings *settings, Cancel *cancel,
    GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(AwsStack) stack = aws_stack(client, options->stack, cancel, error);
    if (stack == NULL || !chat_stack_check(stack, error) ||
        !chat_stack_read(stack, settings, error))
        return false;
    g_autoptr(AwsTaskDefinition) task = look_at_task(init, client, settings, cancel, &problem);
    if (problem != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    init->stack = g_strdup(stack->name);
    init->version = g_strdup(chat_stack_version(stack, task));
    return (task == NULL || take_task(task, settings, error)) &&
           suggest(settings, SETTING_BEDROCK_REGION, init->region, error) &&
           suggest(settings, SETTING_AWS_REGION, init->region, error) &&
           suggest(settings, SETTING_EMBEDDER, "bedrock", error) &&
           suggest(settings, SETTING_MODEL, USUAL_MODEL, error);
}

/* --- the file ----------------------------------------------------------------------------------
 */

static void
comment_setting(GKeyFile *file, const SettingInfo *info)
{
    static const char TUNNEL[] =
        "\n Behind a tunnel, write ?host=localhost&port=5433 after it.  RDS has certificates of its"
        "\n own: ?sslrootcert=FILE names its bundle, where the system does not know them.";
    const bool store = info == setting_info(SETTING_NEW_STORE);
    g_autofree char *text = g_strdup_printf(" %s%s", info->help, store ? TUNNEL : "");

    g_key_file_set_comment(file, info->group, info->key, text, NULL);
}

/* With what each setting means above it.  Yours. */
static char *
file_text(const Init *init, const Settings *settings)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *head = g_strdup_printf(
        " Settings of vecferry, written by `vecferry init --stack %s` for Bedrock Chat %s in\n"
        " region %s.  There is no secret in it: the password of the store stays in AWS Secrets\n"
        " Manager until it is needed.  `vecferry settings` shows all other settings.",
        init->stack, init->version, init->region);

    for (int i = 0; i < SETTING_COUNT; i++)
    {
        const SettingInfo *info = setting_info((Setting) i);
        if (info->group == NULL || !settings_given(settings, (Setting) i))
            continue;
        g_key_file_set_string(file, info->group, info->key, settings_text(settings, (Setting) i));
        comment_setting(file, info);
    }
    g_key_file_set_comment(file, NULL, NULL, head, NULL);
    return g_key_file_to_data(file, NULL, NULL);
}

static void
set_exists_error(const char *path, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is there already", path);
    vf_error_hint(error, "--force replaces it, --output names another");
}

static bool
write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0)
    {
        const ssize_t written = write(fd, text, left);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        text += written;
        left -= (size_t) written;
    }
    return fsync(fd) == 0;
}

/* One that came into being meanwhile is not replaced either. */
static bool
make_file(const char *path, const char *text, GError **error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
    {
        set_exists_error(path, error);
        return false;
    }
    const bool written = fd >= 0 && write_all(fd, text);
    const int reason = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !written)
        unlink(path);
    if (!written)
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not write \"%s\": %s", path,
            g_strerror(reason));
    return written;
}

/* The old file is there until the new one is whole. */
static bool
write_file(const InitOptions *options, const char *text, GError **error)
{
    if (!options->force)
        return make_file(options->path, text, error);
    g_autofree char *part = g_strdup_printf("%s.%d.part", options->path, (int) getpid());
    if (!make_file(part, text, error))
        return false;
    if (rename(part, options->path) == 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not write \"%s\": %s", options->path,
        g_strerror(errno));
    unlink(part);
    return false;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

Init *
flow_init(Settings *settings, const InitOptions *options, Cancel *cancel, GError **error)
{
    if (!options->force && g_file_test(options->path, G_FILE_TEST_EXISTS))
    {
        set_exists_error(options->path, error);
        return NULL;
    }
    g_autoptr(AwsClient) client = stage_aws(settings, NULL, error);
    if (client == NULL)
        return NULL;
    g_autoptr(Init) init = g_new0(Init, 1);
    init->region = g_strdup(aws_client_region(client));
    init->notes = g_ptr_array_new_with_free_func(g_free);
    if (!read_stack(init, client, options, settings, cancel, error))
        return NULL;
    g_autofree char *text = file_text(init, settings);
    return write_file(options, text, error) ? g_steal_pointer(&init) : NULL;
}
