/*
 * sts.h - keys for a role, from AWS's Security Token Service.
 */
#pragma once

#include "aws/keys.h"
#include "base/cancel.h"

#define AWS_STS_CODE_BYTES 80

typedef struct
{
    const char *endpoint; /* its base address, without a trailing "/" */
    const char *region;   /* that the call is signed for */
    const char *role_arn;
    const char *session_name;
    const char *external_id; /* or NULL, here and below */
    const char *policy;      /* narrows what the role may do */
    const char *web_token;   /* proves who we are instead of a signature */
    int duration_s;          /* 0: as STS likes, an hour */
} AwsStsRole;

/*
 * One call with a few attempts; signer: NULL with a web token.  A wrong clock of ours is mended
 * once, and the keys expire by our clock then.  code: of STS's refusal, "" for none; or NULL.
 *
 * VF_ERROR_DENIED   refused; VF_ERROR_USAGE  a role or policy that is none
 * VF_ERROR_CONNECT, VF_ERROR_BUSY  not reached or overloaded; VF_ERROR_FAILED  not an answer of AWS
 */
AwsKeys *aws_sts_assume(
    const AwsStsRole *role, const AwsKeys *signer, char *code, Cancel *cancel, GError **error);
