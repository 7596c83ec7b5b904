/*
 * stage_aws.h - the client of AWS that the settings ask for.
 */
#pragma once

#include "aws/client.h"
#include "base/settings.h"

/* region: where something else than the rest is; NULL: where the settings say. */
AwsClient *stage_aws(const Settings *settings, const char *region, GError **error);
