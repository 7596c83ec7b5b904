/*
 * instance_region.h - the region of the EC2 instance that we run on.
 */
#pragma once

#include "aws/profile.h"
#include "base/cancel.h"

/* Asks the instance metadata service (IMDSv2), for a second at most.  Yours; NULL when this is no
 * instance, or AWS_EC2_METADATA_DISABLED. */
char *aws_instance_region(const AwsFiles *files, const char *profile, Cancel *cancel);
