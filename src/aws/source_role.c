/*
 * source_role.c - keys of a role that a profile names, taken with other keys or with a token.
 */
#include "aws/source.h"
#include "aws/sts.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static const char *
value_of(const AwsSearch *search, const char *name)
{
    return aws_profile_value(search->files, search->profile, name);
}

static bool
fail(const AwsSearch *search, const char *what, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "profile \"%s\" %s", search->profile, what);
    return false;
}

static bool
check_role(const AwsSearch *search, GError **error)
{
    const bool profile = value_of(search, "source_profile") != NULL;
    const bool source = value_of(search, "credential_source") != NULL;

    if (profile && source)
        return fail(search, "has both source_profile and credential_source", error);
    if (!profile && !source)
        return fail(
            search,
            "has role_arn without source_profile, credential_source or "
            "web_identity_token_file",
            error);
    if (value_of(search, "mfa_serial") == NULL)
        return true;
    fail(search, "wants a one-time code (mfa_serial), which is not asked for", error);
    vf_error_hint(
        error,
        "put the role's keys into the environment: "
        "`eval \"$(aws configure export-credentials --profile %s --format env)\"`",
        search->profile);
    return false;
}

static bool
has_static_keys(const AwsSearch *search)
{
    return value_of(search, "aws_access_key_id") != NULL;
}

/* A profile may name itself for its static keys, and no other one twice. */
static bool
is_loop(const AwsSearch *source)
{
    for (const AwsSearch *above = source->role_of; above != NULL; above = above->role_of)
        if (strcmp(above->profile, source->profile) == 0)
            return above != source->role_of || !has_static_keys(source);
    return false;
}

static AwsKeys *
keys_of_profile(
    const AwsSearch *search, const char *profile, char **origin, Cancel *cancel, GError **error)
{
    const AwsSearch source = {
        .files = search->files,
        .profile = profile,
        .profile_named = true,
        .region = search->region,
        .role_of = search,
    };

    if (!aws_has_profile(search->files, profile))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "profile \"%s\" takes its role with \"%s\", which "
            "is no profile",
            search->profile, profile);
        return NULL;
    }
    if (is_loop(&source))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the profiles from \"%s\" on lead back to \"%s\"",
            profile, profile);
        vf_error_hint(error, "one source_profile must name a profile with keys of its own");
        return NULL;
    }
    if (!has_static_keys(&source) && value_of(&source, "role_arn") != NULL &&
        value_of(&source, "web_identity_token_file") == NULL)
        return aws_role_keys(&source, origin, cancel, error);
    return aws_find_profile_keys(&source, origin, cancel, error);
}

static AwsKeys *
keys_of_source(
    const AwsSearch *search, const char *name, char **origin, Cancel *cancel, GError **error)
{
    static const struct
    {
        const char *name;
        AwsSource keys;
    } NAMED[] = {
        {"Environment", aws_environment_keys},
        {"EcsContainer", aws_container_keys},
        {"Ec2InstanceMetadata", aws_instance_keys},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(NAMED); i++)
    {
        GError *problem = NULL;
        if (g_ascii_strcasecmp(name, NAMED[i].name) != 0)
            continue;
        g_autoptr(AwsKeys) keys = NAMED[i].keys(search, origin, cancel, &problem);
        if (keys == NULL && problem == NULL)
            g_set_error(
                &problem, VF_ERROR, VF_ERROR_DENIED,
                "profile \"%s\" wants the credentials of %s, and there are none", search->profile,
                NAMED[i].name);
        if (problem != NULL)
            g_propagate_error(error, problem);
        return g_steal_pointer(&keys);
    }
    fail(
        search,
        "has an unknown credential_source; there are Environment, EcsContainer, "
        "Ec2InstanceMetadata",
        error);
    return NULL;
}

/* What distinguishes our sessions in AWS's logs. */
static char *
session_name(const char *given)
{
    return given != NULL
               ? g_strdup(given)
               : g_strdup_printf("vecferry-%" G_GINT64_FORMAT, g_get_real_time() / G_USEC_PER_SEC);
}

static char *
endpoint_for(const AwsSearch *search, GError **error)
{
    return aws_source_endpoint(search->files, search->profile, "STS", "sts", search->region, error);
}

AwsKeys *
aws_role_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    const char *role_arn = value_of(search, "role_arn");
    const char *profile = value_of(search, "source_profile");
    const char *duration = value_of(search, "duration_seconds");
    g_autofree char *base_origin = NULL;

    if (role_arn == NULL || value_of(search, "web_identity_token_file") != NULL)
        return NULL;
    if (!check_role(search, error))
        return NULL;
    g_autofree char *endpoint = endpoint_for(search, error);
    if (endpoint == NULL)
        return NULL;
    g_autoptr(AwsKeys) base =
        profile != NULL
            ? keys_of_profile(search, profile, &base_origin, cancel, error)
            : keys_of_source(
                  search, value_of(search, "credential_source"), &base_origin, cancel, error);
    if (base == NULL)
        return NULL;

    g_autofree char *session = session_name(value_of(search, "role_session_name"));
    const AwsStsRole role = {
        .endpoint = endpoint,
        .region = search->region,
        .role_arn = role_arn,
        .session_name = session,
        .external_id = value_of(search, "external_id"),
        .duration_s = duration != NULL ? atoi(duration) : 0,
    };
    AwsKeys *keys = aws_sts_assume(&role, base, NULL, cancel, error);
    if (keys != NULL)
        *origin = g_strdup_printf("profile \"%s\" (role %s)", search->profile, role_arn);
    return keys;
}

/* ------------------------------------------------------------------------------------------ */

static AwsKeys *
assume_with_token(const char *path, AwsStsRole *role, Cancel *cancel, GError **error)
{
    GError *problem = NULL;
    g_autoptr(AwsSecret) token = aws_read_secret(path, "the web identity token", error);

    if (token == NULL)
        return NULL;
    role->web_token = token;
    AwsKeys *keys = aws_sts_assume(role, NULL, NULL, cancel, &problem);

    /* Kubernetes may have replaced an old token between our reading and STS's judging it. */
    g_autoptr(AwsSecret) again = NULL;
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED) &&
        (again = aws_read_secret(path, "the web identity token", NULL)) != NULL &&
        strcmp(again, token) != 0)
    {
        g_clear_error(&problem);
        role->web_token = again;
        keys = aws_sts_assume(role, NULL, NULL, cancel, &problem);
    }
    if (problem != NULL)
        g_propagate_error(error, problem);
    role->web_token = NULL;
    return keys;
}

AwsKeys *
aws_web_identity_keys(const AwsSearch *search, char **origin, Cancel *cancel, GError **error)
{
    const char *path = search->profile_named ? NULL : aws_variable("AWS_WEB_IDENTITY_TOKEN_FILE");
    const bool in_environment = path != NULL;

    if (!in_environment)
        path = value_of(search, "web_identity_token_file");
    if (path == NULL)
        return NULL;

    const char *role_arn =
        in_environment ? aws_variable("AWS_ROLE_ARN") : value_of(search, "role_arn");
    if (role_arn == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "there is a web identity token, but no %s",
            in_environment ? "AWS_ROLE_ARN" : "role_arn in its profile");
        return NULL;
    }
    g_autofree char *endpoint = endpoint_for(search, error);
    if (endpoint == NULL)
        return NULL;
    g_autofree char *session = session_name(
        in_environment ? aws_variable("AWS_ROLE_SESSION_NAME")
                       : value_of(search, "role_session_name"));
    AwsStsRole role = {
        .endpoint = endpoint,
        .region = search->region,
        .role_arn = role_arn,
        .session_name = session,
    };
    AwsKeys *keys = assume_with_token(path, &role, cancel, error);
    if (keys != NULL)
        *origin = g_strdup_printf("a web identity (role %s)", role_arn);
    return keys;
}
