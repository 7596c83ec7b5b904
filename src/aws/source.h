/*
 * source.h - the places where credentials are looked for.
 *
 * Each source gives keys, yours, and their origin in words, yours; or NULL without an error when
 * nothing points to it; or an error when it was to be used and failed.
 */
#pragma once

#include "aws/keys.h"
#include "aws/profile.h"
#include "base/cancel.h"
#include "base/retry.h"
#include "http/http.h"

typedef struct AwsSearch AwsSearch;

struct AwsSearch
{
    const AwsFiles *files;
    const char *profile;
    bool profile_named;       /* by the user, so that it comes before the environment */
    const char *region;       /* for calls of STS */
    const AwsSearch *role_of; /* whose role wants these keys; NULL: nobody's */
};

typedef AwsKeys *(*AwsSource)(
    const AwsSearch *search, char **origin, Cancel *cancel, GError **error);

/* Asks one source after the other.  VF_ERROR_MISMATCH, with the places, when none has keys. */
AwsKeys *aws_find_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error);

/* The same for a profile that a role starts from: only what the profile itself says, without a
 * role of its own. */
AwsKeys *aws_find_profile_keys(
    const AwsSearch *search, char **origin, Cancel *cancel, GError **error);

AwsKeys *aws_environment_keys(
    const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_role_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_web_identity_keys(
    const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_sso_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_credentials_file_keys(
    const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_process_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_config_file_keys(
    const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_container_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error);
AwsKeys *aws_instance_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error);

/* What sources share. -------------------------------------------------------------------- */

/* A variable of the environment that is set and not empty, or NULL. */
const char *aws_variable(const char *name);

/* The first line of what somebody else says, fit for an error.  Yours. */
char *aws_quote(const char *text);

/* A small file without the white space around its text, yours.  what: "the token". */
AwsSecret *aws_read_secret(const char *path, const char *what, GError **error);

/* Asks again, as the policy says, while a failure may pass. */
typedef AwsKeys *(*AwsAsk)(void *data, Cancel *cancel, GError **error);
AwsKeys *aws_ask_patiently(
    const RetryPolicy *policy, AwsAsk ask, void *data, Cancel *cancel, GError **error);

/* An answer whose body is overwritten before it is freed. */
typedef HttpResponse SecretResponse;
void aws_response_free(SecretResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SecretResponse, aws_response_free)

/* One attempt.  What is wrong with the answer itself is VF_ERROR_FAILED here. */
SecretResponse *aws_fetch(
    HttpClient *client, const HttpRequest *request, Cancel *cancel, GError **error);

/* For addresses that whoever runs the program chose, or AWS itself behind a private endpoint. */
HttpClient *aws_open_client(void);

/* For plain http to this very address: to its literal host, or what "localhost" stands for. */
HttpClient *aws_narrow_client(const char *url);

/*
 * The base address of a service without a trailing "/", yours: AWS_ENDPOINT_URL_SERVICE,
 * AWS_ENDPOINT_URL, the profile's, AWS itself.  id: "SSO_OIDC"; host: "oidc".
 */
char *aws_source_endpoint(
    const AwsFiles *files, const char *profile, const char *id, const char *host,
    const char *region, GError **error);
