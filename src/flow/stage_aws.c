#include "flow/stage_aws.h"

AwsClient *
stage_aws(const Settings *settings, const char *region, GError **error)
{
    const AwsClientOptions options = {
        .profile = settings_text(settings, SETTING_AWS_PROFILE),
        .region = region != NULL ? region : settings_text(settings, SETTING_AWS_REGION),
    };
    return aws_client_new(&options, NULL, error);
}
