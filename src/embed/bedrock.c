#include "embed/bedrock.h"

#include "aws/bedrock.h"
#include "base/error.h"
#include "base/nearest.h"
#include "embed/bedrock_reply.h"

#include <string.h>

#define COHERE_TEXTS 96
#define COHERE_3_CHARACTERS 2048 /* refused beyond, whatever their tokens */
#define TITAN_CHARACTERS 50000

/* Bedrock takes 25 MB, and a control character is six bytes in JSON. */
#define MAX_CALL_BYTES 4000000

#define TIMEOUT_MS (120 * 1000)
#define MAX_LENGTHS 4

typedef enum
{
    COHERE_3,
    COHERE_4,
    TITAN_1,
    TITAN_2,
} Family;

typedef struct
{
    const char *id;
    Family family;
    int lengths[MAX_LENGTHS]; /* of vectors; the first is the model's own */
    size_t max_texts;
    size_t max_characters;
} Model;

static const Model MODELS[] = {
    {"cohere.embed-multilingual-v3", COHERE_3, {1024}, COHERE_TEXTS, COHERE_3_CHARACTERS},
    {"cohere.embed-english-v3", COHERE_3, {1024}, COHERE_TEXTS, COHERE_3_CHARACTERS},
    {"cohere.embed-v4:0", COHERE_4, {1536, 1024, 512, 256}, COHERE_TEXTS, 0},
    {"amazon.titan-embed-text-v1", TITAN_1, {1536}, 1, TITAN_CHARACTERS},
    {"amazon.titan-embed-text-v2:0", TITAN_2, {1024, 512, 256}, 1, TITAN_CHARACTERS},
};

typedef struct
{
    Embedder base;
    AwsClient *client;
    const Model *model;
    char *called; /* as the user names it */
} BedrockEmbedder;

/* --- models -------------------------------------------------------------------------------- */

/* "arn:…/eu.cohere.embed-v4:0" and "eu.cohere.embed-v4:0" are of cohere.embed-v4:0. */
static const char *
without_profile(const char *name)
{
    static const char *const PROFILES[] = {"us.", "eu.", "apac.", "global."};
    const char *slash = g_str_has_prefix(name, "arn:") ? strrchr(name, '/') : NULL;
    const char *plain = slash != NULL ? slash + 1 : name;

    for (size_t i = 0; i < G_N_ELEMENTS(PROFILES); i++)
        if (g_str_has_prefix(plain, PROFILES[i]))
            return plain + strlen(PROFILES[i]);
    return plain;
}

static const Model *
find_model(const char *name, GError **error)
{
    const char *plain = without_profile(name);
    const char *ids[G_N_ELEMENTS(MODELS) + 1] = {NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(MODELS); i++)
    {
        if (strcmp(MODELS[i].id, plain) == 0)
            return &MODELS[i];
        ids[i] = MODELS[i].id;
    }
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "\"%s\" is not an embedding model of Bedrock known here",
        name);
    vf_error_hint(
        error, "did you mean %s?  An inference profile is named by its id or ARN",
        nearest(plain, (char *const *) (gsize) ids));
    return NULL;
}

static bool
makes_length(const Model *model, int dimensions)
{
    for (size_t i = 0; i < MAX_LENGTHS; i++)
        if (dimensions != 0 && model->lengths[i] == dimensions)
            return true;
    return false;
}

static bool
check_length(const Model *model, int dimensions, GError **error)
{
    if (dimensions == 0 || makes_length(model, dimensions))
        return true;
    g_autoptr(GString) lengths = g_string_new(NULL);
    for (size_t i = 0; i < MAX_LENGTHS && model->lengths[i] != 0; i++)
        g_string_append_printf(lengths, "%s%d", i > 0 ? ", " : "", model->lengths[i]);
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "%s does not make vectors of %d dimensions", model->id,
        dimensions);
    vf_error_hint(error, "it makes %s", lengths->str);
    return false;
}

/* --- the request --------------------------------------------------------------------------- */

/* What the application asks, no more: an unknown member is refused. */
static Json *
cohere_request(
    const BedrockEmbedder *self, const char *const *texts, size_t count, EmbedInput input)
{
    Json *root = json_object();
    Json *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    json_object_set_new(root, "texts", list);
    json_object_set_new(
        root, "input_type", json_string(input == EMBED_QUERY ? "search_query" : "search_document"));
    if (self->model->family == COHERE_4)
    {
        json_object_set_new(root, "output_dimension", json_integer(self->base.info.dimensions));
        json_object_set_new(root, "embedding_types", json_pack("[s]", "float"));
    }
    return root;
}

static Json *
titan_request(const BedrockEmbedder *self, const char *text)
{
    Json *root = json_pack("{ss}", "inputText", text);

    if (self->model->family == TITAN_2)
    {
        json_object_set_new(root, "dimensions", json_integer(self->base.info.dimensions));
        json_object_set_new(root, "normalize", json_true());
    }
    return root;
}

static char *
request_body(const BedrockEmbedder *self, const char *const *texts, size_t count, EmbedInput input)
{
    const bool titan = self->model->family == TITAN_1 || self->model->family == TITAN_2;
    g_autoptr(Json) root =
        titan ? titan_request(self, texts[0]) : cohere_request(self, texts, count, input);
    return json_dumps(root, JSON_COMPACT);
}

/* Twice each number, because Titan may tell it by type too; and Cohere repeats the texts. */
static gint64
max_answer_bytes(size_t body_bytes, size_t count, int dimensions)
{
    return 1024 * 1024 + 6 * (gint64) body_bytes + (gint64) count * dimensions * 64;
}

/* --- the answer ---------------------------------------------------------------------------- */

/* A finding about the request's form is about all requests, not about these texts. */
static bool
is_about_setup(const char *message)
{
    static const char *const PHRASES[] = {
        "model identifier",   "on-demand throughput", "extraneous key",    "#/dimensions",
        "#/output_dimension", "#/input_type",         "#/embedding_types", "required key"};

    for (size_t i = 0; i < G_N_ELEMENTS(PHRASES); i++)
        if (strstr(message, PHRASES[i]) != NULL)
            return true;
    return false;
}

/* What an error of AWS is to an embedder's caller. */
static VfError
kind_of(const AwsAnswer *answer, const GError *problem)
{
    if (problem->code == VF_ERROR_CANCELLED || answer->code[0] == '\0')
        return (VfError) problem->code;
    if (strcmp(answer->code, "ServiceQuotaExceededException") == 0)
        return VF_ERROR_BUSY;
    if (strcmp(answer->code, "ModelErrorException") == 0 || answer->status == 500)
        return VF_ERROR_FAILED;
    if (problem->code == VF_ERROR_MISMATCH)
        return VF_ERROR_DENIED;
    if (problem->code == VF_ERROR_BAD_INPUT && is_about_setup(problem->message))
        return VF_ERROR_DENIED;
    return (VfError) problem->code;
}

/* True when the model certainly was not at work: the request was turned away before it. */
static bool
is_turned_away(const AwsAnswer *answer)
{
    const int status = answer->status;

    if (answer->response == NULL || status == 408 || status == 424)
        return false;
    return (status >= 300 && status < 500) || status == 503;
}

static bool
take_vectors(
    const BedrockEmbedder *self, const AwsAnswer *answer, size_t count, EmbedReply *reply,
    GError **error)
{
    const GString *body = answer->response->body;
    const int dimensions = self->base.info.dimensions;
    BedrockVectors vectors = {0};
    const bool read = bedrock_parse_reply(body->str, body->len, count, dimensions, &vectors, error);

    reply->tokens = aws_model_tokens(answer);
    if (reply->tokens == 0)
        reply->tokens = vectors.tokens;
    reply->vectors = vectors.vectors;
    if (read && embed_check_vectors(reply->vectors, count, dimensions, error))
        return true;
    g_clear_pointer(&reply->vectors, g_free);
    return false;
}

static bool
call(
    const BedrockEmbedder *self, const char *body, size_t count, Cancel *cancel, EmbedReply *reply,
    GError **error)
{
    const AwsInvocation invocation = {
        .model = self->called,
        .body = body,
        .max_bytes = max_answer_bytes(strlen(body), count, self->base.info.dimensions),
        .timeout_ms = TIMEOUT_MS,
    };
    g_auto(AwsAnswer) answer = {0};
    g_autoptr(GError) problem = NULL;

    if (aws_invoke_model(self->client, &invocation, &answer, cancel, &problem))
        return take_vectors(self, &answer, count, reply, error);
    reply->unsent = answer.unsent;
    reply->refused = is_turned_away(&answer);
    if (answer.response != NULL)
        reply->retry_after_ms = http_retry_after_ms(answer.response);
    problem->code = (int) kind_of(&answer, problem);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* --- the embedder -------------------------------------------------------------------------- */

static bool
bedrock_embed(
    Embedder *base, const char *const *texts, size_t count, EmbedInput input, Cancel *cancel,
    EmbedReply *reply, GError **error)
{
    const BedrockEmbedder *self = (const BedrockEmbedder *) base;

    g_assert(count <= base->info.max_texts);
    embed_reply_begin(reply);
    if (count == 0)
        return true;
    if (!embed_check_texts(texts, count, error))
    {
        reply->unsent = true;
        return false;
    }
    g_autofree char *body = request_body(self, texts, count, input);
    return call(self, body, count, cancel, reply, error);
}

static void
bedrock_free(Embedder *base)
{
    BedrockEmbedder *self = (BedrockEmbedder *) base;
    aws_client_free(self->client);
    g_free(self->called);
    g_free(self);
}

Embedder *
bedrock_embedder_new(const BedrockOptions *options, GError **error)
{
    g_autoptr(AwsClient) client = options->client;
    const Model *model = find_model(options->model, error);

    if (model == NULL || !check_length(model, options->dimensions, error))
        return NULL;
    BedrockEmbedder *self = g_new0(BedrockEmbedder, 1);
    self->client = g_steal_pointer(&client);
    self->model = model;
    self->called = g_strdup(options->model);
    self->base.info = (EmbedderInfo){
        .provider = "bedrock",
        .model = model->id,
        .dimensions = options->dimensions > 0 ? options->dimensions : model->lengths[0],
        .max_texts = model->max_texts,
        .max_characters = model->max_characters,
        .max_call_bytes = MAX_CALL_BYTES,
        .costs_money = true,
    };
    self->base.embed = bedrock_embed;
    self->base.free = bedrock_free;
    return &self->base;
}
