/*
 * client_state.h - what an AwsClient holds, for those who make it and call with it.
 */
#pragma once

#include "aws/client.h"
#include "aws/endpoint.h"

#include <pthread.h>
#include <stdatomic.h>

struct AwsClient
{
    AwsFiles *files;
    AwsCredentials *own_credentials; /* NULL when they are borrowed */
    AwsCredentials *credentials;
    AwsPlaces *places;
    HttpClient *http;
    AwsQuota *quota;
    const AwsTiming *timing;
    char *region;
    int attempts;

    _Atomic gint64 clock_offset_s; /* the server's clock is so much later than ours */

    pthread_mutex_t mutex;
    GHashTable *bucket_regions; /* those that are not the client's; guarded by the mutex */
};
