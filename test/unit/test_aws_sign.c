#include "aws/canonical.h"
#include "aws/sign.h"

#include <string.h>

/* The caller, the place and the moment of the published examples. */
#define ACCESS_KEY "AKIDEXAMPLE"
#define SECRET_KEY "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define MOMENT 1440938160 /* 20150830T123600Z */

static const AwsScope SCOPE = {.service = "service", .region = "us-east-1", .time_s = MOMENT};
static const AwsSignable VANILLA = {.method = "GET", .host = "example.amazonaws.com", .path = "/"};

static AwsKeys *
example_keys(const char *token)
{
    return aws_keys_new(ACCESS_KEY, SECRET_KEY, token, G_MAXINT64);
}

static const char *
find_header(char **headers, const char *name)
{
    for (size_t i = 0; headers[i] != NULL; i++)
        if (g_ascii_strncasecmp(headers[i], name, strlen(name)) == 0 &&
            headers[i][strlen(name)] == ':')
            return headers[i] + strlen(name) + 2;
    return NULL;
}

static void
assert_signature(AwsSignable request, AwsScope scope, const char *signature)
{
    g_autoptr(AwsKeys) keys = example_keys(NULL);
    g_auto(GStrv) headers = aws_sign(&request, &scope, keys);

    g_assert_true(g_str_has_suffix(find_header(headers, "Authorization"), signature));
}

/* get-vanilla and others of AWS's own suite. */
static void
test_signs_as_the_published_examples(void)
{
    AwsSignable request = VANILLA;

    assert_signature(
        request, SCOPE, "=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    request.query = "Param2=value2&Param1=value1";
    assert_signature(
        request, SCOPE, "=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    request = VANILLA;
    request.method = "POST";
    assert_signature(
        request, SCOPE, "=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

static void
test_says_who_signed_what(void)
{
    static const char *const MORE[] = {
        "X-Amz-Target: A.B", "User-Agent: x", "Authorization: forged", NULL};
    AwsSignable request = VANILLA;
    request.headers = MORE;
    g_autoptr(AwsKeys) keys = example_keys("TOKEN");
    g_auto(GStrv) headers = aws_sign(&request, &SCOPE, keys);

    g_assert_cmpstr(headers[0], ==, "X-Amz-Target: A.B");
    g_assert_cmpstr(headers[1], ==, "User-Agent: x");
    g_assert_cmpstr(headers[2], ==, "X-Amz-Date: 20150830T123600Z");
    g_assert_cmpstr(headers[3], ==, "X-Amz-Security-Token: TOKEN");
    g_assert_true(g_str_has_prefix(
        headers[4],
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
        "aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target, "
        "Signature="));
    g_assert_null(headers[5]);
}

static void
assert_path(const char *path, AwsPathRule rule, const char *expected)
{
    g_autofree char *canonical = canonical_path(path, rule);
    g_assert_cmpstr(canonical, ==, expected);
}

static void
test_a_path_is_tidied_and_encoded_again(void)
{
    assert_path(NULL, AWS_PATH_NORMAL, "/");
    assert_path("", AWS_PATH_NORMAL, "/");
    assert_path("//a/./b/../c//", AWS_PATH_NORMAL, "/a/c/");
    assert_path("/../..", AWS_PATH_NORMAL, "/");
    assert_path("/model/amazon.titan:0/invoke", AWS_PATH_NORMAL, "/model/amazon.titan%3A0/invoke");
    assert_path("/model/a%3A0", AWS_PATH_NORMAL, "/model/a%253A0");
}

static void
test_an_objects_path_is_left_alone(void)
{
    assert_path("", AWS_PATH_S3, "/");
    assert_path("/b//a/../c%20d%3D", AWS_PATH_S3, "/b//a/../c%20d%3D");
}

static void
assert_query(const char *query, const char *expected)
{
    g_autofree char *canonical = canonical_query(query);
    g_assert_cmpstr(canonical, ==, expected);
}

static void
test_a_query_is_sorted_by_name_and_value(void)
{
    assert_query(NULL, "");
    assert_query("", "");
    assert_query("b=2&a=1", "a=1&b=2");
    assert_query("a=2&a=&a=10&a", "a=&a=&a=10&a=2");
    assert_query("a-b=1&a=2", "a=2&a-b=1");
    assert_query("A=1&a=2&%41b=3", "A=1&Ab=3&a=2");
}

static void
test_a_query_is_encoded_in_one_way(void)
{
    assert_query("k=a/b&list-type=2&x=%c3%bc&y=+", "k=a%2Fb&list-type=2&x=%C3%BC&y=%2B");
    assert_query("k=a=b", "k=a%3Db");
    assert_query("k=%", "k=%25");
    assert_query("k=%4", "k=%254");
    assert_query("k=%zz", "k=%25zz");
}

static void
test_headers_are_sorted_by_name_and_joined(void)
{
    static const char *const LIST[] = {
        "X-Amz-Meta-A: 1",
        "x-amz-meta:  two\t  words ",
        "X-AMZ-META-A: 2",
        "Connection: close",
        "Proxy-Authorization: secret",
        "no header",
        NULL};
    g_auto(CanonicalHeaders) headers = canonical_headers("h", LIST);

    g_assert_cmpstr(headers.names, ==, "host;x-amz-meta;x-amz-meta-a");
    g_assert_cmpstr(headers.lines, ==, "host:h\nx-amz-meta:two words\nx-amz-meta-a:1,2\n");
}

static void
test_s3_gets_the_payloads_hash(void)
{
    AwsSignable request = VANILLA;
    AwsScope scope = SCOPE;
    scope.path = AWS_PATH_S3;
    g_autoptr(AwsKeys) keys = example_keys(NULL);

    g_auto(GStrv) headers = aws_sign(&request, &scope, keys);
    g_assert_cmpstr(
        find_header(headers, "x-amz-content-sha256"), ==,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    request.unsigned_payload = true;
    g_auto(GStrv) others = aws_sign(&request, &scope, keys);
    g_assert_cmpstr(find_header(others, "x-amz-content-sha256"), ==, "UNSIGNED-PAYLOAD");
    g_assert_cmpstr(
        find_header(headers, "Authorization"), !=, find_header(others, "Authorization"));
}

/* The example of "Authenticating Requests: Using Query Parameters" (Amazon S3 API Reference). */
static void
test_an_address_is_signed_as_in_the_published_example(void)
{
    g_autoptr(AwsKeys) keys = aws_keys_new(
        "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL, G_MAXINT64);
    const AwsSignable request = {
        .method = "GET", .host = "examplebucket.s3.amazonaws.com", .path = "/test.txt"};
    const AwsScope scope = {
        .service = "s3", .region = "us-east-1", .time_s = 1369353600, .path = AWS_PATH_S3};
    g_autofree char *query = aws_presign(&request, &scope, keys, 86400);

    g_assert_cmpstr(
        query, ==,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
        "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
        "X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

static void
test_a_database_gets_a_password(void)
{
    g_autoptr(AwsKeys) keys = example_keys("a/token+=");
    g_autofree char *token =
        aws_rds_token("store.example", 5432, "a user", "us-east-1", MOMENT, keys);

    g_assert_true(g_str_has_prefix(
        token,
        "store.example:5432/?Action=connect&DBUser=a%20user&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
        "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Frds-db%2Faws4_request&"
        "X-Amz-Date=20150830T123600Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&"
        "X-Amz-Security-Token=a%2Ftoken%2B%3D&X-Amz-Signature="));
}

static void
test_encodes_all_but_the_unreserved(void)
{
    g_autofree char *whole = aws_encode("a-b_c.d~e/f =+*\303\274", false);
    g_autofree char *path = aws_encode("/a b/c", true);

    g_assert_cmpstr(whole, ==, "a-b_c.d~e%2Ff%20%3D%2B%2A%C3%BC");
    g_assert_cmpstr(path, ==, "/a%20b/c");
}

static void
test_keys_are_compared_whole(void)
{
    g_autoptr(AwsKeys) one = example_keys("token");
    g_autoptr(AwsKeys) copy = aws_keys_copy(one);
    g_autoptr(AwsKeys) other = example_keys(NULL);

    g_assert_true(aws_keys_are_same(one, copy));
    g_assert_false(aws_keys_are_same(one, other));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sign/signs as the published examples", test_signs_as_the_published_examples);
    g_test_add_func("/sign/says who signed what", test_says_who_signed_what);
    g_test_add_func(
        "/sign/a path is tidied and encoded again", test_a_path_is_tidied_and_encoded_again);
    g_test_add_func("/sign/an object's path is left alone", test_an_objects_path_is_left_alone);
    g_test_add_func(
        "/sign/a query is sorted by name and value", test_a_query_is_sorted_by_name_and_value);
    g_test_add_func("/sign/a query is encoded in one way", test_a_query_is_encoded_in_one_way);
    g_test_add_func(
        "/sign/headers are sorted by name and joined", test_headers_are_sorted_by_name_and_joined);
    g_test_add_func("/sign/S3 gets the payload's hash", test_s3_gets_the_payloads_hash);
    g_test_add_func(
        "/sign/an address is signed as in the published example",
        test_an_address_is_signed_as_in_the_published_example);
    g_test_add_func("/sign/a database gets a password", test_a_database_gets_a_password);
    g_test_add_func("/sign/encodes all but the unreserved", test_encodes_all_but_the_unreserved);
    g_test_add_func("/sign/keys are compared whole", test_keys_are_compared_whole);
    return g_test_run();
}
