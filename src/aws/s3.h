/*
 * s3.h - objects of S3: their list, their facts, their bytes.
 *
 * Keys are bytes as S3 has them, not encoded.
 *
 * VF_ERROR_MISMATCH   no such bucket or object
 * VF_ERROR_DENIED     forbidden; without the right to list a bucket, S3 says so of missing objects
 *                     too
 * VF_ERROR_BAD_INPUT  archived, or too large
 * VF_ERROR_BUSY       the object changed while it was loaded
 */
#pragma once

#include "aws/client.h"

typedef struct
{
    gint64 bytes;
    gint64 modified_ms; /* since the epoch; -1 when S3 did not say */
} AwsObject;

/* Takes one object of a list; key is borrowed. */
typedef void (*AwsObjectTaker)(void *data, const char *key, const AwsObject *object);

/* All objects whose keys begin so, page by page.  code: 80 bytes for S3's code of a failure, as
 * "AccessDenied"; "" when it has none; NULL: never mind. */
bool aws_list_objects(
    AwsClient *client, const char *bucket, const char *prefix, AwsObjectTaker take, void *data,
    char *code, Cancel *cancel, GError **error);

/* What S3 says of one object, which costs about as much as a page of a list. */
bool aws_head_object(
    AwsClient *client, const char *bucket, const char *key, AwsObject *object, char *code,
    Cancel *cancel, GError **error);

/*
 * Writes the object to the descriptor of an empty file; max_bytes 0: no limit.  What broke off is
 * resumed where it ended, as long as each attempt brings it forward; no byte of another version of
 * the object is taken for one of this.
 */
bool aws_load_object(
    AwsClient *client, const char *bucket, const char *key, int fd, gint64 max_bytes,
    AwsObject *object, char *code, Cancel *cancel, GError **error);
