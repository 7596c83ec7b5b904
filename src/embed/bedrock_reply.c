#include "embed/bedrock_reply.h"

#include "base/error.h"
#include "embed/number_lists.h"

#include <string.h>

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
fail(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(VF_ERROR, VF_ERROR_FAILED, format, args);
    va_end(args);
    return false;
}

static bool
copy_vector(
    const NumberLists *lists, const Json *value, int dimensions, float *vector, GError **error)
{
    gsize length = 0;
    const float *numbers = number_lists_get(lists, value, &length);

    if (numbers == NULL && json_array_size(value) > 0)
        return fail(error, "a vector holds something that is not a number");
    if (numbers == NULL && !json_is_array(value))
        return fail(error, "a vector is not a list of numbers");
    if (numbers == NULL || length != (gsize) dimensions)
        return fail(error, "a vector has %zu numbers, not %d", length, dimensions);
    memcpy(vector, numbers, length * sizeof *vector);
    return true;
}

/* Cohere's list has a vector for each text. */
static bool
read_list(
    const NumberLists *lists, const Json *list, gsize texts, int dimensions, float *vectors,
    GError **error)
{
    if (json_array_size(list) != texts)
        return fail(
            error, "the answer holds %zu vectors for %zu texts", json_array_size(list), texts);
    for (gsize i = 0; i < texts; i++)
        if (!copy_vector(
                lists, json_array_get(list, i), dimensions, vectors + i * (gsize) dimensions,
                error))
            return false;
    return true;
}

static bool
read_vectors(
    const NumberLists *lists, const Json *root, gsize texts, int dimensions, float *vectors,
    GError **error)
{
    const Json *list = json_object_get(root, "embeddings");
    const Json *one = json_object_get(root, "embedding");

    if (json_is_object(list))
        list = json_object_get(list, "float");
    if (one == NULL)
        one = json_object_get(json_object_get(root, "embeddingsByType"), "float");
    if (json_is_array(list))
        return read_list(lists, list, texts, dimensions, vectors, error);
    if (one == NULL)
        return fail(error, "the answer holds no vectors");
    if (texts != 1)
        return fail(error, "the answer holds 1 vector for %zu texts", texts);
    return copy_vector(lists, one, dimensions, vectors, error);
}

bool
bedrock_parse_reply(
    const char *bytes, gsize length, gsize texts, int dimensions, BedrockVectors *vectors,
    GError **error)
{
    g_auto(NumberLists) lists = {0};
    number_lists_take(bytes, length, &lists);
    g_autoptr(Json) root = json_loadb(lists.text->str, lists.text->len, 0, NULL);

    *vectors = (BedrockVectors){0};
    if (!json_is_object(root))
        return fail(error, "the answer is not JSON");
    const json_int_t tokens = json_integer_value(json_object_get(root, "inputTextTokenCount"));
    vectors->tokens = tokens > 0 ? (guint64) tokens : 0;

    g_autofree float *numbers = g_new0(float, texts *(gsize) dimensions);
    if (!read_vectors(&lists, root, texts, dimensions, numbers, error))
        return false;
    vectors->vectors = g_steal_pointer(&numbers);
    return true;
}
