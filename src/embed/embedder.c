#include "embed/embedder.h"

#include "base/error.h"

#include <math.h>

void
embed_reply_begin(EmbedReply *reply)
{
    *reply = (EmbedReply){.retry_after_ms = -1, .requests_per_minute = -1, .tokens_per_minute = -1};
}

void
embed_reply_clear(EmbedReply *reply)
{
    g_free(reply->vectors);
    *reply = (EmbedReply){0};
}

void
embedder_free(Embedder *embedder)
{
    if (embedder != NULL)
        embedder->free(embedder);
}

char *
embedder_space(const Embedder *embedder)
{
    const EmbedderInfo *info = &embedder->info;

    if (info->variant == NULL)
        return g_strdup_printf("%s/%s/%d", info->provider, info->model, info->dimensions);
    return g_strdup_printf(
        "%s/%s/%d/%s", info->provider, info->model, info->dimensions, info->variant);
}

static bool
check_vector(const float *vector, int dimensions, size_t number, GError **error)
{
    bool all_zero = true;

    for (int i = 0; i < dimensions; i++)
    {
        if (!isfinite(vector[i]))
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_FAILED,
                "the vector of text %zu holds a number that is not finite", number);
            return false;
        }
        all_zero &= vector[i] == 0;
    }
    if (all_zero)
        g_set_error(error, VF_ERROR, VF_ERROR_FAILED, "the vector of text %zu is all zero", number);
    return !all_zero;
}

bool
embed_check_vectors(const float *vectors, size_t count, int dimensions, GError **error)
{
    for (size_t i = 0; i < count; i++)
        if (!check_vector(vectors + i * (size_t) dimensions, dimensions, i + 1, error))
            return false;
    return true;
}

bool
embed_check_texts(const char *const *texts, size_t count, GError **error)
{
    for (size_t i = 0; i < count; i++)
        if (!g_utf8_validate(texts[i], -1, NULL))
        {
            g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "text %zu is not valid UTF-8", i + 1);
            return false;
        }
    return true;
}
