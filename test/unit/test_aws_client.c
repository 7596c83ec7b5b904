#include "aws/sign.h"
#include "scripted_aws.h"

#include <glib/gstdio.h>
#include <zlib.h>

#define OK                                                                                         \
    {                                                                                              \
        "200 OK", NULL, "{}", false                                                                \
    }
#define THROTTLE                                                                                   \
    {                                                                                              \
        "400 Bad Request", NULL,                                                                   \
            "{\"__type\":\"a#ThrottlingException\",\"message\":\"Rate exceeded\"}", false          \
    }
#define TROUBLE                                                                                    \
    {                                                                                              \
        "500 Internal Server Error", NULL, "{\"__type\":\"InternalServerError\"}", false           \
    }
#define PAGE "<html><body>Bad gate</body></html>"

static bool
scan(Stage *stage, char *code, GError **error)
{
    g_autoptr(Json) answer =
        aws_json_call(stage->client, AWS_DYNAMODB, "Scan", NULL, code, NULL, error);
    return answer != NULL;
}

/* --- requests --------------------------------------------------------------------- */

static void
test_json_is_asked_and_answered(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, "{\"tasks\":[1]}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) request = json_pack("{ss}", "cluster", "ü");

    g_autoptr(Json) answer =
        aws_json_call(stage.client, AWS_ECS, "RunTask", request, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(json_object_get(answer, "tasks")), ==, 1);

    const ServedRequest *seen = served(stage.server, 0);
    g_assert_cmpstr(seen->method, ==, "POST");
    g_assert_cmpstr(seen->path, ==, "/");
    g_assert_cmpstr(seen->body->str, ==, "{\"cluster\":\"ü\"}");
    g_assert_true(says(seen, "Content-Type: application/x-amz-json-1.1\r\n"));
    g_assert_true(says(seen, "X-Amz-Target: AmazonEC2ContainerServiceV20141113.RunTask\r\n"));
    g_assert_true(says(seen, "X-Amz-Security-Token: " TOKEN "\r\n"));
    g_assert_true(says(
        seen, "Authorization: AWS4-HMAC-SHA256 Credential=AKID/20260921/"
              "eu-central-1/ecs/aws4_request"));
    g_assert_false(says(seen, "Expect:"));
    g_assert_false(says(seen, "Accept-Encoding:"));
}

static void
test_nothing_to_say_is_an_empty_object(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, "", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_assert_true(scan(&stage, NULL, NULL));
    g_assert_cmpstr(served(stage.server, 0)->body->str, ==, "{}");
}

static void
test_query_is_asked_and_answered(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         "<DescribeStacksResponse><DescribeStacksResult>x</DescribeStacksResult>"
         "</DescribeStacksResponse>",
         false}};
    static const char *const PARAMETERS[] = {"StackName", "a b*ü/+", "NextToken", "", NULL};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_autoptr(AwsReply) reply = aws_query_call(
        stage.client, AWS_CLOUDFORMATION, "DescribeStacks", PARAMETERS, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(aws_reply_text(reply, "DescribeStacksResult"), ==, "x");
    const ServedRequest *seen = served(stage.server, 0);
    g_assert_cmpstr(
        seen->body->str, ==,
        "Action=DescribeStacks&Version=2010-05-15&StackName=a%20b%2A%C3%BC%2F%2B&NextToken=");
    g_assert_true(says(seen, "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n"));
}

/* What is signed is what is sent. */
static void
test_paths_go_as_they_are(void)
{
    static const Step STEPS[] = {OK};
    static const AwsCall CALLS[] = {
        {.service = AWS_S3,
         .operation = "GetObject",
         .method = "GET",
         .bucket = "papers",
         .path = "/a%2Bb/../c//%E2%82%AC",
         .query = "versionId=1%2B2&x="},
        {.service = AWS_BEDROCK_RUNTIME,
         .operation = "InvokeModel",
         .path = "/model/cohere.embed-v4%3A0/invoke",
         .body = "{}",
         .body_bytes = 2},
    };
    static const char *const PATHS[] = {
        "/papers/a%2Bb/../c//%E2%82%AC?versionId=1%2B2&x=", "/model/cohere.embed-v4%3A0/invoke"};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    for (guint i = 0; i < G_N_ELEMENTS(CALLS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_auto(AwsAnswer) answer = {0};
        g_assert_true(aws_call(stage.client, &CALLS[i], &answer, NULL, &error));
        g_assert_no_error(error);
        g_assert_cmpint(answer.status, ==, 200);
        g_assert_cmpstr(served(stage.server, i)->path, ==, PATHS[i]);
    }
    g_assert_true(says(served(stage.server, 0), "x-amz-content-sha256: e3b0c442"));
    g_assert_true(says(served(stage.server, 1), "Content-Type: application/json\r\n"));
    g_assert_true(says(served(stage.server, 1), "Accept: application/json\r\n"));
    g_assert_nonnull(strstr(served(stage.server, 1)->head, "/eu-central-1/bedrock/aws4_request"));
}

/* --- patience --------------------------------------------------------------------- */

static void
test_what_may_pass_is_tried_again(void)
{
    static const Step STEPS[] = {
        THROTTLE,
        TROUBLE,
        {"503 Slow Down", "Connection: close\r\n", PAGE, false},
        {NULL, NULL, NULL, false},
        {"200 OK", NULL, "{\"Items\":", true},
        {"200 OK", NULL, "{\"Items\":[]}", false}};
    static const gint64 WAITS[] = {500, 50, 100, 200, 400};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_true(scan(&stage, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(stage.time.waits->len, ==, G_N_ELEMENTS(WAITS));
    for (guint i = 0; i < G_N_ELEMENTS(WAITS); i++)
        g_assert_cmpint(wait_number(&stage, i), ==, WAITS[i]);
}

static void
test_each_attempt_is_signed_anew(void)
{
    static const Step STEPS[] = {THROTTLE, OK};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_assert_true(scan(&stage, NULL, NULL));
    g_assert_true(says(served(stage.server, 0), "X-Amz-Date: 20260921T141320Z"));
    g_assert_true(says(served(stage.server, 1), "X-Amz-Date: 20260921T141321Z"));
}

static void
test_the_last_failure_is_told(void)
{
    static const Step THROTTLES[] = {THROTTLE};
    static const Step TROUBLES[] = {TROUBLE};
    static const Step SILENCE[] = {{NULL, NULL, NULL, false}};
    static const struct
    {
        const Step *steps;
        VfError error;
        const char *code;
        const char *message;
    } CASES[] = {
        {THROTTLES, VF_ERROR_BUSY, "ThrottlingException",
         "dynamodb Scan, 8 attempts: ThrottlingException: Rate exceeded"},
        {TROUBLES, VF_ERROR_CONNECT, "InternalServerError",
         "dynamodb Scan, 8 attempts: InternalServerError: status 500"},
        {SILENCE, VF_ERROR_CONNECT, "", "dynamodb Scan, 8 attempts: 127.0.0.1"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, CASES[i].steps, 1);
        g_autoptr(GError) error = NULL;
        char code[80] = "?";

        g_assert_false(scan(&stage, code, &error));
        g_assert_error(error, VF_ERROR, (int) CASES[i].error);
        g_assert_true(g_str_has_prefix(error->message, CASES[i].message));
        g_assert_cmpstr(code, ==, CASES[i].code);
        g_assert_cmpuint(served_count(&stage), ==, 8);
    }
}

static void
test_what_is_refused_is_not_tried_again(void)
{
    static const struct
    {
        Step step;
        VfError error;
        const char *message;
    } CASES[] = {
        {{"400 Bad Request", NULL, "{\"__type\":\"AccessDeniedException\",\"Message\":\"not you\"}",
          false},
         VF_ERROR_DENIED,
         "dynamodb Scan: AccessDeniedException: not you"},
        {{"400 Bad Request", NULL, "{\"__type\":\"a#ResourceNotFoundException\"}", false},
         VF_ERROR_MISMATCH,
         "dynamodb Scan: ResourceNotFoundException: status 400"},
        {{"400 Bad Request", NULL, "{\"__type\":\"ValidationException\",\"message\":\"no\"}",
          false},
         VF_ERROR_BAD_INPUT,
         "dynamodb Scan: ValidationException: no"},
        {{"403 Forbidden", "Content-Type: text/html\r\n", PAGE, false},
         VF_ERROR_FAILED,
         "dynamodb Scan: the answer is not one of AWS (status 403): Bad gate\nis a proxy"},
        {{"200 OK", NULL, PAGE, false},
         VF_ERROR_FAILED,
         "dynamodb Scan: the answer is not one of AWS\nis a proxy"},
        {{"302 Found", "Location: http://127.0.0.1:1/\r\n", "", false},
         VF_ERROR_FAILED,
         "dynamodb Scan: status 302"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, &CASES[i].step, 1);
        g_autoptr(GError) error = NULL;

        g_assert_false(scan(&stage, NULL, &error));
        g_assert_error(error, VF_ERROR, (int) CASES[i].error);
        g_assert_true(g_str_has_prefix(error->message, CASES[i].message));
        g_assert_cmpuint(served_count(&stage), ==, 1);
        g_assert_cmpuint(stage.time.waits->len, ==, 0);
    }
}

static void
test_another_servers_xml_is_no_reply(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, "<ListAllMyBucketsResult/>", false}, {"200 OK", NULL, PAGE, false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    for (guint i = 0; i < G_N_ELEMENTS(STEPS); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(
            aws_query_call(stage.client, AWS_STS, "GetCallerIdentity", NULL, NULL, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    }
}

static void
test_waits_as_long_as_the_server_wishes(void)
{
    static const Step STEPS[] = {
        {"503 Service Unavailable", "x-amz-retry-after: 7000\r\n", "", false},
        {"429 Too Many Requests", "Retry-After: 3\r\n", "{\"__type\":\"ThrottlingException\"}",
         false},
        {"503 Service Unavailable", "Retry-After: 3600\r\n", "", false},
        OK};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_assert_true(scan(&stage, NULL, NULL));
    g_assert_cmpint(wait_number(&stage, 0), ==, 7000);
    g_assert_cmpint(wait_number(&stage, 1), ==, 3000);
    g_assert_cmpint(wait_number(&stage, 2), ==, 20000);
}

static void
test_all_calls_share_the_quota(void)
{
    static const Step STEPS[] = {TROUBLE};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    for (int i = 0; i < 20; i++)
        g_assert_false(scan(&stage, NULL, NULL));
    g_assert_cmpuint(served_count(&stage), ==, 20 + 50);
}

static void
test_a_cancel_ends_the_wait(void)
{
    static const Step STEPS[] = {THROTTLE};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(GError) error = NULL;

    stage.time.cancel_at_wait = cancel;
    g_assert_null(aws_json_call(stage.client, AWS_ECS, "RunTask", NULL, NULL, cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpuint(served_count(&stage), ==, 1);
}

/* --- calls that must not happen twice --------------------------------------------- */

static void
test_a_lost_answer_is_not_asked_for_again(void)
{
    static const struct
    {
        Step steps[2];
        bool once_again;
    } CASES[] = {
        {{{NULL, NULL, NULL, false}, OK}, false},
        {{TROUBLE, OK}, false},
        {{{"200 OK", NULL, "{", true}, OK}, false},
        {{{"200 OK", "x-amz-crc32: 1\r\n", "{}", false}, OK}, false},
        {{THROTTLE, OK}, true},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        OPEN(stage, CASES[i].steps);
        g_autoptr(GError) error = NULL;
        g_auto(AwsAnswer) answer = {0};
        const AwsCall call = {
            .service = AWS_ECS,
            .operation = "RunTask",
            .body = "{}",
            .body_bytes = 2,
            .once = true,
        };

        const bool ok = aws_call(stage.client, &call, &answer, NULL, &error);
        g_assert_true(ok == CASES[i].once_again);
        g_assert_cmpuint(served_count(&stage), ==, CASES[i].once_again ? 2 : 1);
    }
}

/* On a kept connection that the server has closed, a request would be sent again unasked. */
static void
test_once_means_a_fresh_connection(void)
{
    static const Step STEPS[] = {OK, {NULL, NULL, NULL, false}, OK};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_auto(AwsAnswer) answer = {0};
    const AwsCall call = {
        .service = AWS_ECS,
        .operation = "RunTask",
        .body = "{}",
        .body_bytes = 2,
        .once = true,
    };

    g_assert_true(scan(&stage, NULL, NULL));
    g_assert_false(aws_call(stage.client, &call, &answer, NULL, NULL));
    g_assert_cmpuint(served_count(&stage), ==, 2);
}

/* The first bytes cannot be taken back, so the caller goes on from there. */
static void
test_a_body_in_a_descriptor_is_written_once(void)
{
    static const struct
    {
        Step steps[2];
        bool ok;
        const char *written;
    } CASES[] = {
        {{{"503 Slow Down", NULL, "<Error><Code>SlowDown</Code></Error>", false},
          {"200 OK", NULL, "whole", false}},
         true,
         "whole"},
        {{{"200 OK", NULL, "half", true}, {"200 OK", NULL, "whole", false}}, false, "half"},
        {{{"200 OK", "x-amz-crc32: 1\r\n", "unchecked", false}, OK}, true, "unchecked"},
        {{{"404 Not Found", NULL, "<Error><Code>NoSuchKey</Code></Error>", false}, OK}, false, ""},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autofree char *path = NULL;
        g_autofree char *written = NULL;
        const int fd = g_file_open_tmp("vecferry-aws-XXXXXX", &path, NULL);
        g_auto(Stage) stage;
        OPEN(stage, CASES[i].steps);
        g_autoptr(GError) error = NULL;
        g_auto(AwsAnswer) answer = {0};
        const AwsCall call = {
            .service = AWS_S3,
            .operation = "GetObject",
            .method = "GET",
            .bucket = "papers",
            .path = "/key",
            .fd = fd,
        };

        const bool ok = aws_call(stage.client, &call, &answer, NULL, &error);
        g_assert_true(ok == CASES[i].ok);
        close(fd);
        g_assert_true(g_file_get_contents(path, &written, NULL, NULL));
        g_assert_cmpstr(written, ==, CASES[i].written);
        g_unlink(path);
    }
}

/* --- checksums -------------------------------------------------------------------- */

static void
test_a_damaged_answer_is_asked_for_again(void)
{
    const char *refused = "{\"__type\":\"ValidationException\"}";
    g_autofree char *right =
        g_strdup_printf("x-amz-crc32: %lu\r\n", crc32(0, (const Bytef *) "{}", 2));
    g_autofree char *of_refused = g_strdup_printf(
        "x-amz-crc32: %lu\r\n", crc32(0, (const Bytef *) refused, (uInt) strlen(refused)));
    const Step damaged = {"200 OK", "x-amz-crc32: 1\r\n", "{}", false};
    const Step steps[] = {
        damaged,
        {"400 Bad Request", "x-amz-crc32: 2\r\n", refused, false},
        {"200 OK", right, "{}", false},
        {"400 Bad Request", of_refused, refused, false}};
    g_autoptr(GError) error = NULL;
    {
        g_auto(Stage) stage;
        OPEN(stage, steps);
        g_assert_true(scan(&stage, NULL, NULL));
        g_assert_cmpuint(served_count(&stage), ==, 3);
        g_assert_false(scan(&stage, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
        g_assert_cmpuint(served_count(&stage), ==, 4);
        g_clear_error(&error);
    }
    g_auto(Stage) stage;
    stage_open(&stage, &damaged, 1);
    g_assert_false(scan(&stage, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_nonnull(strstr(error->message, "damaged"));
}

/* --- remedies --------------------------------------------------------------------- */

#define TOO_SKEWED "{\"__type\":\"InvalidSignatureException\",\"message\":\"Signature expired\"}"

static void
test_a_wrong_clock_is_mended(void)
{
    static const Step STEPS[] = {
        {"403 Forbidden", "Date: Mon, 21 Sep 2026 12:13:20 GMT\r\n", TOO_SKEWED, false}, OK};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_assert_true(scan(&stage, NULL, NULL));
    g_assert_true(scan(&stage, NULL, NULL));
    g_assert_true(says(served(stage.server, 0), "X-Amz-Date: 20260921T1413"));
    g_assert_true(says(served(stage.server, 1), "X-Amz-Date: 20260921T1213"));
    g_assert_true(says(served(stage.server, 2), "X-Amz-Date: 20260921T1213"));
    g_assert_cmpuint(served_count(&stage), ==, 3);
    g_assert_cmpuint(stage.time.waits->len, ==, 0);
}

static void
test_a_clock_is_mended_once(void)
{
    static const Step STEPS[] = {
        {"403 Forbidden", "Date: Mon, 21 Sep 2026 12:13:20 GMT\r\n", TOO_SKEWED, false},
        {"403 Forbidden", "Date: Mon, 21 Sep 2026 18:13:20 GMT\r\n", TOO_SKEWED, false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_false(scan(&stage, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "\nthis machine's clock is wrong"));
    g_assert_cmpuint(served_count(&stage), ==, 2);
}

static void
test_a_right_clock_is_left_alone(void)
{
    static const Step STEPS[] = {{"403 Forbidden", NOW_DATE, TOO_SKEWED, false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_false(scan(&stage, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "\nthe secret key"));
    g_assert_cmpuint(served_count(&stage), ==, 1);
}

#define EXPIRED                                                                                    \
    {                                                                                              \
        "400 Bad Request", NULL, "{\"__type\":\"ExpiredTokenException\",\"message\":\"expired\"}", \
            false                                                                                  \
    }

static void
test_expired_keys_are_renewed_once(void)
{
    static const Step STEPS[] = {EXPIRED, OK, EXPIRED};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autofree char *url = server_url(stage.server, "/creds");
    g_autoptr(GError) error = NULL;

    set_keys(false);
    g_setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, TRUE);
    g_assert_true(scan(&stage, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(served_count(&stage), ==, 2);
    g_assert_cmpuint(stage.time.waits->len, ==, 0);

    g_assert_false(scan(&stage, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "log in again"));
    g_assert_cmpuint(served_count(&stage), ==, 4);
    set_keys(true);
}

/* Asking again with the same keys would only be refused again. */
static void
test_keys_without_a_successor_are_not_tried_again(void)
{
    static const Step STEPS[] = {EXPIRED};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_false(scan(&stage, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_cmpuint(served_count(&stage), ==, 1);
}

static bool
head(Stage *stage, GError **error)
{
    const AwsCall call = {
        .service = AWS_S3,
        .operation = "HeadObject",
        .method = "HEAD",
        .bucket = "papers",
        .path = "/key",
    };
    g_auto(AwsAnswer) answer = {0};
    return aws_call(stage->client, &call, &answer, NULL, error);
}

#define MOVED(region)                                                                              \
    {                                                                                              \
        "301 Moved", "x-amz-bucket-region: " region "\r\n", "", false                              \
    }

static void
test_a_bucket_is_followed_to_its_region(void)
{
    static const Step STEPS[] = {MOVED("eu-west-3"), {"200 OK", NULL, "", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);

    g_assert_true(head(&stage, NULL));
    g_assert_true(head(&stage, NULL));
    g_assert_nonnull(strstr(served(stage.server, 0)->head, "/eu-central-1/s3/"));
    g_assert_nonnull(strstr(served(stage.server, 1)->head, "/eu-west-3/s3/"));
    g_assert_nonnull(strstr(served(stage.server, 2)->head, "/eu-west-3/s3/"));
    g_assert_cmpuint(served_count(&stage), ==, 3);
}

static void
test_a_bucket_is_followed_once(void)
{
    static const Step STEPS[] = {MOVED("eu-west-3"), MOVED("eu-west-2"), MOVED("eu-central-1")};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_false(head(&stage, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
    g_assert_nonnull(strstr(error->message, "\nthe bucket is in region eu-west-2"));
    g_assert_false(head(&stage, NULL)); /* sent where it was */
    g_assert_cmpuint(served_count(&stage), ==, 3);
}

static void
test_a_refused_head_needs_no_body(void)
{
    static const struct
    {
        Step step;
        VfError error;
    } CASES[] = {
        {{"404 Not Found", NULL, "", false}, VF_ERROR_MISMATCH},
        {{"403 Forbidden", NULL, "", false}, VF_ERROR_DENIED},
        {{"400 Bad Request", NULL, "", false}, VF_ERROR_BAD_INPUT},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_auto(Stage) stage;
        stage_open(&stage, &CASES[i].step, 1);
        g_autoptr(GError) error = NULL;
        g_assert_false(head(&stage, &error));
        g_assert_error(error, VF_ERROR, (int) CASES[i].error);
    }
}

static void
test_no_error_repeats_a_secret(void)
{
    static const Step STEPS[] = {
        {"403 Forbidden", NOW_DATE,
         "{\"__type\":\"SignatureDoesNotMatch\",\"message\":\"You sent " TOKEN " and " SECRET
         ". The Canonical String for this request should have been x-amz-security-token:" TOKEN
         "\"}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_false(scan(&stage, NULL, &error));
    g_assert_nonnull(strstr(error->message, "You sent"));
    g_assert_null(strstr(error->message, TOKEN));
    g_assert_null(strstr(error->message, SECRET));
}

/* --- the client ------------------------------------------------------------------- */

static AwsClient *
client_of(AwsClientOptions options, GError **error)
{
    return aws_client_new(&options, NULL, error);
}

static void
test_the_nearer_region_wins(void)
{
    g_setenv("AWS_DEFAULT_REGION", "eu-west-1", TRUE);
    g_autoptr(AwsClient) third = client_of((AwsClientOptions){0}, NULL);
    g_assert_cmpstr(aws_client_region(third), ==, "eu-west-1");
    g_setenv("AWS_REGION", "eu-west-2", TRUE);
    g_autoptr(AwsClient) second = client_of((AwsClientOptions){0}, NULL);
    g_assert_cmpstr(aws_client_region(second), ==, "eu-west-2");
    g_autoptr(AwsClient) first = client_of((AwsClientOptions){.region = "eu-west-3"}, NULL);
    g_assert_cmpstr(aws_client_region(first), ==, "eu-west-3");
    g_unsetenv("AWS_DEFAULT_REGION");
    g_unsetenv("AWS_REGION");
}

static bool
be_an_instance(int fd, const ServedRequest *request, void *data)
{
    const bool is_token = strcmp(request->path, "/latest/api/token") == 0;
    (void) data;

    if (is_token && strcmp(request->method, "PUT") == 0)
        say_answer(fd, "200 OK", "", "T0KEN");
    else if (says(request, "X-aws-ec2-metadata-token: T0KEN\r\n"))
        say_answer(fd, "200 OK", "", "ap-south-1");
    else
        say_answer(fd, "401 Unauthorized", "", "");
    return true;
}

static void
test_an_instance_knows_its_region(void)
{
    g_autoptr(Server) server = server_start(be_an_instance, NULL);
    g_autofree char *url = server_url(server, "");
    g_autoptr(GError) error = NULL;

    g_setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, TRUE);
    g_assert_null(client_of((AwsClientOptions){0}, &error)); /* it is disabled */
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_unsetenv("AWS_EC2_METADATA_DISABLED");
    g_autoptr(AwsClient) client = client_of((AwsClientOptions){0}, NULL);
    g_assert_cmpstr(aws_client_region(client), ==, "ap-south-1");
    g_setenv("AWS_EC2_METADATA_DISABLED", "true", TRUE);
    g_unsetenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
}

static void
test_wrong_settings_are_usage(void)
{
    static const struct
    {
        const char *variable;
        const char *value;
        const char *words;
    } CASES[] = {
        {"AWS_REGION", "Frankfurt am Main",
         "\"Frankfurt am Main\" is not the name of an AWS region"},
        {"AWS_REGION", "", "no AWS region is configured"},
        {"AWS_PROFILE", "nobody", "there is no AWS profile \"nobody\""},
        {"AWS_MAX_ATTEMPTS", "many", "AWS_MAX_ATTEMPTS"},
        {"AWS_MAX_ATTEMPTS", "0", "AWS_MAX_ATTEMPTS"},
        {"AWS_ENDPOINT_URL_ECS", "nowhere", "AWS_ENDPOINT_URL_ECS"},
    };

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(GError) error = NULL;
        g_setenv("AWS_REGION", "eu-west-1", TRUE);
        g_setenv(CASES[i].variable, CASES[i].value, TRUE);
        g_assert_null(client_of((AwsClientOptions){0}, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
        g_assert_nonnull(strstr(error->message, CASES[i].words));
        g_unsetenv(CASES[i].variable);
    }
    g_unsetenv("AWS_REGION");
}

static void
test_attempts_can_be_set(void)
{
    static const Step STEPS[] = {TROUBLE};

    g_setenv("AWS_MAX_ATTEMPTS", "2", TRUE);
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_unsetenv("AWS_MAX_ATTEMPTS");
    g_assert_false(scan(&stage, NULL, NULL));
    g_assert_cmpuint(served_count(&stage), ==, 2);
}

static void
test_own_certificates_are_used(void)
{
    g_autoptr(Server) server = server_start(be_an_instance, NULL);
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%d", server->port);
    const AwsCall call = {.service = AWS_S3, .operation = "ListBuckets", .method = "GET"};
    g_autoptr(GError) error = NULL;
    g_auto(AwsAnswer) answer = {0};

    g_setenv("AWS_CA_BUNDLE", "/nonexistent/authority.pem", TRUE);
    g_autoptr(AwsClient) client =
        client_of((AwsClientOptions){.region = "eu-west-1", .endpoint = url}, NULL);
    g_unsetenv("AWS_CA_BUNDLE");
    g_assert_false(aws_call(client, &call, &answer, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "authority.pem"));
}

/* --- threads ---------------------------------------------------------------------- */

/* A service that is two hours late, has its buckets elsewhere, and is often busy. */
static bool
serve_many(int fd, const ServedRequest *request, void *data)
{
    Play *play = data;
    const guint i = atomic_fetch_add(&play->served, 1);
    const bool is_bucket = strcmp(request->path, "/") != 0;

    if (!says(request, "X-Amz-Date: 20260921T12"))
        say_answer(fd, "403 Forbidden", "Date: Mon, 21 Sep 2026 12:13:20 GMT\r\n", TOO_SKEWED);
    else if (is_bucket && strstr(request->head, "/eu-west-3/s3/") == NULL)
        say_answer(fd, "301 Moved", "x-amz-bucket-region: eu-west-3\r\n", "");
    else if (i % 7 == 0)
        say_answer(fd, "400 Bad Request", "", "{\"__type\":\"ThrottlingException\"}");
    else if (i % 11 == 0)
        return false;
    else
        say_answer(fd, "200 OK", "", "{}");
    return true;
}

static void *
call_often(void *data)
{
    Stage *stage = data;

    for (int i = 0; i < 25; i++)
    {
        g_autoptr(GError) error = NULL;
        g_auto(AwsAnswer) answer = {0};
        const AwsCall call = {
            .service = AWS_S3,
            .operation = "GetObject",
            .method = "GET",
            .bucket = "papers",
            .path = "/key",
        };
        scan(stage, NULL, &error);
        g_assert_no_error(error);
        aws_call(stage->client, &call, &answer, NULL, &error);
        g_assert_no_error(error);
    }
    return NULL;
}

static void
test_threads_share_a_client(void)
{
    pthread_t threads[6];
    g_auto(Stage) stage;

    stage_open_with(&stage, serve_many, NULL, 0);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, call_often, &stage), ==, 0);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpuint(served_count(&stage), >, 300);
}

static void
add(const char *sentence, void (*test)(void))
{
    g_autofree char *path = g_strconcat("/aws-client/", sentence, NULL);
    g_test_add_func(path, test);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
    add("JSON is asked and answered", test_json_is_asked_and_answered);
    add("nothing to say is an empty object", test_nothing_to_say_is_an_empty_object);
    add("query is asked and answered", test_query_is_asked_and_answered);
    add("paths go as they are", test_paths_go_as_they_are);
    add("what may pass is tried again", test_what_may_pass_is_tried_again);
    add("each attempt is signed anew", test_each_attempt_is_signed_anew);
    add("the last failure is told", test_the_last_failure_is_told);
    add("what is refused is not tried again", test_what_is_refused_is_not_tried_again);
    add("another server's XML is no reply", test_another_servers_xml_is_no_reply);
    add("waits as long as the server wishes", test_waits_as_long_as_the_server_wishes);
    add("all calls share the quota", test_all_calls_share_the_quota);
    add("a cancel ends the wait", test_a_cancel_ends_the_wait);
    add("a lost answer is not asked for again", test_a_lost_answer_is_not_asked_for_again);
    add("once means a fresh connection", test_once_means_a_fresh_connection);
    add("a body in a descriptor is written once", test_a_body_in_a_descriptor_is_written_once);
    add("a damaged answer is asked for again", test_a_damaged_answer_is_asked_for_again);
    add("a wrong clock is mended", test_a_wrong_clock_is_mended);
    add("a clock is mended once", test_a_clock_is_mended_once);
    add("a right clock is left alone", test_a_right_clock_is_left_alone);
    add("expired keys are renewed once", test_expired_keys_are_renewed_once);
    add("keys without a successor are not tried again",
        test_keys_without_a_successor_are_not_tried_again);
    add("a bucket is followed to its region", test_a_bucket_is_followed_to_its_region);
    add("a bucket is followed once", test_a_bucket_is_followed_once);
    add("a refused HEAD needs no body", test_a_refused_head_needs_no_body);
    add("no error repeats a secret", test_no_error_repeats_a_secret);
    add("the nearer region wins", test_the_nearer_region_wins);
    add("an instance knows its region", test_an_instance_knows_its_region);
    add("wrong settings are usage", test_wrong_settings_are_usage);
    add("attempts can be set", test_attempts_can_be_set);
    add("own certificates are used", test_own_certificates_are_used);
    add("threads share a client", test_threads_share_a_client);
    return g_test_run();
}
