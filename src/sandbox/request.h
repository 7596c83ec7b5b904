/*
 * request.h - what a host's caller and its children say to each other.
 *
 * The host's descriptor 0 is a socket that keeps messages apart.  A request is a HostRequest,
 * the arguments, each with its NUL, and three descriptors: input, output, talk.  The next
 * child takes it and says so; when that child is gone the host says how it ended.  An end
 * that nobody took before belongs to no request.
 */
#pragma once

#include "sandbox/confine.h"

#define MAX_REQUEST_BYTES 16384
#define REQUEST_DESCRIPTORS 3

typedef struct
{
    JobLimits limits;
} HostRequest;

typedef enum
{
    ANSWER_TAKEN = 1,
    ANSWER_ENDED,
} AnswerKind;

typedef struct
{
    int kind;
    int wait_status; /* of one that ended */
} HostAnswer;
