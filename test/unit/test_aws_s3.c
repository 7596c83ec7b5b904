#include "aws/s3.h"
#include "scripted_aws.h"

#include <sys/mman.h>

#define LIST(inside)                                                                               \
    "<?xml version=\"1.0\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"  \
    "<Name>docs</Name>" inside "</ListBucketResult>"
#define CONTENTS(key, size)                                                                        \
    "<Contents><Key>" key "</Key><LastModified>2023-11-14T22:13:20.000Z</LastModified>"            \
    "<ETag>&quot;e&quot;</ETag><Size>" size "</Size></Contents>"
#define FAILURE(code) "<Error><Code>" code "</Code><Message>words</Message></Error>"
#define TAG "ETag: \"v1\"\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n"
#define MODIFIED_MS G_GINT64_CONSTANT(1700000000000)

/* --- lists ------------------------------------------------------------------------ */

static void
note_object(void *data, const char *key, const AwsObject *object)
{
    g_string_append_printf(
        data, "%s=%" G_GINT64_FORMAT "@%" G_GINT64_FORMAT ";", key, object->bytes,
        object->modified_ms);
}

static void
test_all_pages_of_a_list_are_read(void)
{
    static const Step STEPS[] = {
        {"200 OK", NULL,
         LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>1+/a==</"
              "NextContinuationToken>" CONTENTS("u/b/a%2Bb+c%C3%BC", "12")),
         false},
        {"200 OK", NULL,
         LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>2</NextContinuationToken>"),
         false},
        {"200 OK", NULL, LIST("<IsTruncated>false</IsTruncated>" CONTENTS("u/b/z", "0")), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) seen = g_string_new("");

    g_assert_true(
        aws_list_objects(stage.client, "docs", "u/b c/", note_object, seen, NULL, NULL, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(seen->str, ==, "u/b/a+b cü=12@1700000000000;u/b/z=0@1700000000000;");
    g_assert_cmpstr(
        served(stage.server, 0)->path, ==,
        "/docs/?encoding-type=url&list-type=2&prefix=u%2Fb%20c%2F");
    g_assert_nonnull(strstr(served(stage.server, 1)->path, "continuation-token=1%2B%2Fa%3D%3D&"));
}

static void
test_a_list_that_is_none_is_an_error(void)
{
    static const char *const BODIES[] = {
        "", "<html></html>", LIST("<IsTruncated>true</IsTruncated>"),
        LIST("<IsTruncated>false</IsTruncated>" CONTENTS("a", "many"))};

    for (guint i = 0; i < G_N_ELEMENTS(BODIES); i++)
    {
        const Step steps[] = {{"200 OK", NULL, BODIES[i], false}};
        g_auto(Stage) stage;
        OPEN(stage, steps);
        g_autoptr(GError) error = NULL;
        g_autoptr(GString) seen = g_string_new("");

        g_assert_false(
            aws_list_objects(stage.client, "docs", "", note_object, seen, NULL, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    }
}

/* --- facts ------------------------------------------------------------------------ */

static void
test_a_look_tells_size_and_date(void)
{
    static const Step STEPS[] = {{"200 OK", TAG, NULL, false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    AwsObject object;

    g_assert_true(aws_head_object(stage.client, "docs", "u/a b", &object, NULL, NULL, NULL));
    g_assert_cmpint(object.bytes, ==, 0);
    g_assert_cmpint(object.modified_ms, ==, MODIFIED_MS);
    g_assert_cmpstr(served(stage.server, 0)->method, ==, "HEAD");
    g_assert_cmpstr(served(stage.server, 0)->path, ==, "/docs/u/a%20b");
}

static void
test_a_look_that_tells_no_reason_is_asked_for_it(void)
{
    static const Step STEPS[] = {
        {"403 Forbidden", NULL, NULL, false},
        {"403 Forbidden", NULL, FAILURE("AccessDenied"), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;
    char code[80] = "";

    g_assert_false(aws_head_object(stage.client, "docs", "a", &object, code, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_cmpstr(code, ==, "AccessDenied");
    g_assert_true(says(served(stage.server, 1), "Range: bytes=0-0\r\n"));
}

static void
test_one_byte_tells_the_size_of_all(void)
{
    static const Step STEPS[] = {
        {"400 Bad Request", NULL, NULL, false},
        {"206 Partial Content", TAG "Content-Range: bytes 0-0/700\r\n", "x", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    AwsObject object;

    g_assert_true(aws_head_object(stage.client, "docs", "a", &object, NULL, NULL, NULL));
    g_assert_cmpint(object.bytes, ==, 700);
}

/* --- bytes ------------------------------------------------------------------------ */

/* What is loaded, or the error. */
static char *
load(Stage *stage, gint64 max_bytes, AwsObject *object, GError **error)
{
    const int fd = memfd_create("object", MFD_CLOEXEC);
    char text[100] = "";
    g_assert_cmpint(fd, >=, 0);

    const bool ok =
        aws_load_object(stage->client, "docs", "a", fd, max_bytes, object, NULL, NULL, error);
    const ssize_t bytes = pread(fd, text, sizeof text - 1, 0);
    g_assert_cmpint(bytes, >=, 0);
    close(fd);
    if (ok)
        g_assert_cmpint(bytes, ==, object->bytes);
    return ok ? g_strdup(text) : NULL;
}

static void
test_a_small_object_is_one_call(void)
{
    static const Step STEPS[] = {
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/5\r\n", "hello", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_autofree char *text = load(&stage, 0, &object, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "hello");
    g_assert_cmpint(object.modified_ms, ==, MODIFIED_MS);
    g_assert_cmpuint(served_count(&stage), ==, 1);
    g_assert_true(says(served(stage.server, 0), "Range: bytes=0-1048575\r\n"));
}

static void
test_an_empty_object_is_one_too(void)
{
    static const Step STEPS[] = {
        {"416 Range Not Satisfiable", NULL, FAILURE("InvalidRange"), false},
        {"200 OK", TAG, "", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_autofree char *text = load(&stage, 0, &object, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "");
    g_assert_false(says(served(stage.server, 1), "Range:"));
}

static void
test_what_broke_off_is_resumed_where_it_ended(void)
{
    static const Step STEPS[] = {
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/11\r\n", "hello", false},
        {"206 Partial Content", TAG, " wo", true},
        {"206 Partial Content", TAG, "r", true},
        {"206 Partial Content", TAG "Content-Range: bytes 9-10/11\r\n", "ld", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_autofree char *text = load(&stage, 0, &object, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "hello world");
    g_assert_true(says(served(stage.server, 1), "Range: bytes=5-\r\n"));
    g_assert_true(says(served(stage.server, 1), "If-Match: \"v1\"\r\n"));
    g_assert_true(says(served(stage.server, 2), "Range: bytes=8-\r\n"));
    g_assert_true(says(served(stage.server, 3), "Range: bytes=9-\r\n"));
}

static void
test_a_beginning_that_broke_off_begins_anew(void)
{
    static const Step STEPS[] = {
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/5\r\n", "HEL", true},
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/5\r\n", "hello", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_autofree char *text = load(&stage, 0, &object, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "hello");
}

static void
test_an_answer_that_always_breaks_off_ends(void)
{
    static const Step STEPS[] = {{"206 Partial Content", TAG, "HEL", true}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_assert_null(load(&stage, 0, &object, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_cmpuint(served_count(&stage), ==, 8);
}

static void
test_another_version_is_noticed(void)
{
    static const Step STEPS[] = {
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/11\r\n", "hello", false},
        {"412 Precondition Failed", NULL, FAILURE("PreconditionFailed"), false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_assert_null(load(&stage, 0, &object, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BUSY);
    g_assert_cmpstr(error->message, ==, "the file changed while it was loaded");
}

static void
test_another_part_is_noticed(void)
{
    static const Step STEPS[] = {
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/11\r\n", "hello", false},
        {"200 OK", TAG, "hello world", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_assert_null(load(&stage, 0, &object, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "another part"));
}

static void
test_too_large_an_object_is_not_loaded(void)
{
    static const Step STEPS[] = {
        {"206 Partial Content", TAG "Content-Range: bytes 0-4/11\r\n", "hello", false}};
    g_auto(Stage) stage;
    OPEN(stage, STEPS);
    g_autoptr(GError) error = NULL;
    AwsObject object;

    g_assert_null(load(&stage, 10, &object, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "11 bytes, more than the limit of 10"));
    g_assert_cmpuint(served_count(&stage), ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    forget_the_machine();
#define TEST(sentence, function) g_test_add_func("/aws-s3/" sentence, function)
    TEST("all pages of a list are read", test_all_pages_of_a_list_are_read);
    TEST("a list that is none is an error", test_a_list_that_is_none_is_an_error);
    TEST("a look tells size and date", test_a_look_tells_size_and_date);
    TEST(
        "a look that tells no reason is asked for it",
        test_a_look_that_tells_no_reason_is_asked_for_it);
    TEST("one byte tells the size of all", test_one_byte_tells_the_size_of_all);
    TEST("a small object is one call", test_a_small_object_is_one_call);
    TEST("an empty object is one too", test_an_empty_object_is_one_too);
    TEST("what broke off is resumed where it ended", test_what_broke_off_is_resumed_where_it_ended);
    TEST("a beginning that broke off begins anew", test_a_beginning_that_broke_off_begins_anew);
    TEST("an answer that always breaks off ends", test_an_answer_that_always_breaks_off_ends);
    TEST("another version is noticed", test_another_version_is_noticed);
    TEST("another part is noticed", test_another_part_is_noticed);
    TEST("too large an object is not loaded", test_too_large_an_object_is_not_loaded);
    return g_test_run();
}
