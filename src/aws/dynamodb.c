#include "aws/dynamodb.h"

#include "aws/client_state.h"
#include "base/error.h"

#include <string.h>

/* A page is at most 1 MB and a batch 16 MB as the service counts; JSON writes small values several
 * times as long. */
#define MAX_ANSWER_BYTES (64 * 1024 * 1024)

#define MAX_KEYS_OF_A_BATCH 100

static void
set_foreign(const char *operation, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "dynamodb %s: the answer is not one of AWS", operation);
    vf_error_hint(error, "is a proxy in between, or the endpoint not AWS's?");
}

/* Unlike those of other services, texts may hold NUL characters here. */
static Json *
read_answer(const AwsAnswer *answer)
{
    const GString *body = answer->response->body;
    g_autoptr(Json) object = json_loadb(body->str, body->len, JSON_ALLOW_NUL, NULL);
    return json_is_object(object) ? g_steal_pointer(&object) : NULL;
}

/* False when the service did not say yes; the answer tells more. */
static bool
call(
    AwsClient *client, const char *operation, const Json *request, AwsAnswer *answer,
    Cancel *cancel, GError **error)
{
    char *text = json_dumps(request, JSON_COMPACT);
    const AwsCall wish = {
        .service = AWS_DYNAMODB,
        .operation = operation,
        .body = text,
        .body_bytes = strlen(text),
        .max_bytes = MAX_ANSWER_BYTES,
    };
    const bool ok = aws_call(client, &wish, answer, cancel, error);

    free(text);
    return ok;
}

static Json *
ask(AwsClient *client, const char *operation, const Json *request, Cancel *cancel, GError **error)
{
    g_auto(AwsAnswer) answer = {0};

    if (!call(client, operation, request, &answer, cancel, error))
        return NULL;
    Json *object = read_answer(&answer);
    if (object == NULL)
        set_foreign(operation, error);
    return object;
}

/* --- what a request consists of --------------------------------------------------- */

static void
set_text(Json *request, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(request, name, json_string(text));
}

static void
set_value(Json *request, const char *name, Json *value)
{
    if (value != NULL)
        json_object_set(request, name, value);
}

static Json *
page_request(const AwsItemWish *wish, Json *start)
{
    Json *request = json_object();

    set_text(request, "TableName", wish->table);
    set_text(request, "IndexName", wish->index);
    set_text(request, "KeyConditionExpression", wish->keys);
    set_text(request, "FilterExpression", wish->filter);
    set_text(request, "ProjectionExpression", wish->projection);
    set_value(request, "ExpressionAttributeNames", wish->names);
    set_value(request, "ExpressionAttributeValues", wish->values);
    set_value(request, "ExclusiveStartKey", start);
    if (wish->segments > 0)
    {
        json_object_set_new(request, "Segment", json_integer(wish->segment));
        json_object_set_new(request, "TotalSegments", json_integer(wish->segments));
    }
    if (wish->limit > 0)
        json_object_set_new(request, "Limit", json_integer(wish->limit));
    if (wish->consistent)
        json_object_set_new(request, "ConsistentRead", json_true());
    if (wish->backwards)
        json_object_set_new(request, "ScanIndexForward", json_false());
    return request;
}

/* --- pages ------------------------------------------------------------------------ */

void
aws_item_page_clear(AwsItemPage *page)
{
    json_decref(page->items);
    json_decref(page->next);
    *page = (AwsItemPage){0};
}

static bool
read_page(
    AwsClient *client, const char *operation, const AwsItemWish *wish, Json *start,
    AwsItemPage *page, Cancel *cancel, GError **error)
{
    g_autoptr(Json) request = page_request(wish, start);
    g_autoptr(Json) answer = ask(client, operation, request, cancel, error);
    if (answer == NULL)
        return false;

    Json *items = json_object_get(answer, "Items");
    Json *next = json_object_get(answer, "LastEvaluatedKey");
    if (!json_is_array(items) || (next != NULL && !json_is_object(next) && !json_is_null(next)))
    {
        set_foreign(operation, error);
        return false;
    }
    const gint64 looked = json_integer_value(json_object_get(answer, "ScannedCount"));
    g_autoptr(Json) kept_items = json_incref(items);
    g_autoptr(Json) kept_next = json_is_object(next) ? json_incref(next) : NULL;
    aws_item_page_clear(page); /* start may be in it */
    page->items = g_steal_pointer(&kept_items);
    page->next = g_steal_pointer(&kept_next);
    page->looked = looked;
    return true;
}

bool
aws_scan_page(
    AwsClient *client, const AwsItemWish *wish, Json *start, AwsItemPage *page, Cancel *cancel,
    GError **error)
{
    return read_page(client, "Scan", wish, start, page, cancel, error);
}

bool
aws_query_page(
    AwsClient *client, const AwsItemWish *wish, Json *start, AwsItemPage *page, Cancel *cancel,
    GError **error)
{
    return read_page(client, "Query", wish, start, page, cancel, error);
}

/* --- by key ----------------------------------------------------------------------- */

Json *
aws_table(AwsClient *client, const char *table, Cancel *cancel, GError **error)
{
    g_autoptr(Json) request = json_pack("{ss}", "TableName", table);
    g_autoptr(Json) answer = ask(client, "DescribeTable", request, cancel, error);
    Json *found = json_object_get(answer, "Table");

    if (answer != NULL && !json_is_object(found))
        set_foreign("DescribeTable", error);
    return json_is_object(found) ? json_incref(found) : NULL;
}

bool
aws_get_item(
    AwsClient *client, const char *table, Json *key, bool consistent, Json **item, Cancel *cancel,
    GError **error)
{
    g_autoptr(Json) request =
        json_pack("{sssOsb}", "TableName", table, "Key", key, "ConsistentRead", consistent);
    g_autoptr(Json) answer = ask(client, "GetItem", request, cancel, error);

    *item = NULL;
    if (answer == NULL)
        return false;
    Json *found = json_object_get(answer, "Item");
    if (found != NULL && !json_is_object(found))
    {
        set_foreign("GetItem", error);
        return false;
    }
    *item = found != NULL ? json_incref(found) : NULL;
    return true;
}

/* The first keys of those that are left, taken out of there. */
static Json *
take_batch(Json *left)
{
    Json *batch = json_array();

    while (json_array_size(left) > 0 && json_array_size(batch) < MAX_KEYS_OF_A_BATCH)
    {
        json_array_append(batch, json_array_get(left, 0));
        json_array_remove(left, 0);
    }
    return batch;
}

/* The one member of an object that is named by the table: the service may answer with the name
 * where it was asked with the ARN. */
static Json *
of_table(const Json *answer, const char *member)
{
    void *entry = json_object_iter(json_object_get(answer, member));
    return entry != NULL ? json_object_iter_value(entry) : NULL;
}

/* Adds what came to the items, and what was not processed to the keys that are left. */
static bool
get_batch(
    AwsClient *client, const char *table, Json *left, bool consistent, Json *items, size_t *missed,
    Cancel *cancel, GError **error)
{
    g_autoptr(Json) batch = take_batch(left);
    g_autoptr(Json) request = json_pack(
        "{s{s{sOsb}}}", "RequestItems", table, "Keys", batch, "ConsistentRead", consistent);
    g_autoptr(Json) answer = ask(client, "BatchGetItem", request, cancel, error);
    if (answer == NULL)
        return false;

    Json *found = of_table(answer, "Responses");
    const Json *unprocessed = json_object_get(of_table(answer, "UnprocessedKeys"), "Keys");
    const size_t asked = json_array_size(batch);
    *missed = json_array_size(unprocessed);
    if (json_object_get(answer, "Responses") == NULL || *missed > asked ||
        json_array_size(found) + *missed > asked)
    {
        set_foreign("BatchGetItem", error);
        return false;
    }
    json_array_extend(items, found);
    for (size_t i = 0; i < *missed; i++)
        json_array_append(left, json_array_get(unprocessed, i));
    *missed = *missed == asked ? *missed : 0; /* some of them are progress */
    return true;
}

static bool
wait_for_unprocessed(AwsClient *client, AwsPatience *patience, Cancel *cancel, GError **error)
{
    gint64 wait_ms = 0;

    if (!aws_patience_again(patience, true, -1, &wait_ms))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BUSY,
            "dynamodb BatchGetItem, %d attempts: not a single key was processed",
            patience->failures);
        return false;
    }
    client->timing->wait(client->timing->data, wait_ms, cancel);
    return cancel_check(cancel, error);
}

Json *
aws_get_items(
    AwsClient *client, const char *table, Json *keys, bool consistent, Cancel *cancel,
    GError **error)
{
    g_autoptr(Json) left = json_copy(keys);
    g_autoptr(Json) items = json_array();
    const AwsPatience fresh = {
        .quota = client->quota, .timing = client->timing, .attempts = client->attempts};
    AwsPatience patience = fresh;

    while (json_array_size(left) > 0)
    {
        size_t missed = 0;
        if (!get_batch(client, table, left, consistent, items, &missed, cancel, error))
            return NULL;
        if (missed == 0)
            patience = fresh;
        else if (!wait_for_unprocessed(client, &patience, cancel, error))
            return NULL;
    }
    return g_steal_pointer(&items);
}

/* --- a change --------------------------------------------------------------------- */

static Json *
change_request(const AwsItemChange *change)
{
    Json *request = json_object();

    set_text(request, "TableName", change->table);
    set_value(request, "Key", change->key);
    set_text(request, "UpdateExpression", change->change);
    set_text(request, "ConditionExpression", change->condition);
    set_value(request, "ExpressionAttributeNames", change->names);
    set_value(request, "ExpressionAttributeValues", change->values);
    set_text(request, "ReturnValues", "ALL_NEW");
    if (change->condition != NULL)
        set_text(request, "ReturnValuesOnConditionCheckFailure", "ALL_OLD");
    return request;
}

static void
give_item(Json **item, const AwsAnswer *answer, const char *member)
{
    g_autoptr(Json) object = answer->response != NULL ? read_answer(answer) : NULL;
    Json *found = json_object_get(object, member);

    if (item != NULL && json_is_object(found))
        *item = json_incref(found);
}

AwsItemOutcome
aws_change_item(
    AwsClient *client, const AwsItemChange *change, Json **item, Cancel *cancel, GError **error)
{
    g_autoptr(Json) request = change_request(change);
    g_auto(AwsAnswer) answer = {0};
    g_autoptr(GError) problem = NULL;

    if (item != NULL)
        *item = NULL;
    if (call(client, "UpdateItem", request, &answer, cancel, &problem))
    {
        give_item(item, &answer, "Attributes");
        return AWS_ITEM_CHANGED;
    }
    if (strcmp(answer.code, "ConditionalCheckFailedException") == 0)
    {
        give_item(item, &answer, "Item");
        return AWS_ITEM_UNCHANGED;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return AWS_ITEM_UNKNOWN;
}
