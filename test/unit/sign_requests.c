/*
 * sign_requests - signs what it reads, for test/integration/test_aws_signing.py.
 *
 * One JSON object for a request on each line of stdin, one for what became of it on each line of
 * stdout.
 */
#include "aws/sign.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **
list_of(const Json *array)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (size_t i = 0; i < json_array_size(array); i++)
        g_strv_builder_add(builder, json_string_value(json_array_get(array, i)));
    return g_strv_builder_end(builder);
}

static int
number_of(const Json *object, const char *key)
{
    return (int) json_integer_value(json_object_get(object, key));
}

static Json *
array_of(char **list)
{
    Json *array = json_array();

    for (size_t i = 0; list[i] != NULL; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

static Json *
result_of(const Json *order)
{
    const char *kind = json_text(order, "kind");
    const char *body = json_text(order, "body");
    const gint64 time_s = json_integer_value(json_object_get(order, "time"));
    g_auto(GStrv) headers = list_of(json_object_get(order, "headers"));
    g_autoptr(AwsKeys) keys = aws_keys_new(
        json_text(order, "access_key"), json_text(order, "secret_key"), json_text(order, "token"),
        G_MAXINT64);
    const AwsSignable request = {
        .method = json_text(order, "method"),
        .host = json_text(order, "host"),
        .path = json_text(order, "path"),
        .query = json_text(order, "query"),
        .headers = (const char *const *) headers,
        .body = body,
        .body_bytes = body != NULL ? strlen(body) : 0,
        .unsigned_payload = json_is_true(json_object_get(order, "unsigned_payload")),
    };
    const AwsScope scope = {
        .service = json_text(order, "service"),
        .region = json_text(order, "region"),
        .time_s = time_s,
        .path = json_is_true(json_object_get(order, "s3")) ? AWS_PATH_S3 : AWS_PATH_NORMAL,
    };

    if (strcmp(kind, "headers") == 0)
    {
        g_auto(GStrv) signed_headers = aws_sign(&request, &scope, keys);
        return array_of(signed_headers);
    }
    g_autofree char *text = NULL;
    if (strcmp(kind, "presign") == 0)
        text = aws_presign(&request, &scope, keys, number_of(order, "expires"));
    else if (strcmp(kind, "rds") == 0)
        text = aws_rds_token(
            request.host, number_of(order, "port"), json_text(order, "user"), scope.region, time_s,
            keys);
    else
        text = aws_encode(json_text(order, "text"), strcmp(kind, "encode path") == 0);
    return json_string(text);
}

int
main(void)
{
    char *line = NULL;
    size_t size = 0;

    while (getline(&line, &size, stdin) > 0)
    {
        g_autoptr(Json) order = json_loads(line, 0, NULL);
        if (order == NULL)
            return EXIT_FAILURE;
        g_autoptr(Json) result = result_of(order);
        json_dumpf(result, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
        putchar('\n');
    }
    free(line);
    return EXIT_SUCCESS;
}
