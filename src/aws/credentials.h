/*
 * credentials.h - finds credentials as the AWS SDKs do, and renews them in time.
 *
 * Order: environment; role of the profile (role_arn with source_profile or credential_source); web
 * identity; SSO; keys of the credentials file; credential_process; keys of the config file;
 * container endpoint; instance metadata.  A profile named by the user comes before the
 * environment.  Many threads may ask at once; one renews, the others wait or go on with keys that
 * still hold.  No secret ever enters an error, an origin or a hint.
 *
 * VF_ERROR_DENIED   none found, expired, refused: the message lists where it looked, the hint
 *                   what to do
 * VF_ERROR_USAGE    a profile, variable or file that cannot be meant so
 * VF_ERROR_CONNECT, VF_ERROR_BUSY  an endpoint was not reached, or is overloaded
 * VF_ERROR_FAILED   an endpoint or a program gave something else than keys
 */
#pragma once

#include "aws/keys.h"
#include "aws/profile.h"
#include "base/cancel.h"

typedef struct AwsCredentials AwsCredentials;

/* profile: NULL for the default.  region: for the role's STS call; NULL: AWS_REGION,
 * AWS_DEFAULT_REGION, the profile's, us-east-1.  The files are borrowed.  Nothing is asked yet. */
AwsCredentials *aws_credentials_new(const AwsFiles *files, const char *profile, const char *region);
void aws_credentials_free(AwsCredentials *credentials);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsCredentials, aws_credentials_free)

/* Keys that hold now, yours.  Renewed when less than 15 minutes are left; with more than 10 a
 * failure to renew is tolerated.  Keys made for less than an hour: see renewal.h. */
AwsKeys *aws_credentials_get(AwsCredentials *credentials, Cancel *cancel, GError **error);

/* A server says these keys do not hold any more: the next aws_credentials_get() asks the source
 * again. */
void aws_credentials_refused(AwsCredentials *credentials, const AwsKeys *keys);

/* Where the keys come from, for people: "profile dev (role arn:…)".  NULL before the first get.
 * Yours. */
char *aws_credentials_origin(AwsCredentials *credentials);

/* Credentials of a role, taken with others': the second set borrows the first.  policy: a session
 * policy that narrows the role, or NULL.  region: as above. */
AwsCredentials *aws_credentials_of_role(
    AwsCredentials *base, const char *role_arn, const char *session_name, const char *policy,
    const char *region);
