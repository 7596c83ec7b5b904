/* The answers of an embedding server, as bytes from anywhere. */
#include "embed/openai_reply.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_as_success(const char *bytes, size_t length)
{
    OpenaiVectors vectors = {0};

    if (!openai_parse_reply(bytes, length, 2, 0, &vectors, NULL))
        return;
    g_assert(vectors.dimensions > 0);

    /* Every number that was promised is there to be read. */
    volatile float sum = 0;
    for (int i = 0; i < 2 * vectors.dimensions; i++)
        sum = sum + vectors.vectors[i];
    g_free(vectors.vectors);
}

static void
read_as_failure(const char *bytes, size_t length)
{
    OpenaiProblem problem;

    openai_parse_problem(bytes, length, &problem);
    for (int status = 400; status < 510; status++)
        openai_problem_kind(&problem, status);
    g_autofree char *quote = openai_quotable(problem.message, "secret-key-1234");
    g_assert(g_utf8_validate(quote, -1, NULL));
    g_assert(strpbrk(quote, "\r\n\033") == NULL);
    g_assert(strstr(quote, "secret-key-1234") == NULL);
    openai_problem_clear(&problem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as_success((const char *) data, size);
    read_as_failure((const char *) data, size);
    return 0;
}
