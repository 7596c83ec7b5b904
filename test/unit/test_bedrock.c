#include "aws/bedrock.h"
#include "embed/bedrock.h"
#include "embed/bedrock_reply.h"
#include "scripted_aws.h"

#include <math.h>

#define COHERE "cohere.embed-multilingual-v3"
#define TITAN "amazon.titan-embed-text-v2:0"
#define TOKENS(number) "X-Amzn-Bedrock-Input-Token-Count: " number "\r\n"

static const char *const TEXTS[] = {"one", "zw\303\266lf \"2\"", NULL};

/* So many numbers as JSON, the first of them `first`. */
static char *
numbers(const char *first, int count)
{
    GString *list = g_string_new("[");
    g_string_append(list, first);
    for (int i = 1; i < count; i++)
        g_string_append(list, ",0.25");
    g_string_append_c(list, ']');
    return g_string_free(list, FALSE);
}

/* Cohere's answer for two texts. */
static char *
two_vectors(void)
{
    g_autofree char *one = numbers("0.5", 1024);
    g_autofree char *two = numbers("-1e-3", 1024);
    return g_strdup_printf(
        "{\"id\":\"1\",\"texts\":[\"one\",\"[1,2]\"],\"embeddings\":[%s,%s],\"response_type\":"
        "\"embeddings_floats\"}",
        one, two);
}

static Embedder *
embedder_of(Stage *stage, const char *model, int dimensions)
{
    g_autoptr(GError) error = NULL;
    const BedrockOptions options = {g_steal_pointer(&stage->client), model, dimensions};
    Embedder *embedder = bedrock_embedder_new(&options, &error);
    g_assert_no_error(error);
    return embedder;
}

/* --- models -------------------------------------------------------------------------------- */

static void
test_a_model_knows_its_limits_and_its_space(void)
{
    static const struct
    {
        const char *model;
        int asked;
        const char *space;
        size_t texts;
        size_t characters;
    } CASES[] = {
        {COHERE, 0, "bedrock/cohere.embed-multilingual-v3/1024", 96, 2048},
        {"cohere.embed-english-v3", 1024, "bedrock/cohere.embed-english-v3/1024", 96, 2048},
        {"us.cohere.embed-v4:0", 0, "bedrock/cohere.embed-v4:0/1536", 96, 0},
        {"arn:aws:bedrock:eu-west-1:1:inference-profile/eu.cohere.embed-v4:0", 512,
         "bedrock/cohere.embed-v4:0/512", 96, 0},
        {"amazon.titan-embed-text-v1", 0, "bedrock/amazon.titan-embed-text-v1/1536", 1, 50000},
        {TITAN, 256, "bedrock/amazon.titan-embed-text-v2:0/256", 1, 50000},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        static const Step STEPS[] = {{NULL, NULL, NULL, false}};
        g_auto(Stage) stage;
        OPEN(stage, STEPS);
        g_autoptr(Embedder) embedder = embedder_of(&stage, CASES[i].model, CASES[i].asked);
        g_autofree char *space = embedder_space(embedder);
        g_assert_cmpstr(space, ==, CASES[i].space);
        g_assert_cmpuint(embedder->info.max_texts, ==, CASES[i].texts);
        g_assert_cmpuint(embedder->info.max_characters, ==, CASES[i].characters);
        g_assert_true(embedder->info.costs_money);
    }
}

static void
assert_refused(const char *model, int dimensions, const char *message)
{
    static const Step STEPS[] = {{NULL, NULL, NULL, false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    const BedrockOptions options = {g_steal_pointer(&stage.client), model, dimensions};

    g_assert_null(bedrock_embedder_new(&options, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_what_no_model_makes_is_refused(void)
{
    assert_refused(
        "cohere.embed-multilingual-v4", 0,
        "\"cohere.embed-multilingual-v4\" is not an embedding model of Bedrock known here\n"
        "did you mean cohere.embed-multilingual-v3?  An inference profile is named by its id or "
        "ARN");
    assert_refused(
        TITAN, 1536, TITAN " does not make vectors of 1536 dimensions\nit makes 1024, 512, 256");
    assert_refused(COHERE, 512, COHERE " does not make vectors of 512 dimensions\nit makes 1024");
}

/* --- the request --------------------------------------------------------------------------- */

static void
test_each_model_is_asked_in_its_words(void)
{
    static const struct
    {
        const char *model;
        int dimensions;
        EmbedInput input;
        size_t count;
        const char *line;
        const char *body;
    } CASES[] = {
        {COHERE, 0, EMBED_DOCUMENT, 2,
         "POST /model/cohere.embed-multilingual-v3/invoke HTTP/1.1\r\n",
         "{\"texts\":[\"one\",\"zw\303\266lf \\\"2\\\"\"],\"input_type\":\"search_document\"}"},
        {COHERE, 0, EMBED_QUERY, 1, "POST /model/cohere.embed-multilingual-v3/invoke HTTP/1.1\r\n",
         "{\"texts\":[\"one\"],\"input_type\":\"search_query\"}"},
        {"eu.cohere.embed-v4:0", 256, EMBED_DOCUMENT, 1,
         "POST /model/eu.cohere.embed-v4%3A0/invoke HTTP/1.1\r\n",
         "{\"texts\":[\"one\"],\"input_type\":\"search_document\",\"output_dimension\":256,"
         "\"embedding_types\":[\"float\"]}"},
        {"arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan-embed-text-v1", 0, EMBED_QUERY,
         1,
         "POST /model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A%3Afoundation-model%2F"
         "amazon.titan-embed-text-v1/invoke HTTP/1.1\r\n",
         "{\"inputText\":\"one\"}"},
        {TITAN, 512, EMBED_DOCUMENT, 1,
         "POST /model/amazon.titan-embed-text-v2%3A0/invoke HTTP/1.1\r\n",
         "{\"inputText\":\"one\",\"dimensions\":512,\"normalize\":true}"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        static const Step STEPS[] = {{"200 OK", NULL, "{}", false}};
        g_auto(Stage) stage;
        OPEN(stage, STEPS);
        g_autoptr(Embedder) embedder = embedder_of(&stage, CASES[i].model, CASES[i].dimensions);
        EmbedReply reply = {0};
        g_assert_false(
            embedder->embed(embedder, TEXTS, CASES[i].count, CASES[i].input, NULL, &reply, NULL));
        const ServedRequest *seen = served(stage.server, 0);
        g_assert_true(g_str_has_prefix(seen->head, CASES[i].line));
        g_assert_true(says(seen, "Content-Type: application/json\r\n"));
        g_assert_true(says(seen, "Accept: application/json\r\n"));
        g_assert_true(says(seen, "Authorization: AWS4-HMAC-SHA256 "));
        g_assert_cmpstr(seen->body->str, ==, CASES[i].body);
    }
}

static void
test_what_is_not_utf8_is_never_sent(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, "{}", false}};
    static const char *const BAD[] = {"fine", "\xff"};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
    g_autoptr(GError) error = NULL;
    EmbedReply reply = {0};

    g_assert_false(embedder->embed(embedder, BAD, 2, EMBED_DOCUMENT, NULL, &reply, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_true(reply.unsent);
    g_assert_cmpuint(served_count(&stage), ==, 0);
}

/* --- answers ------------------------------------------------------------------------------- */

static void
test_brings_vectors_and_the_headers_tokens(void)
{
    g_autofree char *body = two_vectors();
    const Step steps[] = {{"200 OK", TOKENS("17"), body, false}};
    g_auto(Stage) stage;
    OPEN(stage, steps);
    g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
    g_autoptr(GError) error = NULL;
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(reply.vectors[0], ==, 0.5f);
    g_assert_cmpfloat(reply.vectors[1023], ==, 0.25f);
    g_assert_cmpfloat(reply.vectors[1024], ==, -0.001f);
    g_assert_cmpuint(reply.tokens, ==, 17);
    g_assert_false(reply.refused || reply.unsent);
    embed_reply_clear(&reply);
}

static void
test_without_the_header_titan_tells_its_tokens(void)
{
    g_autofree char *list = numbers("0.5", 256);
    g_autofree char *body = g_strdup_printf("{\"embedding\":%s,\"inputTextTokenCount\":7}", list);
    const Step steps[] = {{"200 OK", NULL, body, false}};
    g_auto(Stage) stage;
    OPEN(stage, steps);
    g_autoptr(Embedder) embedder = embedder_of(&stage, TITAN, 256);
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, TEXTS, 1, EMBED_DOCUMENT, NULL, &reply, NULL));
    g_assert_cmpuint(reply.tokens, ==, 7);
    embed_reply_clear(&reply);
}

static void
test_a_header_that_is_no_number_tells_no_bill(void)
{
    static const char *const HEADERS[] = {
        "", TOKENS("-5"), TOKENS("1e3"), TOKENS("18446744073709551615"), TOKENS("")};

    for (guint i = 0; i < G_N_ELEMENTS(HEADERS); i++)
    {
        g_autofree char *body = two_vectors();
        const Step steps[] = {{"200 OK", HEADERS[i], body, false}};
        g_auto(Stage) stage;
        OPEN(stage, steps);
        g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
        EmbedReply reply = {0};
        g_assert_true(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, NULL));
        g_assert_cmpuint(reply.tokens, ==, 0);
        g_assert_false(reply.refused || reply.unsent);
        embed_reply_clear(&reply);
    }
}

static bool
parse(const char *body, gsize texts, BedrockVectors *vectors, GError **error)
{
    return bedrock_parse_reply(body, strlen(body), texts, 2, vectors, error);
}

static void
test_all_shapes_are_read(void)
{
    static const struct
    {
        const char *body;
        gsize texts;
    } CASES[] = {
        {"{\"embeddings\":[[1,2],[3,4]]}", 2},
        {"{\"embeddings\":{\"int8\":[[9,9],[9,9]],\"float\":[[1,2],[3,4]]},\"response_type\":"
         "\"embeddings_by_type\"}",
         2},
        {"{\"embeddings\":[ [1 , 2] ]}", 1},
        {"{\"embedding\":[1,2]}", 1},
        {"{\"embeddingsByType\":{\"binary\":[0,1],\"float\":[1,2]}}", 1},
        {"{\"embedding\":[1,2],\"embeddingsByType\":{\"float\":[1,2]}}", 1},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(GError) error = NULL;
        BedrockVectors vectors = {0};
        g_assert_true(parse(CASES[i].body, CASES[i].texts, &vectors, &error));
        g_assert_no_error(error);
        for (gsize number = 0; number < 2 * CASES[i].texts; number++)
            g_assert_cmpfloat(vectors.vectors[number], ==, (float) number + 1);
        g_free(vectors.vectors);
    }
}

static void
test_what_cannot_be_right_is_refused(void)
{
    static const struct
    {
        const char *body;
        const char *message;
    } CASES[] = {
        {"", "the answer is not JSON"},
        {"[[1,2],[3,4]]", "the answer is not JSON"},
        {"<html>", "the answer is not JSON"},
        {"{\"embeddings\":[[1,2],[3,NaN]]}", "the answer is not JSON"},
        {"{\"embeddings\":[[1,2],[3,4]", "the answer is not JSON"},
        {"{}", "the answer holds no vectors"},
        {"{\"embeddings\":{\"int8\":[[1,2],[3,4]]}}", "the answer holds no vectors"},
        {"{\"embeddings\":\"[[1,2],[3,4]]\"}", "the answer holds no vectors"},
        {"{\"embedding\":[1,2]}", "the answer holds 1 vector for 2 texts"},
        {"{\"embeddings\":[]}", "the answer holds 0 vectors for 2 texts"},
        {"{\"embeddings\":[[1,2]]}", "the answer holds 1 vectors for 2 texts"},
        {"{\"embeddings\":[[1,2],[3,4],[5,6]]}", "the answer holds 3 vectors for 2 texts"},
        {"{\"embeddings\":[[1,2],[3]]}", "a vector has 1 numbers, not 2"},
        {"{\"embeddings\":[[1,2],[3,4,5]]}", "a vector has 3 numbers, not 2"},
        {"{\"embeddings\":[[1,2],[]]}", "a vector has 0 numbers, not 2"},
        {"{\"embeddings\":[[1,2],[3,null]]}", "a vector holds something that is not a number"},
        {"{\"embeddings\":[[1,2],[3,\"4\"]]}", "a vector holds something that is not a number"},
        {"{\"embeddings\":[[1,2],[[3,4]]]}", "a vector holds something that is not a number"},
        {"{\"embeddings\":[[1,2],\"34\"]}", "a vector is not a list of numbers"},
        {"{\"embeddings\":[[1,2],null]}", "a vector is not a list of numbers"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(GError) error = NULL;
        BedrockVectors vectors = {0};
        g_assert_false(parse(CASES[i].body, 2, &vectors, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
        g_assert_cmpstr(error->message, ==, CASES[i].message);
        g_assert_null(vectors.vectors);
    }
}

static void
test_a_vector_of_zeros_or_beyond_all_numbers_is_refused(void)
{
    static const char *const FIRST[] = {"0", "1e999", "-1e999"};

    for (guint i = 0; i < G_N_ELEMENTS(FIRST); i++)
    {
        g_autofree char *plain = numbers(FIRST[i], 256);
        g_autoptr(GString) list = g_string_new(plain);
        if (i == 0)
            g_string_replace(list, "0.25", "0.0", 0);
        g_autofree char *body = g_strdup_printf("{\"embedding\":%s}", list->str);
        const Step steps[] = {{"200 OK", TOKENS("3"), body, false}};
        g_auto(Stage) stage;
        OPEN(stage, steps);
        g_autoptr(Embedder) embedder = embedder_of(&stage, TITAN, 256);
        g_autoptr(GError) error = NULL;
        EmbedReply reply = {0};
        g_assert_false(embedder->embed(embedder, TEXTS, 1, EMBED_DOCUMENT, NULL, &reply, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
        g_assert_null(reply.vectors);
        g_assert_cmpuint(reply.tokens, ==, 3);
        g_assert_false(reply.refused);
    }
}

/* --- refusals ------------------------------------------------------------------------------ */

#define SAYS(message) "{\"message\":\"" message "\"}"
#define TYPE(code) "x-amzn-ErrorType: " code ":http://internal.amazon.com/\r\n"
#define BEFORE "bedrock-runtime InvokeModel: "

static void
test_each_error_says_what_can_be_done(void)
{
    static const struct
    {
        Step step;
        VfError kind;
        bool refused;
        const char *message;
    } CASES[] = {
        {{"429 Too Many Requests", TYPE("ThrottlingException"), SAYS("Too many tokens"), false},
         VF_ERROR_BUSY,
         true,
         BEFORE "ThrottlingException: Too many tokens"},
        {{"429 Too Many Requests", TYPE("ModelNotReadyException"), SAYS("loading"), false},
         VF_ERROR_BUSY,
         true,
         BEFORE "ModelNotReadyException: loading"},
        {{"503 Service Unavailable", TYPE("ServiceUnavailableException"), SAYS("later"), false},
         VF_ERROR_CONNECT,
         true,
         BEFORE "ServiceUnavailableException: later"},
        {{"400 Bad Request", TYPE("ServiceQuotaExceededException"), SAYS("over"), false},
         VF_ERROR_BUSY,
         true,
         BEFORE "ServiceQuotaExceededException: over\nlook at the model's quotas in the Service "
                "Quotas console of region eu-central-1"},
        {{"403 Forbidden", TYPE("AccessDeniedException"), SAYS("no access"), false},
         VF_ERROR_DENIED,
         true,
         BEFORE
         "AccessDeniedException: no access\ngrant access to the model in the Bedrock console "
         "of region eu-central-1, and the IAM action bedrock:InvokeModel"},
        {{"400 Bad Request", TYPE("ValidationException"),
          SAYS("Invocation of model ID m with on-demand throughput isn't supported."), false},
         VF_ERROR_DENIED,
         true,
         BEFORE "ValidationException: Invocation of model ID m with on-demand throughput isn't "
                "supported.\nname an inference profile that holds the model: us., eu. or global. "
                "before its id, or the profile's ARN"},
        {{"400 Bad Request", TYPE("ValidationException"),
          SAYS("The provided model identifier is invalid."), false},
         VF_ERROR_DENIED,
         true,
         BEFORE "ValidationException: The provided model identifier is invalid.\nis the model "
                "offered in region eu-central-1 (--bedrock-region)?"},
        {{"404 Not Found", TYPE("ResourceNotFoundException"), SAYS("no such model"), false},
         VF_ERROR_DENIED,
         true,
         BEFORE "ResourceNotFoundException: no such model\nis the model offered in region "
                "eu-central-1 (--bedrock-region)?"},
        {{"400 Bad Request", TYPE("ValidationException"),
          SAYS("Malformed input request: extraneous key [a] is not permitted"), false},
         VF_ERROR_DENIED,
         true,
         BEFORE "ValidationException: Malformed input request: extraneous key [a] is not "
                "permitted"},
        {{"400 Bad Request", TYPE("ValidationException"),
          SAYS("Malformed input request: #/texts/0: expected maxLength: 2048, actual: 2049"),
          false},
         VF_ERROR_BAD_INPUT,
         true,
         BEFORE
         "ValidationException: Malformed input request: #/texts/0: expected maxLength: 2048, "
         "actual: 2049"},
        {{"408 Request Timeout", TYPE("ModelTimeoutException"), SAYS("slow"), false},
         VF_ERROR_CONNECT,
         false,
         BEFORE "ModelTimeoutException: slow"},
        {{"424 Failed Dependency", TYPE("ModelErrorException"), SAYS("odd"), false},
         VF_ERROR_FAILED,
         false,
         BEFORE "ModelErrorException: odd"},
        {{"500 Internal Server Error", TYPE("InternalServerException"), SAYS("oops"), false},
         VF_ERROR_FAILED,
         false,
         BEFORE "InternalServerException: oops"},
        {{"502 Bad Gateway", NULL, "<html>squid</html>", false},
         VF_ERROR_CONNECT,
         false,
         BEFORE "the answer is not one of AWS (status 502): squid\n"
                "is a proxy in between, or the endpoint not AWS's?"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, &CASES[i].step, 1);
        g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
        g_autoptr(GError) error = NULL;
        EmbedReply reply = {0};
        g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, &error));
        g_assert_cmpstr(error->message, ==, CASES[i].message);
        g_assert_error(error, VF_ERROR, (int) CASES[i].kind);
        g_assert_true(reply.refused == CASES[i].refused);
        g_assert_false(reply.unsent);
        g_assert_cmpuint(served_count(&stage), ==, 1);
        g_assert_cmpuint(stage.time.waits->len, ==, 0);
    }
}

static void
test_the_wish_to_be_left_alone_is_told(void)
{
    static const Step STEPS[] = {
        {"429 Too Many Requests", TYPE("ThrottlingException") "Retry-After: 3\r\n", SAYS("slow"),
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
    EmbedReply reply = {0};

    g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, NULL));
    g_assert_cmpint(reply.retry_after_ms, ==, 3000);
}

static void
test_a_lost_answer_is_neither_asked_again_nor_free(void)
{
    static const Step CASES[] = {{NULL, NULL, NULL, false}, {"200 OK", NULL, "{\"emb", true}};

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, &CASES[i], 1);
        g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
        g_autoptr(GError) error = NULL;
        EmbedReply reply = {0};
        g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
        g_assert_false(reply.refused || reply.unsent);
        g_assert_cmpuint(served_count(&stage), ==, 1);
    }
}

static void
test_a_lost_answer_on_a_kept_connection_is_not_asked_again(void)
{
    g_autofree char *body = two_vectors();
    const Step steps[] = {{"200 OK", TOKENS("17"), body, false}, {NULL, NULL, NULL, false}};
    g_auto(Stage) stage;
    OPEN(stage, steps);
    g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
    EmbedReply reply = {0};

    g_assert_true(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, NULL));
    embed_reply_clear(&reply);
    g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, NULL));
    g_assert_cmpuint(served_count(&stage), ==, 2);
}

static void
test_what_never_left_is_told(void)
{
    static const Step STEPS[] = {{NULL, NULL, NULL, false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
    g_autoptr(GError) unreached = NULL;
    EmbedReply reply = {0};

    server_stop(g_steal_pointer(&stage.server));
    stage.server = server_start(act, &stage.play);
    g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, &unreached));
    g_assert_error(unreached, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_true(reply.unsent);
}

static void
test_without_keys_nothing_leaves(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, "{}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Embedder) embedder = embedder_of(&stage, COHERE, 0);
    g_autoptr(GError) error = NULL;
    EmbedReply reply = {0};

    set_keys(false);
    g_assert_false(embedder->embed(embedder, TEXTS, 2, EMBED_DOCUMENT, NULL, &reply, &error));
    set_keys(true);
    g_assert_nonnull(error);
    g_assert_true(reply.unsent);
    g_assert_cmpuint(served_count(&stage), ==, 0);
}

#define TEST(name, function) g_test_add_func("/bedrock/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
    TEST("a model knows its limits and its space", test_a_model_knows_its_limits_and_its_space);
    TEST("what no model makes is refused", test_what_no_model_makes_is_refused);
    TEST("each model is asked in its words", test_each_model_is_asked_in_its_words);
    TEST("what is not UTF-8 is never sent", test_what_is_not_utf8_is_never_sent);
    TEST("brings vectors and the header's tokens", test_brings_vectors_and_the_headers_tokens);
    TEST(
        "without the header titan tells its tokens",
        test_without_the_header_titan_tells_its_tokens);
    TEST("a header that is no number tells no bill", test_a_header_that_is_no_number_tells_no_bill);
    TEST("all shapes are read", test_all_shapes_are_read);
    TEST("what cannot be right is refused", test_what_cannot_be_right_is_refused);
    TEST(
        "a vector of zeros or beyond all numbers is refused",
        test_a_vector_of_zeros_or_beyond_all_numbers_is_refused);
    TEST("each error says what can be done", test_each_error_says_what_can_be_done);
    TEST("the wish to be left alone is told", test_the_wish_to_be_left_alone_is_told);
    TEST(
        "a lost answer is neither asked again nor free",
        test_a_lost_answer_is_neither_asked_again_nor_free);
    TEST(
        "a lost answer on a kept connection is not asked again",
        test_a_lost_answer_on_a_kept_connection_is_not_asked_again);
    TEST("what never left is told", test_what_never_left_is_told);
    TEST("without keys nothing leaves", test_without_keys_nothing_leaves);
    return g_test_run();
}
