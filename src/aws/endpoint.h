/*
 * endpoint.h - where a service of AWS is asked, and for which region that is signed.
 *
 * A person may put another address in its place, and the first of these holds:
 *
 *     what the caller gives
 *     AWS_ENDPOINT_URL_SECRETS_MANAGER (one for each service), AWS_ENDPOINT_URL
 *     endpoint_url below `secrets_manager =` in the profile's services section
 *     the profile's endpoint_url
 *
 * AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true passes over all but the first.  Another address
 * changes neither the name nor the region that are signed.
 */
#pragma once

#include "aws/profile.h"
#include "aws/service.h"

/* What is configured. */
typedef struct
{
    char *urls[AWS_SERVICES]; /* NULL: AWS's own */
    bool fips;
    bool dual_stack;
} AwsPlaces;

/* Reads the environment and the profile; `url` is the caller's own for all services, or NULL.
 * VF_ERROR_USAGE names the setting that is no address. */
AwsPlaces *aws_places_read(
    const AwsFiles *files, const char *profile, const char *url, GError **error);
void aws_places_free(AwsPlaces *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsPlaces, aws_places_free)

typedef struct
{
    char *scheme; /* "https" */
    char *host;   /* as the Host header says it: with the port where it is not the scheme's */
    char *path;   /* before the call's own: "", "/bucket", … */
    char *region; /* to be signed */
} AwsEndpoint;

/* bucket: of S3, or NULL.  VF_ERROR_USAGE when region or bucket cannot be the name of one. */
AwsEndpoint *aws_endpoint(
    const AwsPlaces *places, AwsService service, const char *region, const char *bucket,
    GError **error);
void aws_endpoint_free(AwsEndpoint *endpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsEndpoint, aws_endpoint_free)

/* True for what can be the name of a region: it becomes a part of host names. */
bool aws_is_region(const char *region);
