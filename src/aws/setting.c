#include "aws/setting.h"

const char *
aws_setting(const AwsFiles *files, const char *profile, const char *variable, const char *name)
{
    const char *value = g_getenv(variable);

    if (value == NULL || *value == '\0')
        value = aws_profile_value(files, profile, name);
    return value != NULL && *value != '\0' ? value : NULL;
}

bool
aws_setting_is_true(
    const AwsFiles *files, const char *profile, const char *variable, const char *name)
{
    const char *value = aws_setting(files, profile, variable, name);
    return value != NULL && g_ascii_strcasecmp(value, "true") == 0;
}
