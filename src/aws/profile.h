/*
 * profile.h - the shared files of AWS tools: ~/.aws/config and ~/.aws/credentials.
 *
 * Format and names: "Configuration and credential file settings in the AWS CLI" (AWS CLI User
 * Guide) and "AWS SDKs and Tools Reference Guide".  AWS_CONFIG_FILE and
 * AWS_SHARED_CREDENTIALS_FILE name other files; a missing file is an empty one.
 */
#pragma once

#include "aws/keys.h"

typedef struct AwsFiles AwsFiles;

/* Reads both.  VF_ERROR_USAGE names file and line of what cannot be read, never its text. */
AwsFiles *aws_files_read(GError **error);
void aws_files_free(AwsFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsFiles, aws_files_free)

/* The profile that holds when nobody names one: AWS_PROFILE, AWS_DEFAULT_PROFILE, "default".
 * Borrowed from the environment. */
const char *aws_default_profile(void);

bool aws_has_profile(const AwsFiles *files, const char *profile);

/* A setting of a profile, the credentials file first; NULL when it is absent.  Borrowed. */
const char *aws_profile_value(const AwsFiles *files, const char *profile, const char *name);

typedef enum
{
    AWS_CREDENTIALS_FILE,
    AWS_CONFIG_FILE,
} AwsFile;

/* Where that file is, whether it exists or not.  Borrowed. */
const char *aws_file_path(const AwsFiles *files, AwsFile file);

/*
 * The static keys that this file gives a profile, yours: never a key of one file with the token
 * of the other.  NULL without an error when it gives none; VF_ERROR_USAGE for half a pair.
 */
AwsKeys *aws_profile_keys(const AwsFiles *files, AwsFile file, const char *profile, GError **error);

/* A setting of another section of the config file: kind "sso-session" or "services". */
const char *aws_section_value(
    const AwsFiles *files, const char *kind, const char *section, const char *name);

/* A nested setting, as `endpoint_url` under `secrets_manager =` in a services section. */
const char *aws_nested_value(
    const AwsFiles *files, const char *kind, const char *section, const char *group,
    const char *name);
