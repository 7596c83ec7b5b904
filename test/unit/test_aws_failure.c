#include "aws/failure.h"

#include <string.h>

static HttpResponse *
answer(int status, const char *header, const char *body)
{
    HttpResponse *response = g_new0(HttpResponse, 1);
    response->status = status;
    response->headers = g_ptr_array_new_with_free_func(g_free);
    if (header != NULL)
        g_ptr_array_add(response->headers, g_strdup(header));
    response->body = g_string_new(body);
    return response;
}

static void
read_answer(
    AwsFailure *failure, AwsService service, int status, const char *header, const char *body)
{
    g_autoptr(HttpResponse) response = answer(status, header, body);
    aws_failure_read(failure, service, response, NULL);
}

static void
test_the_code_is_found_wherever_it_stands(void)
{
    static const struct
    {
        const char *header;
        const char *body;
    } CASES[] = {
        {NULL, "{\"__type\":\"Odd\",\"message\":\"why\"}"},
        {NULL, "{\"__type\":\"com.amazon.coral.service#Odd\",\"Message\":\"why\"}"},
        {NULL, "{\"__type\":\"ns#Odd:http://internal.amazon.com/coral/\",\"message\":\"why\"}"},
        {NULL, " \n{\"code\":\"Odd\",\"message\":\"why\"}"},
        {"x-amzn-ErrorType: Odd:http://internal.amazon.com/coral/", "{\"message\":\"why\"}"},
        {"x-amzn-errortype: Odd", "{\"Message\":\"why\"}"},
        {NULL, "<ErrorResponse xmlns=\"http://x\"><Error><Type>Sender</Type><Code>Odd</Code>"
               "<Message>why</Message></Error><RequestId>1</RequestId></ErrorResponse>"},
        {NULL, "<ErrorResponse><Errors><Error><Code>Odd</Code><Message>why</Message></Error>"
               "</Errors></ErrorResponse>"},
        {NULL, "<Response><Errors><Error><Code>Odd</Code><Message>why</Message></Error></Errors>"
               "</Response>"},
        {NULL, "<?xml version=\"1.0\"?>\n<Error><Code>Odd</Code><Message>why</Message>"
               "<HostId>h</HostId></Error>"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_ECS, 400, CASES[i].header, CASES[i].body);
        g_assert_cmpstr(failure.code, ==, "Odd");
        g_assert_cmpstr(failure.message, ==, "why");
        g_assert_false(failure.foreign);
        g_assert_cmpint(failure.error, ==, VF_ERROR_BAD_INPUT);
        g_assert_cmpint(failure.kind, ==, AWS_FAILURE_FINAL);
    }
}

/* Throttles come as 400, expired keys as 400 or 403: the status must not matter. */
static void
test_the_code_says_what_to_do(void)
{
    static const struct
    {
        const char *code;
        AwsFailureKind kind;
        VfError error;
    } CASES[] = {
        {"ThrottlingException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"Throttling", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"ProvisionedThroughputExceededException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"RequestLimitExceeded", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"TooManyRequestsException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"SlowDown", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"ModelNotReadyException", AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {"RequestTimeout", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
        {"IDPCommunicationError", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
        {"ReplicatedWriteConflictException", AWS_FAILURE_TRANSIENT, VF_ERROR_BUSY},
        {"RequestTimeTooSkewed", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
        {"InvalidSignatureException", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
        {"SignatureDoesNotMatch", AWS_FAILURE_CLOCK, VF_ERROR_DENIED},
        {"ExpiredTokenException", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
        {"InvalidClientTokenId", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
        {"UnrecognizedClientException", AWS_FAILURE_KEYS, VF_ERROR_DENIED},
        {"AccessDenied", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
        {"AccessDeniedException", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
        {"AccessDeniedFault", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
        {"MissingAuthenticationToken", AWS_FAILURE_FINAL, VF_ERROR_DENIED},
        {"ResourceNotFoundException", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {"ClusterNotFoundException", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {"DBClusterNotFoundFault", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {"DBInstanceNotFound", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {"NoSuchBucket", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {"ConditionalCheckFailedException", AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {"ValidationException", AWS_FAILURE_FINAL, VF_ERROR_BAD_INPUT},
        {"SerializationException", AWS_FAILURE_FINAL, VF_ERROR_BAD_INPUT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autofree char *body = g_strdup_printf("{\"__type\":\"a#%s\"}", CASES[i].code);
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_DYNAMODB, 400, NULL, body);
        g_assert_cmpstr(failure.code, ==, CASES[i].code);
        g_assert_cmpint(failure.kind, ==, CASES[i].kind);
        g_assert_cmpint(failure.error, ==, CASES[i].error);
        g_assert_cmpstr(failure.message, ==, "status 400");
    }
}

static void
test_the_status_speaks_where_no_code_does(void)
{
    static const struct
    {
        int status;
        AwsFailureKind kind;
        VfError error;
    } CASES[] = {
        {500, AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
        {502, AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
        {503, AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
        {504, AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT},
        {501, AWS_FAILURE_FINAL, VF_ERROR_FAILED},
        {429, AWS_FAILURE_THROTTLED, VF_ERROR_BUSY},
        {400, AWS_FAILURE_FINAL, VF_ERROR_BAD_INPUT},
        {401, AWS_FAILURE_FINAL, VF_ERROR_DENIED},
        {403, AWS_FAILURE_FINAL, VF_ERROR_DENIED},
        {404, AWS_FAILURE_FINAL, VF_ERROR_MISMATCH},
        {302, AWS_FAILURE_FINAL, VF_ERROR_FAILED},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_S3, CASES[i].status, NULL, "");
        g_assert_cmpstr(failure.code, ==, "");
        g_assert_cmpint(failure.kind, ==, CASES[i].kind);
        g_assert_cmpint(failure.error, ==, CASES[i].error);
        g_assert_false(failure.foreign);
    }
}

static void
test_some_codes_need_their_words(void)
{
    static const struct
    {
        AwsService service;
        const char *body;
        VfError error;
    } CASES[] = {
        {AWS_CLOUDFORMATION,
         "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id X does not exist"
         "</Message></Error></ErrorResponse>",
         VF_ERROR_MISMATCH},
        {AWS_CLOUDFORMATION,
         "<ErrorResponse><Error><Code>ValidationError</Code><Message>1 validation error detected"
         "</Message></Error></ErrorResponse>",
         VF_ERROR_BAD_INPUT},
        {AWS_ECS,
         "{\"__type\":\"ClientException\",\"message\":\"Unable to describe task definition.\"}",
         VF_ERROR_MISMATCH},
        {AWS_ECS, "{\"__type\":\"ClientException\",\"message\":\"No Container Instances\"}",
         VF_ERROR_BAD_INPUT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, CASES[i].service, 400, NULL, CASES[i].body);
        g_assert_cmpint(failure.error, ==, CASES[i].error);
    }
}

static void
test_a_models_own_server_may_recover(void)
{
    g_auto(AwsFailure) servers = {0};
    g_auto(AwsFailure) inputs = {0};

    read_answer(
        &servers, AWS_BEDROCK_RUNTIME, 424, "x-amzn-errortype: ModelErrorException",
        "{\"message\":\"m\",\"originalStatusCode\":503}");
    read_answer(
        &inputs, AWS_BEDROCK_RUNTIME, 424, "x-amzn-errortype: ModelErrorException",
        "{\"message\":\"m\",\"originalStatusCode\":400}");
    g_assert_cmpint(servers.kind, ==, AWS_FAILURE_TRANSIENT);
    g_assert_cmpint(inputs.kind, ==, AWS_FAILURE_FINAL);
    g_assert_cmpint(inputs.error, ==, VF_ERROR_BAD_INPUT);
}

static void
test_what_is_not_of_aws_is_called_so(void)
{
    static const struct
    {
        int status;
        const char *body;
        AwsFailureKind kind;
        VfError error;
        const char *words;
    } CASES[] = {
        {403,
         "<!DOCTYPE html><html><head><title>Blocked</title></head><body>by\npolicy</body></html>",
         AWS_FAILURE_FINAL, VF_ERROR_FAILED, "Blocked by policy"},
        {404, "{\"detail\":\"Not Found\"}", AWS_FAILURE_FINAL, VF_ERROR_FAILED, "Not Found"},
        {400, "garbage \x01\xff", AWS_FAILURE_FINAL, VF_ERROR_FAILED, "garbage"},
        {400, "{\"__type\":17}", AWS_FAILURE_FINAL, VF_ERROR_FAILED, "17"},
        {400, "<Error><Code>not a code</Code></Error>", AWS_FAILURE_FINAL, VF_ERROR_FAILED, "code"},
        {407, "<p>Log in</p>", AWS_FAILURE_FINAL, VF_ERROR_FAILED, "Log in"},
        {502, "<html>Bad Gateway</html>", AWS_FAILURE_TRANSIENT, VF_ERROR_CONNECT, "Bad Gateway"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_ECS, CASES[i].status, NULL, CASES[i].body);
        g_assert_true(failure.foreign);
        g_assert_cmpstr(failure.code, ==, "");
        g_assert_cmpint(failure.kind, ==, CASES[i].kind);
        g_assert_cmpint(failure.error, ==, CASES[i].error);
        g_assert_nonnull(strstr(failure.message, CASES[i].words));
        g_assert_null(strchr(failure.message, '\n'));
        g_assert_null(strchr(failure.message, '<'));
        g_assert_cmpuint(strlen(failure.message), <, 200);
    }
}

/* A refused signature is answered with all that was to be signed, token included. */
static void
test_no_secret_is_repeated(void)
{
    static const char *const BODIES[] = {
        "{\"__type\":\"InvalidSignatureException\",\"message\":\"The request signature we "
        "calculated "
        "does not match.\\n\\nThe Canonical String for this request should have been\\n'POST\\n"
        "x-amz-security-token:TOK/en+with==sign'\"}",
        "{\"__type\":\"Odd\",\"message\":\"you sent TOK/en+with==sign and s3cr3t/s3cr3t\"}",
        "<html>you sent TOK/en+with==sign and s3cr3t/s3cr3t</html>",
        "<html>token=TOK%2Fen%2Bwith%3D%3DsignTOK%2Fen%2Bwith%3D%3Dsign</html>",
    };
    g_autoptr(AwsKeys) keys =
        aws_keys_new("AKID", "s3cr3t/s3cr3t", "TOK/en+with==sign", G_MAXINT64);

    for (guint i = 0; i < G_N_ELEMENTS(BODIES); i++)
    {
        g_autoptr(HttpResponse) response = answer(400, NULL, BODIES[i]);
        g_auto(AwsFailure) failure = {0};
        aws_failure_read(&failure, AWS_ECS, response, keys);
        g_assert_null(strstr(failure.message, "TOK"));
        g_assert_null(strstr(failure.message, "security-token"));
        g_assert_null(strstr(failure.message, "s3cr3t"));
        g_assert_cmpuint(strlen(failure.message), >, 15);
    }
}

/* An emulator's keys may be anything. */
static void
test_a_word_is_no_secret(void)
{
    g_autoptr(HttpResponse) response =
        answer(400, NULL, "{\"__type\":\"Odd\",\"message\":\"no such secret in the test\"}");
    g_autoptr(AwsKeys) keys = aws_keys_new("test", "test", "secret", G_MAXINT64);
    g_auto(AwsFailure) failure = {0};

    aws_failure_read(&failure, AWS_ECS, response, keys);
    g_assert_cmpstr(failure.message, ==, "no such secret in the test");
}

static void
test_a_message_is_one_bearable_line(void)
{
    g_autofree char *many = g_strnfill(3000, 'e');
    g_autofree char *body =
        g_strdup_printf("{\"__type\":\"Odd\",\"message\":\" a\\nb\\u001b[31m é%s\"}", many);
    g_auto(AwsFailure) failure = {0};

    read_answer(&failure, AWS_ECS, 400, NULL, body);
    g_assert_true(g_str_has_prefix(failure.message, "a b [31m éee"));
    g_assert_cmpuint(strlen(failure.message), <=, 510);
    g_assert_true(g_utf8_validate(failure.message, -1, NULL));
}

static void
test_s3_tells_the_region(void)
{
    static const struct
    {
        int status;
        const char *header;
        const char *body;
    } CASES[] = {
        {301, "x-amz-bucket-region: eu-west-3", ""},
        {301, "x-amz-bucket-region: eu-west-3",
         "<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>"},
        {307, "x-amz-bucket-region: eu-west-3",
         "<Error><Code>TemporaryRedirect</Code><Message>m</Message></Error>"},
        {400, NULL,
         "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-3"
         "</Region></Error>"},
        {400, "x-amz-bucket-region: eu-west-3", ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_S3, CASES[i].status, CASES[i].header, CASES[i].body);
        g_assert_cmpint(failure.kind, ==, AWS_FAILURE_REGION);
        g_assert_cmpstr(failure.region, ==, "eu-west-3");
    }
}

/* A region becomes a part of a host name. */
static void
test_a_strange_region_is_not_followed(void)
{
    static const char *const HEADERS[] = {
        "x-amz-bucket-region: evil.example/", "x-amz-bucket-region: ", "x-other: eu-west-3"};

    for (guint i = 0; i < G_N_ELEMENTS(HEADERS); i++)
    {
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_S3, 301, HEADERS[i], "");
        g_assert_cmpint(failure.kind, ==, AWS_FAILURE_FINAL);
        g_assert_cmpint(failure.error, ==, VF_ERROR_MISMATCH);
    }
    g_auto(AwsFailure) failure = {0};
    read_answer(&failure, AWS_S3, 403, "x-amz-bucket-region: eu-west-3", "");
    g_assert_cmpint(failure.kind, ==, AWS_FAILURE_FINAL);
    g_assert_cmpint(failure.error, ==, VF_ERROR_DENIED);
}

static void
test_only_an_unreached_server_is_asked_again(void)
{
    static const VfError ERRORS[] = {VF_ERROR_CONNECT, VF_ERROR_DENIED, VF_ERROR_BAD_INPUT};

    for (guint i = 0; i < G_N_ELEMENTS(ERRORS); i++)
    {
        g_autoptr(GError) problem = g_error_new_literal(VF_ERROR, (int) ERRORS[i], "it");
        g_auto(AwsFailure) failure = {0};
        aws_failure_read_problem(&failure, problem);
        g_assert_true((failure.kind == AWS_FAILURE_TRANSIENT) == (ERRORS[i] == VF_ERROR_CONNECT));
    }
}

/* The answer may be anything: a random one must be survived. */
static void
test_any_bytes_are_survived(void)
{
    static const char PIECES[] = "<>{}\"#:/&; \nError Code __type\xc3\xa9\xff";
    g_autoptr(GRand) chance = g_rand_new_with_seed(7);

    for (int round = 0; round < 20000; round++)
    {
        g_autoptr(GString) body = g_string_new(round % 2 == 0 ? "<Error><Code>" : "{\"__type\":");
        const int length = g_rand_int_range(chance, 0, 60);
        for (int i = 0; i < length; i++)
            g_string_append_c(body, PIECES[g_rand_int_range(chance, 0, sizeof PIECES - 1)]);
        g_auto(AwsFailure) failure = {0};
        read_answer(&failure, AWS_S3, 400, NULL, body->str);
        g_assert_nonnull(failure.message);
        g_assert_true(g_utf8_validate(failure.message, -1, NULL));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/aws-failure/the code is found wherever it stands",
        test_the_code_is_found_wherever_it_stands);
    g_test_add_func("/aws-failure/the code says what to do", test_the_code_says_what_to_do);
    g_test_add_func(
        "/aws-failure/the status speaks where no code does",
        test_the_status_speaks_where_no_code_does);
    g_test_add_func("/aws-failure/some codes need their words", test_some_codes_need_their_words);
    g_test_add_func(
        "/aws-failure/a model's own server may recover", test_a_models_own_server_may_recover);
    g_test_add_func(
        "/aws-failure/what is not of AWS is called so", test_what_is_not_of_aws_is_called_so);
    g_test_add_func("/aws-failure/no secret is repeated", test_no_secret_is_repeated);
    g_test_add_func(
        "/aws-failure/a message is one bearable line", test_a_message_is_one_bearable_line);
    g_test_add_func("/aws-failure/a word is no secret", test_a_word_is_no_secret);
    g_test_add_func("/aws-failure/S3 tells the region", test_s3_tells_the_region);
    g_test_add_func(
        "/aws-failure/a strange region is not followed", test_a_strange_region_is_not_followed);
    g_test_add_func(
        "/aws-failure/only an unreached server is asked again",
        test_only_an_unreached_server_is_asked_again);
    g_test_add_func("/aws-failure/any bytes are survived", test_any_bytes_are_survived);
    return g_test_run();
}
