#include "embed/openai_reply.h"

#include "base/json.h"
#include "embed/number_lists.h"

#include <string.h>

#define MAX_DIMENSIONS 16000 /* pgvector stores no longer vector */
#define MAX_QUOTE 300

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

/* GLib's decoder skips what it does not know; a vector with a gap must not pass. */
static guchar *
decode_base64(const char *text, size_t *length)
{
    static const char ALPHABET[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t letters = strspn(text, ALPHABET);
    const size_t padding = strspn(text + letters, "=");

    if (text[letters + padding] != '\0' || padding > 2 || (letters + padding) % 4 != 0)
        return NULL;
    return g_base64_decode(text, length);
}

static void
copy_floats(const guchar *bytes, size_t count, float *vector)
{
    for (size_t i = 0; i < count; i++)
    {
        guint32 bits;
        memcpy(&bits, bytes + 4 * i, sizeof bits);
        bits = GUINT32_FROM_LE(bits);
        memcpy(&vector[i], &bits, sizeof bits);
    }
}

static bool
check_length(gsize length, int dimensions, GError **error)
{
    if (length == 0 || length > MAX_DIMENSIONS)
        return fail(error, "a vector has an impossible length (%zu numbers)", length);
    if (dimensions != 0 && length != (gsize) dimensions)
        return fail(error, "a vector has %zu numbers, not %d", length, dimensions);
    return true;
}

static float *
read_base64(const char *text, int *dimensions, GError **error)
{
    size_t bytes = 0;
    g_autofree guchar *decoded = decode_base64(text, &bytes);

    if (decoded == NULL)
    {
        fail(error, "a vector is neither a list of numbers nor base64");
        return NULL;
    }
    if (!check_length(bytes % 4 == 0 ? bytes / 4 : 0, *dimensions, error))
        return NULL;
    float *vector = g_new(float, bytes / 4);
    copy_floats(decoded, bytes / 4, vector);
    *dimensions = (int) (bytes / 4);
    return vector;
}

/* The vector of one item, or NULL; its length must fit, or else becomes *dimensions. */
static float *
read_vector(const NumberLists *lists, const Json *value, int *dimensions, GError **error)
{
    gsize length = 0;

    if (json_is_string(value))
        return read_base64(json_string_value(value), dimensions, error);
    const float *numbers = number_lists_get(lists, value, &length);
    if (numbers == NULL && !json_is_array(value))
        fail(error, "a vector is neither a list of numbers nor base64");
    else if (numbers == NULL && json_array_size(value) > 0)
        fail(error, "a vector holds something that is not a number");
    else if (check_length(length, *dimensions, error))
    {
        *dimensions = (int) length;
        return g_memdup2(numbers, length * sizeof *numbers);
    }
    return NULL;
}

/* Which text an item belongs to. */
static bool
read_index(const Json *item, const bool *seen, size_t texts, size_t *index, GError **error)
{
    const Json *value = json_object_get(item, "index");

    if (!json_is_integer(value))
        return fail(error, "a vector does not say which text it belongs to");
    const json_int_t number = json_integer_value(value);
    if (number < 0 || (guint64) number >= texts)
        return fail(
            error, "there is a vector for text %" JSON_INTEGER_FORMAT " of %zu", number, texts);
    if (seen[number])
        return fail(error, "there are two vectors for text %" JSON_INTEGER_FORMAT, number);
    *index = (size_t) number;
    return true;
}

static bool
read_vectors(
    const NumberLists *lists, const Json *data, size_t texts, OpenaiVectors *result, GError **error)
{
    g_autofree bool *seen = g_new0(bool, texts);

    for (size_t i = 0; i < texts; i++)
    {
        const Json *item = json_array_get(data, i);
        size_t index = 0;
        if (!read_index(item, seen, texts, &index, error))
            return false;
        g_autofree float *vector =
            read_vector(lists, json_object_get(item, "embedding"), &result->dimensions, error);
        if (vector == NULL)
            return false;

        const size_t dimensions = (size_t) result->dimensions;
        if (result->vectors == NULL)
            result->vectors = g_new0(float, texts *dimensions);
        memcpy(result->vectors + index * dimensions, vector, dimensions * sizeof *vector);
        seen[index] = true;
    }
    return true;
}

/* llama.cpp and TEI tell prompt_tokens as OpenAI does; some proxies only the total. */
static guint64
read_tokens(const Json *root)
{
    const Json *usage = json_object_get(root, "usage");
    const Json *tokens = json_object_get(usage, "prompt_tokens");

    if (!json_is_integer(tokens))
        tokens = json_object_get(usage, "total_tokens");
    const json_int_t number = json_integer_value(tokens);
    return number > 0 ? (guint64) number : 0;
}

bool
openai_parse_reply(
    const char *bytes, size_t length, size_t texts, int dimensions, OpenaiVectors *vectors,
    GError **error)
{
    g_auto(NumberLists) lists = {0};
    number_lists_take(bytes, length, &lists);
    g_autoptr(Json) root = json_loadb(lists.text->str, lists.text->len, 0, NULL);
    OpenaiVectors result = {.dimensions = dimensions};

    if (root == NULL)
        return fail(error, "the answer is not JSON");
    const Json *data = json_object_get(root, "data");
    if (!json_is_array(data))
        return fail(error, "the answer holds no vectors");
    if (json_array_size(data) != texts)
        return fail(
            error, "the answer holds %zu vectors for %zu texts", json_array_size(data), texts);
    if (!read_vectors(&lists, data, texts, &result, error))
    {
        g_free(result.vectors);
        return false;
    }
    result.tokens = read_tokens(root);
    *vectors = result;
    return true;
}

static char *
text_or_empty(const Json *object, const char *key)
{
    const char *text = json_text(object, key);
    return g_strdup(text != NULL ? text : "");
}

/* FastAPI's way: a text, or a list of findings. */
static char *
detail_of(const Json *root)
{
    const Json *detail = json_object_get(root, "detail");

    if (json_is_string(detail))
        return g_strdup(json_string_value(detail));
    return text_or_empty(json_array_get(detail, 0), "msg");
}

/*
 * {"error": {"message", "type", "param", "code"}}  OpenAI, Ollama, newer vLLM, llama.cpp
 * {"message", "type", "code", …}                   older vLLM; TEI on its OpenAI route
 * {"error": "text", "error_type": "…"}             TEI's own route, Ollama's own
 * {"detail": …}                                    FastAPI
 *
 * code is a word with OpenAI and the HTTP status with llama.cpp, TEI and vLLM.
 */
static void
read_problem(const Json *root, OpenaiProblem *problem)
{
    const Json *error = json_object_get(root, "error");
    const Json *body = json_is_object(error) ? error : root;
    const Json *code = json_object_get(body, "code");

    problem->message =
        json_is_string(error) ? g_strdup(json_string_value(error)) : text_or_empty(body, "message");
    problem->type = text_or_empty(body, json_is_string(error) ? "error_type" : "type");
    problem->code = text_or_empty(body, "code");
    problem->param = text_or_empty(body, "param");
    if (json_integer_value(code) >= 400 && json_integer_value(code) <= 599)
        problem->status = (int) json_integer_value(code);
    if (problem->message[0] == '\0')
    {
        g_free(problem->message);
        problem->message = detail_of(root);
    }
}

/* What a proxy says in plain text; a page of HTML says nothing. */
static char *
plain_message(const char *bytes, size_t length)
{
    g_autofree char *text = g_strndup(bytes, length);

    g_strstrip(text);
    return g_strdup(text[0] == '<' ? "" : text);
}

void
openai_parse_problem(const char *bytes, size_t length, OpenaiProblem *problem)
{
    g_autoptr(Json) root = json_loadb(bytes, length, 0, NULL);

    *problem = (OpenaiProblem){0};
    read_problem(root, problem);
    if (root == NULL)
    {
        g_free(problem->message);
        problem->message = plain_message(bytes, length);
    }
}

void
openai_problem_clear(OpenaiProblem *problem)
{
    g_free(problem->message);
    g_free(problem->type);
    g_free(problem->code);
    g_free(problem->param);
    *problem = (OpenaiProblem){0};
}

bool
openai_problem_is_quota(const OpenaiProblem *problem)
{
    static const char *const WORDS[] = {
        "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
        "access_terminated", NULL};

    return g_strv_contains(WORDS, problem->type) || g_strv_contains(WORDS, problem->code);
}

static bool
says(const OpenaiProblem *problem, const char *const *phrases)
{
    g_autofree char *message = g_ascii_strdown(problem->message, -1);

    for (size_t i = 0; phrases[i] != NULL; i++)
        if (strstr(message, phrases[i]) != NULL)
            return true;
    return false;
}

/* The model, the key or an option is wrong, not the texts: no other text will do better.
 * The phrases are those of OpenAI, vLLM, TEI, Ollama and Gemini. */
static bool
is_about_setup(const OpenaiProblem *problem)
{
    static const char *const PARAMS[] = {"model", "dimensions", "encoding_format", NULL};
    static const char *const MODEL[] = {"not found", "does not exist", NULL};
    static const char *const PHRASES[] = {
        "specifying dimensions",
        "dimensions is currently not supported",
        "matryoshka",
        "not an embedding model",
        "not support embeddings",
        "api key",
        NULL,
    };

    if (g_strv_contains(PARAMS, problem->param) || strcmp(problem->code, "model_not_found") == 0)
        return true;
    return says(problem, PHRASES) ||
           (says(problem, MODEL) && says(problem, (const char *[]){"model", NULL}));
}

/* llama.cpp tells 500 for a text that is too long, and will do so for ever. */
static bool
is_too_long(const OpenaiProblem *problem)
{
    static const char *const PHRASES[] = {
        "context length", "context size", "too large to process", "too long", NULL};
    return says(problem, PHRASES);
}

VfError
openai_problem_kind(const OpenaiProblem *problem, int status)
{
    if (openai_problem_is_quota(problem))
        return VF_ERROR_DENIED;
    switch (status)
    {
    case 400:
    case 413:
    case 422:
        return is_about_setup(problem) ? VF_ERROR_DENIED : VF_ERROR_BAD_INPUT;
    case 424: /* TEI: the model failed, or it is of another sort */
        return is_about_setup(problem) ? VF_ERROR_DENIED : VF_ERROR_BUSY;
    case 408:
    case 409: /* OpenAI: a lock timed out */
    case 425:
    case 429:
        return VF_ERROR_BUSY;
    case 500:
        return is_too_long(problem) ? VF_ERROR_BAD_INPUT : VF_ERROR_FAILED;
    case 501: /* llama.cpp: started without --embeddings */
    case 505:
        return VF_ERROR_DENIED;
    default:
        return status > 500 ? VF_ERROR_BUSY : VF_ERROR_DENIED;
    }
}

bool
openai_status_refuses(int status)
{
    switch (status)
    {
    case 408: /* it waited for something that took too long */
    case 409: /* OpenAI: a lock timed out */
    case 424: /* TEI: the model failed */
    case 499: /* nginx: it was hung up on */
        return false;
    default:
        return status >= 300 && status <= 499;
    }
}

/* OpenAI repeats a wrong key with its middle starred out; the rest is nobody's business
 * either. */
static bool
is_key_like(const char *word, const char *key)
{
    if (g_str_has_prefix(word, "sk-"))
        return true;
    if (key == NULL || key[0] == '\0')
        return false;

    g_autofree char *start = g_strndup(key, 8);
    return strstr(word, start) != NULL;
}

static char *
without_key(const char *message, const char *key)
{
    static const char SEPARATORS[] = " \t\r\n\"'`,;:()[]{}<>=";
    GString *result = g_string_new(NULL);

    while (*message != '\0')
    {
        const size_t gap = strspn(message, SEPARATORS);
        const size_t length = strcspn(message + gap, SEPARATORS);
        g_autofree char *word = g_strndup(message + gap, length);

        g_string_append_len(result, message, (gssize) gap);
        g_string_append(result, is_key_like(word, key) ? "[key]" : word);
        message += gap + length;
    }
    return g_string_free(result, FALSE);
}

char *
openai_quotable(const char *message, const char *key)
{
    g_autoptr(GString) exact = g_string_new(message);
    if (key != NULL && key[0] != '\0')
        g_string_replace(exact, key, "[key]", 0);

    g_autofree char *safe = without_key(exact->str, key);
    g_autofree char *valid = g_utf8_make_valid(safe, -1);
    GString *line = g_string_new(NULL);
    int characters = 0;

    for (char *at = valid; *at != '\0' && characters < MAX_QUOTE; at = g_utf8_next_char(at))
    {
        const gunichar c = g_utf8_get_char(at);
        g_string_append_unichar(line, g_unichar_isprint(c) ? c : ' ');
        characters++;
    }
    if (characters == MAX_QUOTE)
        g_string_append(line, "…");
    g_strstrip(line->str);
    return g_string_free(line, FALSE);
}
