/*
 * openai_reply.h - reads what an OpenAI-compatible server answers.
 *
 * Pure: bytes in, judgement out.  The bytes may be anything.
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>

typedef struct
{
    float *vectors; /* texts × dimensions, in the order of the texts; yours */
    int dimensions;
    guint64 tokens; /* 0 when the server does not say */
} OpenaiVectors;

/*
 * Reads a success for so many texts (at least one).  Vectors may come as numbers or as
 * base64 of little-endian floats, and in any order; each text must have exactly one,
 * all of the same length: dimensions, if that is not 0.  VF_ERROR_FAILED otherwise.
 */
bool openai_parse_reply(
    const char *bytes, size_t length, size_t texts, int dimensions, OpenaiVectors *vectors,
    GError **error);

/* What a failure's body says; every string is there, if only "". */
typedef struct
{
    char *message;
    char *type;
    char *code;
    char *param;
    int status; /* an HTTP status told inside of the body; 0 for none */
} OpenaiProblem;

void openai_parse_problem(const char *bytes, size_t length, OpenaiProblem *problem);
void openai_problem_clear(OpenaiProblem *problem);

/* What the caller can do about it. */
VfError openai_problem_kind(const OpenaiProblem *problem, int status);

/*
 * True for a status by which a server says that it did not do the work.  After any other failure
 * nobody knows: behind a gateway that timed out (504, 408) or lost its server (502) the model may
 * have done and billed it, and a server that broke (500, 503) may have broken after it.
 */
bool openai_status_refuses(int status);

/* True when the account has no money left, and no waiting helps. */
bool openai_problem_is_quota(const OpenaiProblem *problem);

/* The message on one line, of bearable length, and without the key (which may be
 * NULL), as a whole or in part, should the server repeat it.  Yours. */
char *openai_quotable(const char *message, const char *key);
