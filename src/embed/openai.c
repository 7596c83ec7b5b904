#include "embed/openai.h"

#include "base/error.h"
#include "base/json.h"
#include "embed/openai_limits.h"
#include "embed/openai_reply.h"
#include "http/http.h"

#include <string.h>

#define OPENAI_URL "https://api.openai.com/v1"
#define MAX_DIMENSIONS 16000
#define DEFAULT_TIMEOUT_S 300

/* No token is shorter than a byte, so a call of 300,000 bytes keeps OpenAI's limit of
 * 300,000 tokens per call.  TEI refuses bodies of more than 2 MB. */
#define OPENAI_CALL_BYTES 300000
#define OTHER_CALL_BYTES 1000000

#define OPENAI_TEXTS 2048
#define OTHER_TEXTS 32 /* TEI's default; others take more */

typedef struct
{
    Embedder base;
    HttpClient *client;
    char *url;
    char *model;
    char *variant;
    char *api_key;
    char *(*fetch_key)(void *data, GError **error);
    void *fetch_key_data;
    int asked_dimensions; /* 0: the model's own */
    char *encoding_format;
    char *prefixes[2]; /* by EmbedInput; never NULL */
    int timeout_s;
} OpenaiEmbedder;

typedef struct
{
    const char *name;
    int dimensions;
} KnownModel;

static const KnownModel KNOWN_MODELS[] = {
    {"text-embedding-3-small", 1536},
    {"text-embedding-3-large", 3072},
    {"text-embedding-ada-002", 1536},
    {"nomic-embed-text", 768},
    {"nomic-embed-text-v1", 768},
    {"nomic-embed-text-v1.5", 768},
    {"bge-m3", 1024},
    {"bge-large-en-v1.5", 1024},
    {"bge-base-en-v1.5", 768},
    {"bge-small-en-v1.5", 384},
    {"mxbai-embed-large", 1024},
    {"mxbai-embed-large-v1", 1024},
    {"multilingual-e5-large", 1024},
    {"multilingual-e5-large-instruct", 1024},
    {"multilingual-e5-base", 768},
    {"multilingual-e5-small", 384},
    {"e5-large-v2", 1024},
    {"e5-base-v2", 768},
    {"e5-small-v2", 384},
    {"all-minilm", 384},
    {"all-minilm-l6-v2", 384},
};

/* "BAAI/bge-m3:latest" is bge-m3; 0 for a model nobody told us of. */
static int
known_dimensions(const char *model)
{
    const char *slash = strrchr(model, '/');
    const char *name = slash != NULL ? slash + 1 : model;
    const size_t length = strcspn(name, ":");

    for (size_t i = 0; i < G_N_ELEMENTS(KNOWN_MODELS); i++)
        if (strlen(KNOWN_MODELS[i].name) == length &&
            g_ascii_strncasecmp(KNOWN_MODELS[i].name, name, length) == 0)
            return KNOWN_MODELS[i].dimensions;
    return 0;
}

static Json *
request_json(const OpenaiEmbedder *self, const char *const *texts, size_t count, EmbedInput input)
{
    Json *root = json_object();
    Json *list = json_array();

    json_object_set_new(root, "model", json_string(self->model));
    for (size_t i = 0; i < count; i++)
    {
        g_autofree char *text = g_strconcat(self->prefixes[input], texts[i], NULL);
        json_array_append_new(list, json_string(text));
    }
    json_object_set_new(root, "input", list);
    json_object_set_new(root, "encoding_format", json_string(self->encoding_format));
    if (self->asked_dimensions > 0)
        json_object_set_new(root, "dimensions", json_integer(self->asked_dimensions));
    return root;
}

/* The key for one call; NULL without an error when the server wants none.  Yours. */
static char *
key_for_call(const OpenaiEmbedder *self, GError **error)
{
    char *key = self->fetch_key != NULL ? self->fetch_key(self->fetch_key_data, error)
                                        : g_strdup(self->api_key);
    if (key != NULL && g_strstrip(key)[0] == '\0')
        g_clear_pointer(&key, g_free);
    return key;
}

/* A number takes less than 32 bytes, whoever prints it. */
static gint64
max_answer_bytes(size_t count, int dimensions)
{
    const gint64 numbers = dimensions > 0 ? dimensions : MAX_DIMENSIONS;
    return 1024 * 1024 + (gint64) count * (numbers * 32 + 512);
}

/* What cannot be read as an answer is the server's fault, not the texts'. */
static HttpResponse *
post(
    const OpenaiEmbedder *self, const char *key, const char *body, size_t count, Cancel *cancel,
    bool *unsent, GError **error)
{
    g_autofree char *authorization = g_strdup_printf("Authorization: Bearer %s", key);
    const char *headers[] = {
        "Content-Type: application/json", "Accept: application/json",
        key != NULL ? authorization : NULL, NULL};
    GError *problem = NULL;
    const HttpRequest request = {
        .method = "POST",
        .url = self->url,
        .headers = headers,
        .body = body,
        .body_bytes = strlen(body),
        .idle_timeout_ms = self->timeout_s * 1000,
        .total_timeout_ms = self->timeout_s * 1000,
        .max_bytes = max_answer_bytes(count, self->base.info.dimensions),
        .unsent = unsent,
    };

    HttpResponse *response = http_fetch(self->client, &request, cancel, &problem);
    if (problem != NULL && g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT))
        problem->code = VF_ERROR_FAILED;
    if (problem != NULL)
        g_propagate_error(error, problem);
    return response;
}

static void
add_hint(const OpenaiProblem *problem, int status, GError **error)
{
    if (openai_problem_is_quota(problem))
        vf_error_hint(error, "check the account's plan and billing");
    else if (status == 401 || status == 403)
        vf_error_hint(error, "check the API key and what it permits");
    else if (status == 404)
        vf_error_hint(error, "check the model's name and the base address");
    else if (status >= 300 && status <= 399)
        vf_error_hint(error, "the server moved: configure its final address");
    else if (status == 413)
        vf_error_hint(error, "send fewer texts in one call");
}

/* Some gateways tell of a failure behind them with status 200. */
static int
status_of(const HttpResponse *response, const OpenaiProblem *problem)
{
    return response->status != 200 ? response->status : problem->status;
}

/* An error out of an answer that is none. */
static void
set_problem_error(const HttpResponse *response, const char *key, GError **error)
{
    OpenaiProblem problem;
    openai_parse_problem(response->body->str, response->body->len, &problem);

    const int status = status_of(response, &problem);
    g_autofree char *quote = openai_quotable(problem.message, key);
    g_set_error(
        error, VF_ERROR, (int) openai_problem_kind(&problem, status),
        "the embedding server answered %d%s%s", status, quote[0] != '\0' ? ": " : "", quote);
    add_hint(&problem, status, error);
    openai_problem_clear(&problem);
}

/* The status of an answer without vectors; 200 for one that is only wrong. */
static int
true_status(const HttpResponse *response)
{
    OpenaiProblem problem;
    openai_parse_problem(response->body->str, response->body->len, &problem);

    const int status = status_of(response, &problem);
    openai_problem_clear(&problem);
    return status == 0 ? 200 : status;
}

static bool
read_answer(
    const HttpResponse *response, size_t count, int dimensions, const char *key,
    OpenaiVectors *vectors, GError **error)
{
    g_autoptr(GError) problem = NULL;

    if (response->status != 200)
    {
        set_problem_error(response, key, error);
        return false;
    }
    if (!openai_parse_reply(
            response->body->str, response->body->len, count, dimensions, vectors, &problem))
    {
        if (true_status(response) != 200)
            set_problem_error(response, key, error);
        else
            g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (embed_check_vectors(vectors->vectors, count, vectors->dimensions, error))
        return true;
    g_clear_pointer(&vectors->vectors, g_free);
    return false;
}

/* One call; dimensions 0 accepts any length and leaves it in *found. */
static bool
call(
    const OpenaiEmbedder *self, const char *const *texts, size_t count, EmbedInput input,
    int *dimensions, Cancel *cancel, EmbedReply *reply, GError **error)
{
    g_autoptr(Json) root = request_json(self, texts, count, input);
    g_autofree char *body = json_dumps(root, JSON_COMPACT);
    OpenaiVectors vectors = {0};
    GError *key_error = NULL;

    g_autofree char *key = key_for_call(self, &key_error);
    if (key_error != NULL)
    {
        reply->unsent = true;
        g_propagate_error(error, key_error);
        return false;
    }
    g_autoptr(HttpResponse) response = post(self, key, body, count, cancel, &reply->unsent, error);
    if (response == NULL)
        return false;
    openai_read_limits(response, reply);
    if (!read_answer(response, count, *dimensions, key, &vectors, error))
    {
        reply->refused = openai_status_refuses(true_status(response));
        return false;
    }

    reply->vectors = vectors.vectors;
    reply->tokens = vectors.tokens;
    *dimensions = vectors.dimensions;
    return true;
}

static bool
openai_embed(
    Embedder *base, const char *const *texts, size_t count, EmbedInput input, Cancel *cancel,
    EmbedReply *reply, GError **error)
{
    const OpenaiEmbedder *self = (const OpenaiEmbedder *) base;
    int dimensions = base->info.dimensions;

    g_assert(count <= base->info.max_texts);
    embed_reply_begin(reply);
    if (count == 0)
        return true;
    reply->unsent = true; /* until it is sent */
    if (dimensions == 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the dimensions of the model \"%s\" are not known",
            self->model);
        return false;
    }
    if (!embed_check_texts(texts, count, error))
        return false;
    return call(self, texts, count, input, &dimensions, cancel, reply, error);
}

bool
openai_embedder_probe(Embedder *embedder, Cancel *cancel, EmbedReply *reply, GError **error)
{
    static const char *const TEXTS[] = {OPENAI_QUESTION};

    embed_reply_begin(reply);
    if (embedder->info.dimensions > 0)
        return true;
    return call(
        (const OpenaiEmbedder *) embedder, TEXTS, 1, EMBED_DOCUMENT, &embedder->info.dimensions,
        cancel, reply, error);
}

static void
openai_free(Embedder *base)
{
    OpenaiEmbedder *self = (OpenaiEmbedder *) base;
    http_client_free(self->client);
    g_free(self->url);
    g_free(self->model);
    g_free(self->variant);
    g_free(self->api_key);
    g_free(self->encoding_format);
    g_free(self->prefixes[EMBED_DOCUMENT]);
    g_free(self->prefixes[EMBED_QUERY]);
    g_free(self);
}

/* The address of the call below a base address, or NULL when it is none.  Yours. */
static char *
call_url(const char *base_url)
{
    g_autofree char *base = g_strstrip(g_strdup(base_url));
    size_t length = strlen(base);

    while (length > 0 && base[length - 1] == '/')
        base[--length] = '\0';
    if (!http_is_address(base) || strpbrk(base, "?#") != NULL)
        return NULL;
    return g_str_has_suffix(base, "/embeddings") ? g_steal_pointer(&base)
                                                 : g_strconcat(base, "/embeddings", NULL);
}

static bool
check_options(const OpenaiOptions *options, GError **error)
{
    const char *format = options->encoding_format;

    if (options->model == NULL || options->model[0] == '\0' ||
        !g_utf8_validate(options->model, -1, NULL))
        g_set_error_literal(error, VF_ERROR, VF_ERROR_USAGE, "the embedding model has no name");
    else if (options->dimensions < 0 || options->dimensions > MAX_DIMENSIONS)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "vectors cannot have %d dimensions",
            options->dimensions);
    else if (format != NULL && strcmp(format, "float") != 0 && strcmp(format, "base64") != 0)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the encoding format is \"float\" or \"base64\"");
    else
        return true;
    return false;
}

/* Documents with another prefix live in another space. */
static char *
variant_of(const char *document_prefix)
{
    if (document_prefix == NULL || document_prefix[0] == '\0')
        return NULL;
    char *variant = g_strstrip(g_strdup(document_prefix));
    return g_strdelimit(variant, " \t\r\n/", '-');
}

static bool
is_openai(const OpenaiEmbedder *self)
{
    g_autofree char *host = http_host_of(self->url);
    return strcmp(host, "api.openai.com") == 0;
}

static bool
is_on_this_machine(const OpenaiEmbedder *self)
{
    static const char *const NAMES[] = {"localhost", "127.0.0.1", "[::1]", NULL};
    g_autofree char *host = http_host_of(self->url);
    char *port = strrchr(host, ':');

    if (port != NULL && strchr(port, ']') == NULL)
        *port = '\0';
    return g_strv_contains(NAMES, host);
}

static EmbedderInfo
info_of(const OpenaiEmbedder *self, const OpenaiOptions *options)
{
    const size_t usual_texts = is_openai(self) ? OPENAI_TEXTS : OTHER_TEXTS;
    const size_t usual_bytes = is_openai(self) ? OPENAI_CALL_BYTES : OTHER_CALL_BYTES;

    return (EmbedderInfo){
        .provider = "openai",
        .model = self->model,
        .dimensions = options->dimensions > 0 ? options->dimensions : known_dimensions(self->model),
        .max_texts = options->max_texts > 0 ? options->max_texts : usual_texts,
        .max_characters = options->max_characters,
        .max_call_bytes = options->max_call_bytes > 0 ? options->max_call_bytes : usual_bytes,
        .prefix_bytes = strlen(self->prefixes[EMBED_DOCUMENT]),
        .costs_money = !is_on_this_machine(self),
        .variant = self->variant,
    };
}

static int
dimensions_to_ask(const OpenaiOptions *options)
{
    const int own = known_dimensions(options->model);
    const bool is_other = own != 0 && own != options->dimensions;

    return options->ask_dimensions || is_other ? options->dimensions : 0;
}

static char *
text_or(const char *text, const char *otherwise)
{
    return g_strdup(text != NULL ? text : otherwise);
}

Embedder *
openai_embedder_new(const OpenaiOptions *options, GError **error)
{
    const char *base_url = options->base_url != NULL ? options->base_url : OPENAI_URL;

    if (!check_options(options, error))
        return NULL;
    g_autofree char *url = call_url(base_url);
    if (url == NULL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE,
            "the embedding server's address is not an http address without \"?\" and user name");
        return NULL;
    }

    OpenaiEmbedder *self = g_new0(OpenaiEmbedder, 1);
    self->client =
        http_client_new(&(HttpPolicy){.allow_private = true, .ca_file = options->ca_file});
    self->url = g_steal_pointer(&url);
    self->model = g_strdup(options->model);
    self->variant = variant_of(options->document_prefix);
    self->api_key = g_strdup(options->api_key);
    self->fetch_key = options->fetch_key;
    self->fetch_key_data = options->fetch_key_data;
    self->asked_dimensions = dimensions_to_ask(options);
    self->prefixes[EMBED_DOCUMENT] = text_or(options->document_prefix, "");
    self->prefixes[EMBED_QUERY] = text_or(options->query_prefix, "");
    self->timeout_s = options->timeout_s > 0 ? options->timeout_s : DEFAULT_TIMEOUT_S;
    self->base.info = info_of(self, options);
    self->encoding_format = text_or(options->encoding_format, is_openai(self) ? "base64" : "float");
    self->base.embed = openai_embed;
    self->base.free = openai_free;
    return &self->base;
}
