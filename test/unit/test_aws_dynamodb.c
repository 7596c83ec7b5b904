#include "aws/dynamodb.h"
#include "scripted_aws.h"

static Json *
sent(Stage *stage, guint i)
{
    const ServedRequest *request = served(stage->server, i);
    Json *json = json_loadb(request->body->str, request->body->len, 0, NULL);
    g_assert_nonnull(json);
    return json;
}

static void
assert_sent(Stage *stage, guint i, const char *expected)
{
    g_autoptr(Json) request = sent(stage, i);
    char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    g_assert_cmpstr(text, ==, expected);
    free(text);
}

static void
test_an_empty_page_is_not_the_end(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         "{\"Items\":[],\"Count\":0,\"ScannedCount\":7,\"LastEvaluatedKey\":{\"PK\":{\"S\":\"a\"}}"
         "}",
         false},
        {"200 OK", NULL, "{\"Items\":[{\"PK\":{\"S\":\"b\"}}],\"Count\":1,\"ScannedCount\":3}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    const AwsItemWish wish = {.table = "bots", .segment = 0, .segments = 2, .consistent = true};
    g_auto(AwsItemPage) page = {0};

    g_assert_true(aws_scan_page(stage.client, &wish, NULL, &page, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(page.items), ==, 0);
    g_assert_cmpint(page.looked, ==, 7);
    g_assert_nonnull(page.next);
    g_assert_true(aws_scan_page(stage.client, &wish, page.next, &page, NULL, &error));
    g_assert_cmpuint(json_array_size(page.items), ==, 1);
    g_assert_null(page.next);
    g_assert_true(says(served(stage.server, 0), "X-Amz-Target: DynamoDB_20120810.Scan\r\n"));
    assert_sent(
        &stage, 0,
        "{\"ConsistentRead\":true,\"Segment\":0,\"TableName\":\"bots\",\"TotalSegments\":2}");
    assert_sent(
        &stage, 1,
        "{\"ConsistentRead\":true,\"ExclusiveStartKey\":{\"PK\":{\"S\":\"a\"}},\"Segment\":0,"
        "\"TableName\":\"bots\",\"TotalSegments\":2}");
}

static void
test_a_query_says_what_it_wants(void)
{
    static const Step STEPS[] = {{"200 OK", NULL, "{\"Items\":[],\"ScannedCount\":0}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Json) names = json_pack("{ss}", "#u", "PK");
    g_autoptr(Json) values = json_pack("{s{ss}}", ":u", "S", "ana");
    const AwsItemWish wish = {
        .table = "bots",
        .index = "LastBotUsedIndex",
        .keys = "#u = :u",
        .names = names,
        .values = values,
        .limit = 5,
        .backwards = true,
    };
    g_auto(AwsItemPage) page = {0};

    g_assert_true(aws_query_page(stage.client, &wish, NULL, &page, NULL, NULL));
    g_assert_true(says(served(stage.server, 0), "X-Amz-Target: DynamoDB_20120810.Query\r\n"));
    assert_sent(
        &stage, 0,
        "{\"ExpressionAttributeNames\":{\"#u\":\"PK\"},"
        "\"ExpressionAttributeValues\":{\":u\":{\"S\":\"ana\"}},\"IndexName\":\"LastBotUsedIndex\","
        "\"KeyConditionExpression\":\"#u = :u\",\"Limit\":5,\"ScanIndexForward\":false,"
        "\"TableName\":\"bots\"}");
}

static void
test_a_page_that_is_none_is_an_error(void)
{
    static const char *const BODIES[] = {"",
                                         "[]",
                                         "{}",
                                         "<html></html>",
                                         "{\"Items\":1}",
                                         "{\"Items\":[],\"LastEvaluatedKey\":\"x\"}"};

    for (guint i = 0; i < G_N_ELEMENTS(BODIES); i++)
    {
        const Step steps[] = {{"200 OK", NULL, BODIES[i], false}};
        g_auto(Stage) stage;
        OPEN(stage, steps);
        g_autoptr(GError) error = NULL;
        const AwsItemWish wish = {.table = "bots"};
        g_auto(AwsItemPage) page = {0};

        g_assert_false(aws_scan_page(stage.client, &wish, NULL, &page, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
        g_assert_nonnull(strstr(error->message, "dynamodb Scan: the answer is not one of AWS"));
    }
}

static void
test_a_text_may_hold_a_nul(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, "{\"Items\":[{\"T\":{\"S\":\"a\\u0000b\"}}],\"ScannedCount\":1}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    const AwsItemWish wish = {.table = "bots"};
    g_auto(AwsItemPage) page = {0};

    g_assert_true(aws_scan_page(stage.client, &wish, NULL, &page, NULL, NULL));
    const Json *text = json_object_get(json_object_get(json_array_get(page.items, 0), "T"), "S");
    g_assert_cmpuint(json_string_length(text), ==, 3);
}

static void
test_an_item_that_is_not_there_is_no_error(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, "{}", false},
        {"200 OK", NULL, "{\"Item\":{\"PK\":{\"S\":\"a\"}}}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) key = json_pack("{s{ss}}", "PK", "S", "a");
    g_autoptr(Json) item = NULL;

    g_assert_true(aws_get_item(stage.client, "bots", key, true, &item, NULL, &error));
    g_assert_no_error(error);
    g_assert_null(item);
    g_assert_true(aws_get_item(stage.client, "bots", key, true, &item, NULL, &error));
    g_assert_nonnull(json_object_get(item, "PK"));
    assert_sent(
        &stage, 0,
        "{\"ConsistentRead\":true,\"Key\":{\"PK\":{\"S\":\"a\"}},\"TableName\":\"bots\"}");
}

static void
test_unprocessed_keys_are_asked_for_again(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         "{\"Responses\":{\"bots\":[{\"PK\":{\"S\":\"a\"}}]},\"UnprocessedKeys\":{\"bots\":{"
         "\"Keys\":[{\"PK\":{\"S\":\"b\"}}]}}}",
         false},
        {"200 OK", NULL,
         "{\"Responses\":{\"bots\":[]},\"UnprocessedKeys\":{\"bots\":{\"Keys\":[{\"PK\":{\"S\":"
         "\"b\"}}]}}}",
         false},
        {"200 OK", NULL,
         "{\"Responses\":{\"bots\":[{\"PK\":{\"S\":\"b\"}}]},\"UnprocessedKeys\":{}}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) keys = json_pack("[{s{ss}}{s{ss}}]", "PK", "S", "a", "PK", "S", "b");

    g_autoptr(Json) items = aws_get_items(stage.client, "bots", keys, true, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(json_array_size(items), ==, 2);
    g_assert_cmpuint(stage.time.waits->len, ==, 1); /* only when nothing was processed */
    assert_sent(
        &stage, 2,
        "{\"RequestItems\":{\"bots\":{\"ConsistentRead\":true,\"Keys\":[{\"PK\":{\"S\":\"b\"}}]}}"
        "}");
}

static void
test_keys_that_are_never_processed_end(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         "{\"Responses\":{},\"UnprocessedKeys\":{\"bots\":{\"Keys\":[{\"PK\":{\"S\":\"a\"}}]}}}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) keys = json_pack("[{s{ss}}]", "PK", "S", "a");

    g_assert_null(aws_get_items(stage.client, "bots", keys, true, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    g_assert_cmpuint(served_count(&stage), ==, 8);
}

static void
test_no_batch_has_more_than_a_hundred_keys(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, "{\"Responses\":{\"bots\":[]},\"UnprocessedKeys\":{}}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(Json) keys = json_array();
    for (int i = 0; i < 201; i++)
        json_array_append_new(keys, json_pack("{s{ss}}", "PK", "S", "a"));

    g_autoptr(Json) items = aws_get_items(stage.client, "bots", keys, false, NULL, NULL);
    g_assert_nonnull(items);
    g_assert_cmpuint(served_count(&stage), ==, 3);
    g_autoptr(Json) last = sent(&stage, 2);
    const Json *table = json_object_get(json_object_get(last, "RequestItems"), "bots");
    g_assert_cmpuint(json_array_size(json_object_get(table, "Keys")), ==, 1);
}

static const AwsItemChange CHANGE = {
    .table = "bots", .change = "SET #s = :s", .condition = "attribute_exists(PK)"};

static void
test_a_change_gives_the_new_item(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, "{\"Attributes\":{\"SyncStatus\":{\"S\":\"RUNNING\"}}}", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) item = NULL;

    g_assert_cmpint(
        aws_change_item(stage.client, &CHANGE, &item, NULL, &error), ==, AWS_ITEM_CHANGED);
    g_assert_no_error(error);
    g_assert_nonnull(json_object_get(item, "SyncStatus"));
    assert_sent(
        &stage, 0,
        "{\"ConditionExpression\":\"attribute_exists(PK)\",\"ReturnValues\":\"ALL_NEW\","
        "\"ReturnValuesOnConditionCheckFailure\":\"ALL_OLD\",\"TableName\":\"bots\","
        "\"UpdateExpression\":\"SET #s = :s\"}");
}

static void
test_a_condition_that_does_not_hold_is_no_error(void)
{
    static const Step STEPS[] = {
        {"400 Bad Request", NULL,
         "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\","
         "\"message\":\"The conditional request failed\",\"Item\":{\"PK\":{\"S\":\"a\"}}}",
         false},
        {"400 Bad Request", NULL,
         "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException\"}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) item = NULL;

    g_assert_cmpint(
        aws_change_item(stage.client, &CHANGE, &item, NULL, &error), ==, AWS_ITEM_UNCHANGED);
    g_assert_no_error(error);
    g_assert_nonnull(json_object_get(item, "PK"));
    g_clear_pointer(&item, json_decref);
    g_assert_cmpint(
        aws_change_item(stage.client, &CHANGE, &item, NULL, &error), ==, AWS_ITEM_UNCHANGED);
    g_assert_no_error(error);
    g_assert_null(item);
}

static void
test_a_refused_change_is_unknown(void)
{
    static const Step STEPS[] = {
        {"400 Bad Request", NULL, "{\"__type\":\"x#AccessDeniedException\",\"Message\":\"no\"}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(
        aws_change_item(stage.client, &CHANGE, NULL, NULL, &error), ==, AWS_ITEM_UNKNOWN);
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
}

static void
test_a_table_is_described(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL, "{\"Table\":{\"TableName\":\"bots\"}}", false},
        {"200 OK", NULL, "{\"Tables\":{}}", false},
        {"400 Bad Request", NULL, "{\"__type\":\"x#ResourceNotFoundException\",\"message\":\"no\"}",
         false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;

    g_autoptr(Json) table = aws_table(stage.client, "bots", NULL, &error);
    g_assert_cmpstr(json_text(table, "TableName"), ==, "bots");
    g_assert_null(aws_table(stage.client, "bots", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_null(aws_table(stage.client, "bots", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_MISMATCH);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
#define TEST(sentence, function) g_test_add_func("/aws-dynamodb/" sentence, function)
    TEST("an empty page is not the end", test_an_empty_page_is_not_the_end);
    TEST("a query says what it wants", test_a_query_says_what_it_wants);
    TEST("a page that is none is an error", test_a_page_that_is_none_is_an_error);
    TEST("a text may hold a NUL", test_a_text_may_hold_a_nul);
    TEST("an item that is not there is no error", test_an_item_that_is_not_there_is_no_error);
    TEST("unprocessed keys are asked for again", test_unprocessed_keys_are_asked_for_again);
    TEST("keys that are never processed end", test_keys_that_are_never_processed_end);
    TEST("no batch has more than a hundred keys", test_no_batch_has_more_than_a_hundred_keys);
    TEST("a change gives the new item", test_a_change_gives_the_new_item);
    TEST(
        "a condition that does not hold is no error",
        test_a_condition_that_does_not_hold_is_no_error);
    TEST("a refused change is unknown", test_a_refused_change_is_unknown);
    TEST("a table is described", test_a_table_is_described);
    return g_test_run();
}
