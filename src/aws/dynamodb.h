/*
 * dynamodb.h - the tables of DynamoDB: items by page, by key, and one changed.
 *
 * Items stay as DynamoDB writes them, JSON with a type around every value; numbers are
 * text.  Expressions name attributes by aliases (#a), because hundreds of plain words are
 * reserved; an alias or a value that no expression uses is refused.
 *
 * VF_ERROR_MISMATCH   no such table in the client's region
 * VF_ERROR_BAD_INPUT  the service refuses the request: no such index, a wrong expression
 */
#pragma once

#include "aws/client.h"

/* What the service says of the table (DescribeTable's Table), yours. */
Json *aws_table(AwsClient *client, const char *table, Cancel *cancel, GError **error);

/* What is asked of a scan or a query.  All is borrowed; NULL or 0 where it is not wished.  Json is
 * for one thread: each has names and values of its own. */
typedef struct
{
    const char *table; /* the name, or the ARN; here and below */
    const char *index;
    const char *keys; /* of a query: which ones, "#u = :u AND …" */
    const char *filter;
    const char *projection;
    Json *names;  /* {"#u": "PK"} */
    Json *values; /* {":u": {"S": "…"}} */
    int segment;
    int segments; /* of a parallel scan, in all */
    int limit;    /* of the items that are looked at */
    bool consistent;
    bool backwards; /* of a query */
} AwsItemWish;

typedef struct
{
    Json *items;   /* an array; often empty, which says nothing about the end */
    Json *next;    /* where the next page starts; NULL: this was the last */
    gint64 looked; /* at so many items, before the filter */
} AwsItemPage;

void aws_item_page_clear(AwsItemPage *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AwsItemPage, aws_item_page_clear)

/* One page.  start: the `next` of the page before, of the same segment; NULL for the first. */
bool aws_scan_page(
    AwsClient *client, const AwsItemWish *wish, Json *start, AwsItemPage *page, Cancel *cancel,
    GError **error);
bool aws_query_page(
    AwsClient *client, const AwsItemWish *wish, Json *start, AwsItemPage *page, Cancel *cancel,
    GError **error);

/* The item of that key; *item NULL, and no error, when there is none.  Yours. */
bool aws_get_item(
    AwsClient *client, const char *table, Json *key, bool consistent, Json **item, Cancel *cancel,
    GError **error);

/* The items that there are of the keys (an array of any length, none of them twice), in no order.
 * What the service leaves unprocessed is asked for again, with patience.  An array, yours. */
Json *aws_get_items(
    AwsClient *client, const char *table, Json *keys, bool consistent, Cancel *cancel,
    GError **error);

/*
 * A change of one item under a condition.  A lost answer is asked for again, so a condition may
 * fail because the change was made by the first attempt: look at the item to tell.
 */
typedef struct
{
    const char *table;
    Json *key;
    const char *change;    /* "SET #s = :s" */
    const char *condition; /* NULL: none; an item that is not there is made then */
    Json *names;
    Json *values;
} AwsItemChange;

typedef enum
{
    AWS_ITEM_CHANGED,
    AWS_ITEM_UNCHANGED, /* the condition does not hold */
    AWS_ITEM_UNKNOWN,   /* see the error */
} AwsItemOutcome;

/* *item: all of it, after the change, or as it is where the condition does not hold; NULL when it
 * is not there.  Yours; item itself may be NULL. */
AwsItemOutcome aws_change_item(
    AwsClient *client, const AwsItemChange *change, Json **item, Cancel *cancel, GError **error);
