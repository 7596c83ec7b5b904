#include "base/error.h"
#include "base/json.h"
#include "embed/openai.h"
#include "embed/openai_limits.h"
#include "embed/openai_reply.h"
#include "scripted_server.h"

#include <math.h>

/* What the server says next, and to which texts it said it. */
typedef struct
{
    const char *status;
    const char *headers;
    const char *body;
} Answer;

static bool
give_answer(int fd, const ServedRequest *request, void *data)
{
    const Answer *answer = data;
    (void) request;
    say_answer(fd, answer->status, answer->headers, answer->body);
    return true;
}

/* Two texts, two dimensions. */
#define GOOD                                                                                       \
    "{\"object\":\"list\",\"model\":\"m\",\"data\":["                                              \
    "{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.5,-1.25]},"                            \
    "{\"object\":\"embedding\",\"index\":1,\"embedding\":[3,4]}],"                                 \
    "\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}"

static const char *const TEXTS[] = {"one", "two"};

static Embedder *
embedder_for(Server *server, OpenaiOptions options)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *url = server_url(server, "/v1/");

    if (options.base_url == NULL)
        options.base_url = url;
    if (options.model == NULL)
        options.model = "m";
    Embedder *embedder = openai_embedder_new(&options, &error);
    g_assert_no_error(error);
    return embedder;
}

static bool
embed_two(Answer answer, OpenaiOptions options, EmbedReply *reply, GError **error)
{
    g_autoptr(Server) server = server_start(give_answer, &answer);

    if (options.dimensions == 0)
        options.dimensions = 2;
    g_autoptr(Embedder) embedder = embedder_for(server, options);
    return embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, reply, error);
}

static void
test_brings_vectors(void)
{
    g_autoptr(GError) error = NULL;
    EmbedReply reply = {0};
    const Answer answer = {
        "200 OK",
        "x-ratelimit-limit-requests: 3000\r\nX-RateLimit-Limit-Tokens: 1000000\r\n"
        "x-ratelimit-reset-requests: 20ms\r\n",
        GOOD};

    g_assert_true(embed_two(answer, (OpenaiOptions){0}, &reply, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(reply.vectors[0], ==, 0.5f);
    g_assert_cmpfloat(reply.vectors[1], ==, -1.25f);
    g_assert_cmpfloat(reply.vectors[3], ==, 4.0f);
    g_assert_cmpuint(reply.tokens, ==, 7);
    g_assert_cmpint(reply.requests_per_minute, ==, 3000);
    g_assert_cmpint(reply.tokens_per_minute, ==, 1000000);
    g_assert_cmpint(reply.retry_after_ms, ==, -1);
    embed_reply_clear(&reply);
}

/* The request that an embedder with these options makes for TEXTS. */
static Json *
request_for(OpenaiOptions options, EmbedInput input, char **head)
{
    g_autoptr(GError) error = NULL;
    Answer answer = {"200 OK", "", GOOD};
    g_autoptr(Server) server = server_start(give_answer, &answer);
    g_autoptr(Embedder) embedder = embedder_for(server, options);
    EmbedReply reply = {0};

    embedder->embed(embedder, TEXTS, 2, input, NULL, &reply, &error);
    embed_reply_clear(&reply);
    const ServedRequest *request = served(server, 0);
    if (head != NULL)
        *head = g_strdup(request->head);
    return json_loadb(request->body->str, request->body->len, 0, NULL);
}

static void
assert_request(OpenaiOptions options, EmbedInput input, const char *expected)
{
    g_autoptr(Json) request = request_for(options, input, NULL);
    g_autofree char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_asks_in_the_providers_words(void)
{
    g_autofree char *head = NULL;
    g_autoptr(Json) request = request_for(
        (OpenaiOptions){.dimensions = 2, .api_key = " sk-123456789\n"}, EMBED_DOCUMENT, &head);

    g_assert_nonnull(request);
    g_assert_true(g_str_has_prefix(head, "POST /v1/embeddings HTTP/1.1\r\n"));
    g_assert_nonnull(strstr(head, "\r\nAuthorization: Bearer sk-123456789\r\n"));
    g_assert_nonnull(strstr(head, "\r\nContent-Type: application/json\r\n"));
    assert_request(
        (OpenaiOptions){.dimensions = 2}, EMBED_DOCUMENT,
        "{\"encoding_format\":\"float\",\"input\":[\"one\",\"two\"],\"model\":\"m\"}");
    assert_request(
        (OpenaiOptions){.dimensions = 2, .ask_dimensions = true, .encoding_format = "base64"},
        EMBED_DOCUMENT,
        "{\"dimensions\":2,\"encoding_format\":\"base64\",\"input\":[\"one\",\"two\"],"
        "\"model\":\"m\"}");
    assert_request(
        (OpenaiOptions){.dimensions = 2, .model = "text-embedding-3-small"}, EMBED_DOCUMENT,
        "{\"dimensions\":2,\"encoding_format\":\"float\",\"input\":[\"one\",\"two\"],"
        "\"model\":\"text-embedding-3-small\"}");
    assert_request(
        (OpenaiOptions){.dimensions = 1536, .model = "text-embedding-3-small"}, EMBED_DOCUMENT,
        "{\"encoding_format\":\"float\",\"input\":[\"one\",\"two\"],"
        "\"model\":\"text-embedding-3-small\"}");
}

static void
test_without_a_key_none_is_sent(void)
{
    g_autofree char *head = NULL;
    g_autoptr(Json) request =
        request_for((OpenaiOptions){.dimensions = 2, .api_key = ""}, EMBED_DOCUMENT, &head);

    g_assert_nonnull(request);
    g_assert_null(strcasestr(head, "authorization"));
}

static void
test_prefixes_say_what_a_text_is_for(void)
{
    const OpenaiOptions options = {
        .dimensions = 2, .document_prefix = "passage: ", .query_prefix = "query: "};

    assert_request(
        options, EMBED_DOCUMENT,
        "{\"encoding_format\":\"float\",\"input\":[\"passage: one\",\"passage: two\"],"
        "\"model\":\"m\"}");
    assert_request(
        options, EMBED_QUERY,
        "{\"encoding_format\":\"float\",\"input\":[\"query: one\",\"query: two\"],"
        "\"model\":\"m\"}");
}

static void
test_texts_are_escaped(void)
{
    g_autoptr(GError) error = NULL;
    Answer answer = {"200 OK", "", GOOD};
    g_autoptr(Server) server = server_start(give_answer, &answer);
    g_autoptr(Embedder) embedder = embedder_for(server, (OpenaiOptions){.dimensions = 2});
    const char *texts[] = {"a \"quote\" \\ and \n \x01", "日本 👍 </script>"};
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, texts, 2, EMBED_DOCUMENT, NULL, &reply, &error));
    embed_reply_clear(&reply);
    const ServedRequest *request = served(server, 0);
    g_autoptr(Json) root = json_loadb(request->body->str, request->body->len, 0, NULL);
    const Json *input = json_object_get(root, "input");
    g_assert_cmpstr(json_string_value(json_array_get(input, 0)), ==, texts[0]);
    g_assert_cmpstr(json_string_value(json_array_get(input, 1)), ==, texts[1]);
}

static void
test_text_that_is_not_utf8_is_not_sent(void)
{
    g_autoptr(GError) error = NULL;
    Answer answer = {"200 OK", "", GOOD};
    g_autoptr(Server) server = server_start(give_answer, &answer);
    g_autoptr(Embedder) embedder = embedder_for(server, (OpenaiOptions){.dimensions = 2});
    const char *texts[] = {"a", "\xff"};
    EmbedReply reply = {0};

    g_assert_false(embedder->embed(embedder, texts, 2, EMBED_DOCUMENT, NULL, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpint(atomic_load(&server->connections), ==, 0);
}

static void
assert_failure(const char *status, const char *body, VfError code, const char *words)
{
    g_autoptr(GError) error = NULL;
    EmbedReply reply = {0};
    const Answer answer = {status, "", body};

    g_assert_false(
        embed_two(answer, (OpenaiOptions){.api_key = "my-secret-key-1"}, &reply, &error));
    if (!g_error_matches(error, VF_ERROR, (int) code))
        g_error("%s %s is %s: %s", status, body, vf_error_name(error), error->message);
    if (strstr(error->message, words) == NULL)
        g_error("\"%s\" is not in \"%s\"", words, error->message);
    g_assert_null(reply.vectors);
}

/* Whether a failure is sure to cost nothing. */
static void
assert_refuses(const char *status, const char *body, bool refused)
{
    EmbedReply reply = {0};

    g_assert_false(embed_two((Answer){status, "", body}, (OpenaiOptions){0}, &reply, NULL));
    if (reply.refused != refused || reply.unsent)
        g_error("%s %s is %s", status, body, refused ? "not free" : "free");
}

static void
test_only_a_refusal_is_free(void)
{
    static const char *const REFUSALS[] = {"307 Moved",     "400 Bad",  "401 Who",
                                           "403 Forbidden", "404 None", "413 Too Large",
                                           "422 Strange",   "429 Slow", NULL};
    static const char *const OTHERS[] = {
        "408 Timeout", "409 Conflict", "424 Failed", "499 Left",    "500 Oops",
        "501 Not",     "502 Gateway",  "503 Busy",   "504 Timeout", NULL};

    for (size_t i = 0; REFUSALS[i] != NULL; i++)
        assert_refuses(REFUSALS[i], "", true);
    for (size_t i = 0; OTHERS[i] != NULL; i++)
        assert_refuses(OTHERS[i], "", false);
    assert_refuses("200 OK", "{\"error\":{\"code\":429,\"message\":\"limit\"}}", true);
    assert_refuses("200 OK", "{\"error\":{\"code\":502,\"message\":\"upstream\"}}", false);
    assert_refuses("200 OK", "{}", false);
}

static void
test_failures_of_openai(void)
{
    assert_failure(
        "401 Unauthorized",
        "{\"error\":{\"message\":\"Incorrect API key provided: my-secret-key-1. You can find "
        "it.\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}",
        VF_ERROR_DENIED, "answered 401: Incorrect API key provided: [key]. You can");
    assert_failure("403 Forbidden", "{\"error\":{\"message\":\"no\"}}", VF_ERROR_DENIED, "403: no");
    assert_failure(
        "404 Not Found",
        "{\"error\":{\"message\":\"The model `x` does not exist\",\"code\":\"model_not_found\"}}",
        VF_ERROR_DENIED, "does not exist\ncheck the model's name");
    assert_failure(
        "429 Too Many Requests",
        "{\"error\":{\"message\":\"Rate limit reached\",\"type\":\"requests\",\"code\":"
        "\"rate_limit_exceeded\"}}",
        VF_ERROR_BUSY, "Rate limit reached");
    assert_failure(
        "429 Too Many Requests",
        "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":"
        "\"insufficient_quota\",\"param\":null,\"code\":\"insufficient_quota\"}}",
        VF_ERROR_DENIED, "billing");
    assert_failure(
        "429 Too Many Requests",
        "{\"error\":{\"message\":\"limit\",\"type\":null,\"code\":"
        "\"billing_hard_limit_reached\"}}",
        VF_ERROR_DENIED, "limit");
    assert_failure(
        "400 Bad Request",
        "{\"error\":{\"message\":\"This model's maximum context length is 8192 tokens, however "
        "you requested 10000\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}",
        VF_ERROR_BAD_INPUT, "maximum context length");
    assert_failure(
        "400 Bad Request",
        "{\"error\":{\"message\":\"Requested 453357 tokens, max 300000 tokens per request\","
        "\"type\":\"max_tokens_per_request\",\"code\":\"max_tokens_per_request\"}}",
        VF_ERROR_BAD_INPUT, "max 300000");
    assert_failure(
        "400 Bad Request",
        "{\"error\":{\"message\":\"This model does not support specifying dimensions.\"}}",
        VF_ERROR_DENIED, "dimensions");
    assert_failure("500 Oops", "{\"error\":{\"message\":\"server\"}}", VF_ERROR_FAILED, "500");
    assert_failure("503 Busy", "", VF_ERROR_BUSY, "503");
    assert_failure("408 Timeout", "", VF_ERROR_BUSY, "408");
    assert_failure("409 Conflict", "", VF_ERROR_BUSY, "409");
    assert_failure("413 Too Large", "<html>", VF_ERROR_BAD_INPUT, "413\nsend fewer");
}

static void
test_failures_of_other_servers(void)
{
    /* Text Embeddings Inference, its OpenAI route and its own */
    assert_failure(
        "429 Too Many Requests",
        "{\"message\":\"Model is overloaded\",\"code\":429,\"type\":\"Overloaded\"}", VF_ERROR_BUSY,
        "429: Model is overloaded");
    assert_failure(
        "413 Payload Too Large",
        "{\"error\":\"`inputs` must have less than 512 tokens\",\"error_type\":\"Validation\"}",
        VF_ERROR_BAD_INPUT, "less than 512");
    assert_failure(
        "424 Failed Dependency", "{\"error\":\"Inference failed\",\"error_type\":\"Backend\"}",
        VF_ERROR_BUSY, "Inference failed");
    assert_failure(
        "424 Failed Dependency",
        "{\"message\":\"Model is not an embedding model\",\"code\":424,\"type\":\"Backend\"}",
        VF_ERROR_DENIED, "not an embedding model");

    /* llama.cpp */
    assert_failure(
        "500 Internal Server Error",
        "{\"error\":{\"code\":500,\"message\":\"input is too large to process. increase the "
        "physical batch size\",\"type\":\"server_error\"}}",
        VF_ERROR_BAD_INPUT, "too large to process");
    assert_failure(
        "400 Bad Request",
        "{\"error\":{\"code\":400,\"message\":\"request (4390 tokens) exceeds the available "
        "context size\",\"type\":\"exceed_context_size_error\"}}",
        VF_ERROR_BAD_INPUT, "context size");
    assert_failure(
        "503 Service Unavailable",
        "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}",
        VF_ERROR_BUSY, "Loading model");
    assert_failure(
        "501 Not Implemented",
        "{\"error\":{\"code\":501,\"message\":\"This server does not support embeddings\"}}",
        VF_ERROR_DENIED, "does not support embeddings");

    /* vLLM, older and newer */
    assert_failure(
        "400 Bad Request",
        "{\"object\":\"error\",\"message\":\"Model \\\"m\\\" does not support matryoshka "
        "representation\",\"type\":\"BadRequestError\",\"param\":null,\"code\":400}",
        VF_ERROR_DENIED, "matryoshka");
    assert_failure(
        "400 Bad Request",
        "{\"error\":{\"message\":\"This model's maximum context length is 512 tokens.\","
        "\"type\":\"BadRequestError\",\"param\":null,\"code\":400}}",
        VF_ERROR_BAD_INPUT, "512 tokens");

    /* Ollama */
    assert_failure(
        "404 Not Found",
        "{\"error\":{\"message\":\"model \\\"m\\\" not found, try pulling it first\",\"type\":"
        "\"not_found_error\",\"param\":null,\"code\":null}}",
        VF_ERROR_DENIED, "try pulling it first");
    assert_failure(
        "400 Bad Request", "{\"error\":\"the input length exceeds the context length\"}",
        VF_ERROR_BAD_INPUT, "exceeds the context length");

    /* FastAPI, a gateway, a proxy, a moved server */
    assert_failure(
        "422 Unprocessable Entity", "{\"detail\":[{\"msg\":\"field required\"}]}",
        VF_ERROR_BAD_INPUT, "field required");
    assert_failure(
        "200 OK", "{\"error\":{\"message\":\"upstream is busy\",\"code\":502}}", VF_ERROR_BUSY,
        "answered 502: upstream is busy");
    assert_failure("502 Bad Gateway", "<html>x</html>", VF_ERROR_BUSY, "answered 502");
    assert_failure("502 Bad Gateway", "no upstream\n", VF_ERROR_BUSY, "502: no upstream");
    assert_failure("301 Moved", "", VF_ERROR_DENIED, "final address");
}

static void
test_a_wrong_success_is_a_failure(void)
{
    assert_failure("200 OK", "", VF_ERROR_FAILED, "not JSON");
    assert_failure("200 OK", "{}", VF_ERROR_FAILED, "no vectors");
    assert_failure(
        "200 OK", "{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", VF_ERROR_FAILED,
        "1 vectors for 2 texts");
    assert_failure(
        "200 OK",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":1,\"embedding\":[0,0]}]}",
        VF_ERROR_FAILED, "text 2 is all zero");
    assert_failure(
        "200 OK",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]},{\"index\":1,\"embedding\":[1,2,3]}]}",
        VF_ERROR_FAILED, "3 numbers, not 2");
}

static void
test_an_endless_answer_is_a_failure(void)
{
    g_autofree char *body = g_strnfill(3 * 1024 * 1024, ' ');
    assert_failure("200 OK", body, VF_ERROR_FAILED, "larger than");
}

static gint64
wish_of(const char *status, const char *headers)
{
    g_autoptr(GError) error = NULL;
    EmbedReply reply = {0};

    g_assert_false(embed_two((Answer){status, headers, ""}, (OpenaiOptions){0}, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    return reply.retry_after_ms;
}

static void
test_a_busy_server_says_when_to_come_back(void)
{
    g_assert_cmpint(wish_of("429 X", "Retry-After: 2\r\n"), ==, 2000);
    g_assert_cmpint(wish_of("429 X", "retry-after-ms: 150\r\nretry-after: 1\r\n"), ==, 150);
    g_assert_cmpint(wish_of("503 X", "Retry-After: 5\r\n"), ==, 5000);
    g_assert_cmpint(wish_of("429 X", "x-ratelimit-reset-requests: 6m0s\r\n"), ==, 360000);
    g_assert_cmpint(
        wish_of(
            "429 X", "x-ratelimit-remaining-requests: 5\r\nx-ratelimit-reset-requests: 8ms\r\n"
                     "x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 1.5s\r\n"),
        ==, 1500);
    g_assert_cmpint(wish_of("503 X", "x-ratelimit-reset-requests: 1s\r\n"), ==, -1);
    g_assert_cmpint(wish_of("429 X", ""), ==, -1);
}

static void
test_reads_durations(void)
{
    g_assert_cmpint(openai_duration_ms("1s"), ==, 1000);
    g_assert_cmpint(openai_duration_ms("6m0s"), ==, 360000);
    g_assert_cmpint(openai_duration_ms("20ms"), ==, 20);
    g_assert_cmpint(openai_duration_ms("1h2m3.5s"), ==, 3723500);
    g_assert_cmpint(openai_duration_ms("120µs"), ==, 1);
    g_assert_cmpint(openai_duration_ms("0s"), ==, 0);
    g_assert_cmpint(openai_duration_ms("9999999h"), ==, 24 * 60 * 60 * 1000);
    g_assert_cmpint(openai_duration_ms(NULL), ==, -1);
    g_assert_cmpint(openai_duration_ms(""), ==, -1);
    g_assert_cmpint(openai_duration_ms("5"), ==, -1);
    g_assert_cmpint(openai_duration_ms("s"), ==, -1);
    g_assert_cmpint(openai_duration_ms("-1s"), ==, -1);
    g_assert_cmpint(openai_duration_ms("1s?"), ==, -1);
}

static void
test_no_server_is_a_connection_problem(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Embedder) embedder = openai_embedder_new(
        &(OpenaiOptions){.base_url = "http://127.0.0.1:1", .model = "m", .dimensions = 2}, NULL);
    EmbedReply reply = {0};

    g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_QUERY, NULL, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
}

static void
test_a_probe_learns_the_dimensions(void)
{
    g_autoptr(GError) error = NULL;
    Answer answer = {
        "200 OK", "",
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}],\"usage\":{\"total_tokens\":2}}"};
    g_autoptr(Server) server = server_start(give_answer, &answer);
    g_autoptr(Embedder) embedder = embedder_for(server, (OpenaiOptions){0});
    EmbedReply reply = {0};

    g_assert_false(embedder->embed(embedder, TEXTS, 1, EMBED_QUERY, NULL, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_clear_error(&error);

    g_assert_true(openai_embedder_probe(embedder, NULL, &reply, &error));
    g_assert_no_error(error);
    g_assert_cmpint(embedder->info.dimensions, ==, 3);
    g_assert_cmpuint(reply.tokens, ==, 2);
    embed_reply_clear(&reply);

    g_assert_true(openai_embedder_probe(embedder, NULL, &reply, &error));
    g_assert_true(embedder->embed(embedder, TEXTS, 1, EMBED_QUERY, NULL, &reply, &error));
    embed_reply_clear(&reply);
    g_assert_cmpuint(server->requests->len, ==, 2);
}

static int
dimensions_of(const char *model)
{
    g_autoptr(Embedder) embedder = openai_embedder_new(&(OpenaiOptions){.model = model}, NULL);
    return embedder->info.dimensions;
}

static void
test_knows_the_common_models(void)
{
    g_assert_cmpint(dimensions_of("text-embedding-3-small"), ==, 1536);
    g_assert_cmpint(dimensions_of("text-embedding-3-large"), ==, 3072);
    g_assert_cmpint(dimensions_of("nomic-embed-text:latest"), ==, 768);
    g_assert_cmpint(dimensions_of("BAAI/bge-m3"), ==, 1024);
    g_assert_cmpint(dimensions_of("intfloat/multilingual-e5-large"), ==, 1024);
    g_assert_cmpint(dimensions_of("bge"), ==, 0);
}

static void
test_describes_itself(void)
{
    g_autoptr(Embedder) openai = openai_embedder_new(
        &(OpenaiOptions){.model = "text-embedding-3-small", .dimensions = 1024}, NULL);
    g_autoptr(Embedder) local = openai_embedder_new(
        &(OpenaiOptions){
            .base_url = "http://localhost:11434/v1",
            .model = "nomic-embed-text",
            .document_prefix = "search_document: ",
            .max_texts = 7,
            .max_characters = 2000},
        NULL);
    g_autofree char *openai_space = embedder_space(openai);
    g_autofree char *local_space = embedder_space(local);

    g_assert_cmpstr(openai_space, ==, "openai/text-embedding-3-small/1024");
    g_assert_cmpuint(openai->info.max_texts, ==, 2048);
    g_assert_cmpuint(openai->info.max_call_bytes, ==, 300000);
    g_assert_true(openai->info.costs_money);
    g_assert_cmpstr(local_space, ==, "openai/nomic-embed-text/768/search_document:");
    g_assert_cmpuint(local->info.max_texts, ==, 7);
    g_assert_cmpuint(local->info.max_characters, ==, 2000);
    g_assert_false(local->info.costs_money);
}

static void
assert_not_an_option(OpenaiOptions options)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(openai_embedder_new(&options, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_null(strstr(error->message, "pw"));
}

static void
test_impossible_options_are_refused(void)
{
    assert_not_an_option((OpenaiOptions){.model = NULL});
    assert_not_an_option((OpenaiOptions){.model = ""});
    assert_not_an_option((OpenaiOptions){.model = "m", .base_url = ""});
    assert_not_an_option((OpenaiOptions){.model = "m", .base_url = "file:///x"});
    assert_not_an_option((OpenaiOptions){.model = "m", .base_url = "http://u:pw@host/v1"});
    assert_not_an_option((OpenaiOptions){.model = "m", .base_url = "https://host/v1?a=b"});
    assert_not_an_option((OpenaiOptions){.model = "m", .dimensions = -1});
    assert_not_an_option((OpenaiOptions){.model = "m", .dimensions = 20000});
    assert_not_an_option((OpenaiOptions){.model = "m", .encoding_format = "hex"});
}

static char *
no_key(void *data, GError **error)
{
    (void) data;
    g_set_error_literal(error, VF_ERROR, VF_ERROR_CONNECT, "the key's keeper is away");
    return NULL;
}

static char *
new_key(void *data, GError **error)
{
    int *count = data;
    (void) error;
    return g_strdup_printf("key-number-%d", ++*count);
}

static void
test_the_key_may_come_from_elsewhere(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *head = NULL;
    EmbedReply reply = {0};
    int count = 0;
    g_autoptr(Json) request = request_for(
        (OpenaiOptions){.dimensions = 2, .fetch_key = new_key, .fetch_key_data = &count},
        EMBED_DOCUMENT, &head);

    g_assert_nonnull(request);
    g_assert_nonnull(strstr(head, "Bearer key-number-1\r\n"));
    g_assert_false(embed_two(
        (Answer){"200 OK", "", GOOD}, (OpenaiOptions){.fetch_key = no_key}, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_cmpstr(error->message, ==, "the key's keeper is away");
}

static void
assert_quote(const char *message, const char *key, const char *expected)
{
    g_autofree char *quote = openai_quotable(message, key);
    g_assert_cmpstr(quote, ==, expected);
}

static void
test_no_quote_holds_the_key(void)
{
    assert_quote("bad key abcdefgh12345678!", "abcdefgh12345678", "bad key [key]!");
    assert_quote("bad key abcdefgh****5678.", "abcdefgh12345678", "bad key [key]");
    assert_quote("bad key: sk-proj-ab**cd", NULL, "bad key: [key]");
    assert_quote("two words", "two words", "[key]");
    assert_quote("task-1 is done", "short", "task-1 is done");
    assert_quote("", NULL, "");
    assert_quote(" a\nb\033[31mc\r ", NULL, "a b [31mc");
    assert_quote("\xff", NULL, "\xef\xbf\xbd");

    g_autofree char *endless = g_strnfill(100000, 'x');
    g_autofree char *quote = openai_quotable(endless, NULL);
    g_assert_cmpint(g_utf8_strlen(quote, -1), ==, 301);
}

/* The pure parser, for two texts. */
static OpenaiVectors
parse(const char *data, int dimensions, GError **error)
{
    g_autofree char *body = g_strdup_printf("{\"data\":%s}", data);
    OpenaiVectors vectors = {0};
    openai_parse_reply(body, strlen(body), 2, dimensions, &vectors, error);
    return vectors;
}

static void
test_order_is_by_index(void)
{
    g_autoptr(GError) error = NULL;
    OpenaiVectors vectors =
        parse("[{\"index\":1,\"embedding\":[3,4]},{\"index\":0,\"embedding\":[1,2]}]", 0, &error);

    g_assert_no_error(error);
    g_assert_cmpint(vectors.dimensions, ==, 2);
    g_assert_cmpfloat(vectors.vectors[0], ==, 1);
    g_assert_cmpfloat(vectors.vectors[2], ==, 3);
    g_free(vectors.vectors);
}

/* The little-endian floats 0.1, -2.5e-8 and 3.01e8. */
#define BASE64 "zczMPZW/1rIqh49N"

static void
test_base64_and_numbers_are_equal(void)
{
    g_autoptr(GError) error = NULL;
    const float expected[] = {0.1f, -2.5e-8f, 3.01e8f};
    const char *data = "[{\"index\":0,\"embedding\":\"" BASE64 "\"},"
                       "{\"index\":1,\"embedding\":[0.1,-2.5e-8,301000000]}]";
    OpenaiVectors vectors = parse(data, 3, &error);

    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
    {
        g_assert_cmpfloat(vectors.vectors[i], ==, expected[i]);
        g_assert_cmpfloat(vectors.vectors[3 + i], ==, expected[i]);
    }
    g_free(vectors.vectors);
}

static void
assert_not_vectors(const char *data, const char *words)
{
    g_autoptr(GError) error = NULL;
    OpenaiVectors vectors = parse(data, 0, &error);

    g_assert_null(vectors.vectors);
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    if (strstr(error->message, words) == NULL)
        g_error("\"%s\" is not in \"%s\"", words, error->message);
}

static void
test_every_text_has_one_vector(void)
{
#define SECOND ",{\"index\":1,\"embedding\":[1]}]"
    assert_not_vectors("null", "no vectors");
    assert_not_vectors("[]", "0 vectors for 2 texts");
    assert_not_vectors("[{\"index\":1,\"embedding\":[1]}" SECOND, "two vectors for text 1");
    assert_not_vectors("[{\"index\":2,\"embedding\":[1]}" SECOND, "for text 2 of 2");
    assert_not_vectors("[{\"index\":-1,\"embedding\":[1]}" SECOND, "for text -1");
    assert_not_vectors("[{\"index\":0.0,\"embedding\":[1]}" SECOND, "which text");
    assert_not_vectors("[{\"embedding\":[1]}" SECOND, "which text");
    assert_not_vectors("[1" SECOND, "which text");
    assert_not_vectors("[{\"index\":0}" SECOND, "neither");
    assert_not_vectors("[{\"index\":0,\"embedding\":null}" SECOND, "neither");
    assert_not_vectors("[{\"index\":0,\"embedding\":[]}" SECOND, "impossible length");
    assert_not_vectors("[{\"index\":0,\"embedding\":\"\"}" SECOND, "impossible length");
    assert_not_vectors("[{\"index\":0,\"embedding\":[[1]]}" SECOND, "not a number");
    assert_not_vectors("[{\"index\":0,\"embedding\":[null]}" SECOND, "not a number");
    assert_not_vectors("[{\"index\":0,\"embedding\":[\"1\"]}" SECOND, "not a number");
    assert_not_vectors("[{\"index\":0,\"embedding\":[1,2]}" SECOND, "1 numbers, not 2");
    assert_not_vectors("[{\"index\":0,\"embedding\":[NaN]}" SECOND, "not JSON");
    assert_not_vectors("[{\"index\":0,\"embedding\":\"zczM\"}" SECOND, "impossible length");
    assert_not_vectors("[{\"index\":0,\"embedding\":\"zczMPQ\"}" SECOND, "neither");
    assert_not_vectors("[{\"index\":0,\"embedding\":\"zcz MPQ==\"}" SECOND, "neither");
    assert_not_vectors("[{\"index\":0,\"embedding\":\"zczM-Q==\"}" SECOND, "neither");
}

static void
test_a_number_beyond_a_float_is_infinite(void)
{
    g_autoptr(GError) error = NULL;
    OpenaiVectors vectors = parse(
        "[{\"index\":0,\"embedding\":[1e300]},{\"index\":1,\"embedding\":[-1e-300]}]", 0, &error);

    g_assert_no_error(error);
    g_assert_false(embed_check_vectors(vectors.vectors, 2, 1, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_free(vectors.vectors);
}

typedef struct
{
    Embedder *embedder;
} Worker;

static void *
embed_often(void *data)
{
    const Worker *worker = data;

    for (int i = 0; i < 20; i++)
    {
        EmbedReply reply = {0};
        g_assert_true(worker->embedder->embed(
            worker->embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, NULL));
        g_assert_cmpfloat(reply.vectors[3], ==, 4);
        embed_reply_clear(&reply);
    }
    return NULL;
}

static void
test_threads_share_an_embedder(void)
{
    Answer answer = {"200 OK", "", GOOD};
    g_autoptr(Server) server = server_start(give_answer, &answer);
    g_autoptr(Embedder) embedder = embedder_for(server, (OpenaiOptions){.dimensions = 2});
    Worker worker = {embedder};
    pthread_t threads[4];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, embed_often, &worker);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/openai/brings vectors", test_brings_vectors);
    g_test_add_func("/openai/asks in the provider's words", test_asks_in_the_providers_words);
    g_test_add_func("/openai/without a key none is sent", test_without_a_key_none_is_sent);
    g_test_add_func(
        "/openai/prefixes say what a text is for", test_prefixes_say_what_a_text_is_for);
    g_test_add_func("/openai/texts are escaped", test_texts_are_escaped);
    g_test_add_func(
        "/openai/text that is not UTF-8 is not sent", test_text_that_is_not_utf8_is_not_sent);
    g_test_add_func("/openai/only a refusal is free", test_only_a_refusal_is_free);
    g_test_add_func("/openai/failures of OpenAI", test_failures_of_openai);
    g_test_add_func("/openai/failures of other servers", test_failures_of_other_servers);
    g_test_add_func("/openai/a wrong success is a failure", test_a_wrong_success_is_a_failure);
    g_test_add_func("/openai/an endless answer is a failure", test_an_endless_answer_is_a_failure);
    g_test_add_func(
        "/openai/a busy server says when to come back", test_a_busy_server_says_when_to_come_back);
    g_test_add_func("/openai/reads durations", test_reads_durations);
    g_test_add_func(
        "/openai/no server is a connection problem", test_no_server_is_a_connection_problem);
    g_test_add_func("/openai/a probe learns the dimensions", test_a_probe_learns_the_dimensions);
    g_test_add_func("/openai/knows the common models", test_knows_the_common_models);
    g_test_add_func("/openai/describes itself", test_describes_itself);
    g_test_add_func("/openai/impossible options are refused", test_impossible_options_are_refused);
    g_test_add_func(
        "/openai/the key may come from elsewhere", test_the_key_may_come_from_elsewhere);
    g_test_add_func("/openai/threads share an embedder", test_threads_share_an_embedder);
    g_test_add_func("/openai-reply/no quote holds the key", test_no_quote_holds_the_key);
    g_test_add_func("/openai-reply/order is by index", test_order_is_by_index);
    g_test_add_func(
        "/openai-reply/base64 and numbers are equal", test_base64_and_numbers_are_equal);
    g_test_add_func("/openai-reply/every text has one vector", test_every_text_has_one_vector);
    g_test_add_func(
        "/openai-reply/a number beyond a float is infinite",
        test_a_number_beyond_a_float_is_infinite);
    return g_test_run();
}
