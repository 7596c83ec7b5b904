/* The answers of Bedrock's models, as bytes from anywhere. */
#include "embed/bedrock_reply.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (gsize texts = 1; texts <= 2; texts++)
    {
        g_autoptr(GError) error = NULL;
        BedrockVectors vectors = {0};
        const bool read =
            bedrock_parse_reply((const char *) data, size, texts, 2, &vectors, &error);
        g_assert(read == (error == NULL) && read == (vectors.vectors != NULL));

        /* Every number that was promised is there to be read. */
        volatile float sum = 0;
        for (gsize i = 0; read && i < 2 * texts; i++)
            sum = sum + vectors.vectors[i];
        g_free(vectors.vectors);
    }
    return 0;
}
