/*
 * setting.h - what is set for AWS tools, in the environment or in a profile.
 */
#pragma once

#include "aws/profile.h"

/* The variable's value, else the profile's; what is empty counts as absent.  NULL: neither.
 * Borrowed. */
const char *aws_setting(
    const AwsFiles *files, const char *profile, const char *variable, const char *name);

/* The same for one that is true or false; false when it is neither. */
bool aws_setting_is_true(
    const AwsFiles *files, const char *profile, const char *variable, const char *name);
