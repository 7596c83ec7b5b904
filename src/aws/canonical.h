/*
 * canonical.h - the one spelling of a request that both sides of a signature compute.
 */
#pragma once

#include "aws/sign.h"

/* Headers as they are signed: lower-case names, sorted, each once. */
typedef struct
{
    char *lines; /* "name:value\n" each */
    char *names; /* "a;b" */
} CanonicalHeaders;

void canonical_headers_clear(CanonicalHeaders *headers);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CanonicalHeaders, canonical_headers_clear)

/* Host and the list's headers, without those that may change on the way. */
CanonicalHeaders canonical_headers(const char *host, const char *const *headers);

/* The path as the rule wants it signed, "/" for an empty one.  Yours, here and below. */
char *canonical_path(const char *path, AwsPathRule rule);

/* Names and values decoded, encoded anew and sorted; NULL is "". */
char *canonical_query(const char *query);

/* The whole request; payload: the hash of its body in hex, or UNSIGNED-PAYLOAD. */
char *canonical_request(
    const AwsSignable *request, const char *query, AwsPathRule rule,
    const CanonicalHeaders *headers, const char *payload);
