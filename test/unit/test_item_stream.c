#include "base/error.h"
#include "catalogue/item_stream.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

/* A stream over these bytes. */
static ItemStream *
stream_of(const char *bytes, size_t length)
{
    const int fd = memfd_create("items", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    for (size_t done = 0; done < length;)
    {
        const ssize_t wrote = write(fd, bytes + done, length - done);
        g_assert_cmpint(wrote, >, 0);
        done += (size_t) wrote;
    }
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    return item_stream_new(fd, NULL);
}

/* All items joined by '|', then the page's end: L last, C continued, N none. */
static char *
items_of_bytes(const char *bytes, size_t length, GError **error)
{
    g_autoptr(ItemStream) stream = stream_of(bytes, length);
    GString *joined = g_string_new(NULL);
    GError *failure = NULL;
    size_t size = 0;

    for (const char *text; (text = item_stream_next(stream, &size, &failure)) != NULL;)
    {
        g_assert_cmpuint(size, ==, strlen(text));
        g_string_append_printf(joined, "%s|", text);
    }
    if (failure != NULL)
    {
        g_propagate_error(error, failure);
        g_string_free(joined, TRUE);
        return NULL;
    }
    g_string_append_c(joined, "NLC"[item_stream_page_end(stream)]);
    return g_string_free(joined, FALSE);
}

static void
assert_items(const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *items = items_of_bytes(text, strlen(text), &error);

    g_assert_no_error(error);
    g_assert_cmpstr(items, ==, expected);
}

static void
assert_refused_bytes(const char *bytes, size_t length, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *items = items_of_bytes(bytes, length, &error);

    g_assert_null(items);
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    if (strstr(error->message, reason) == NULL)
        g_error("\"%s\" does not say \"%s\"", error->message, reason);
}

static void
assert_refused(const char *text, const char *reason)
{
    assert_refused_bytes(text, strlen(text), reason);
}

static void
test_gives_the_items_of_a_page(void)
{
    assert_items("{\"Items\":[{\"a\":1},{\"b\":[{}]}],\"Count\":2}", "{\"a\":1}|{\"b\":[{}]}|L");
}

static void
test_takes_members_in_any_order(void)
{
    assert_items(
        "{\"ScannedCount\":2,\"ConsumedCapacity\":{\"x\":[1.5e+3,-0,true,false,null]},"
        "\"Count\":0,\"Items\":[{}]}",
        "{}|L");
}

static void
test_refuses_a_page_that_counts_more_items_than_it_has(void)
{
    assert_refused(
        "{\"Items\":[{}],\n\"Count\":3}",
        "line 2 (byte 25): the end of a page whose \"Count\" says 3 items, and 1 are there");
    assert_refused("{\"Count\":1,\"Items\":[]}", "\"Count\" says 1 items");
    assert_refused("{\"Items\":[{}],\"Count\":1}{\"Items\":[],\"Count\":1}", "and 0 are there");
}

/* A filter looks at more items than it returns; a page that goes on is told as such. */
static void
test_only_a_last_pages_own_count_counts(void)
{
    assert_items("{\"Items\":[{}],\"Count\":1,\"ScannedCount\":900}", "{}|L");
    assert_items("{\"Items\":[{}],\"Count\":2,\"NextToken\":\"e\"}", "{}|C");
    assert_items("{\"Items\":[{},{}],\"Count\":1}", "{}|{}|L");
    assert_items("{\"Items\":[{}],\"Count\":null}", "{}|L");
    assert_items("{\"Items\":[{}],\"Count\":\"3\"}", "{}|L");
}

static void
test_takes_pretty_text_with_windows_lines_and_a_mark(void)
{
    assert_items(
        "\xef\xbb\xbf{\r\n    \"Items\": [\r\n\t{ \"a b\" :\n [ 1 , 2 ] }\r\n , {} ]\r\n}\r\n",
        "{\"a b\":[1,2]}|{}|L");
}

static void
test_takes_pages_after_one_another(void)
{
    assert_items("{\"Items\":[{\"a\":1}]}{\"Items\":[]}\n{\"Items\":[{}]}", "{\"a\":1}|{}|L");
}

static void
test_takes_the_lines_of_an_export(void)
{
    assert_items("{\"Item\":{\"a\":1}}\n{\"Item\":{}}\n", "{\"a\":1}|{}|N");
}

static void
test_is_not_misled_by_strings(void)
{
    assert_items(
        "{\"x\":\"\\\"Items\\\":[{}]}\",\"Items\":[{\"a\":\"]}\\\\\\\"{[\"}]}",
        "{\"a\":\"]}\\\\\\\"{[\"}|L");
}

static void
test_tells_a_page_that_is_continued(void)
{
    assert_items("{\"Items\":[],\"LastEvaluatedKey\":{\"PK\":{\"S\":\"u\"}}}", "C");
    assert_items("{\"NextToken\":\"abc\",\"Items\":[{}]}", "{}|C");
    assert_items("{\"NextToken\":\"abc\",\"Items\":[{}]}{\"Items\":[]}", "{}|L");
}

static void
test_takes_an_empty_continuation_for_none(void)
{
    assert_items("{\"NextToken\":null,\"LastEvaluatedKey\":{},\"Items\":[]}", "L");
}

static void
test_an_empty_file_has_no_items(void)
{
    assert_items("", "N");
    assert_items("\n \r\n", "N");
}

static void
test_counts_lines(void)
{
    const char *text = "{\n\"Items\": [\n{\n},\n\n{}]}";
    g_autoptr(ItemStream) stream = stream_of(text, strlen(text));
    size_t bytes = 0;

    g_assert_nonnull(item_stream_next(stream, &bytes, NULL));
    g_assert_cmpuint(item_stream_line(stream), ==, 3);
    g_assert_nonnull(item_stream_next(stream, &bytes, NULL));
    g_assert_cmpuint(item_stream_line(stream), ==, 6);
}

static void
test_names_place_and_reason_of_what_is_no_json(void)
{
    assert_refused("An error occurred", "line 1 (byte 0): expected an object");
    assert_refused("{\"Items\":\n[x]}", "line 2 (byte 11): expected an item, found 'x'");
    assert_refused("{\"Items\":[{\"a\":1,}]}", "(byte 17): expected a key in double quotes");
    assert_refused("{\"Items\":[{\"a\" 1}]}", "expected a colon, found '1'");
    assert_refused("{\"Items\":[{\"a\":1 \"b\":2}]}", "expected a comma or }");
    assert_refused("{\"Items\":[{\"a\":[1 2]}]}", "expected a comma or ]");
    assert_refused("{\"Items\":[{}],}", "expected a key");
    assert_refused("{\"Items\":[{},]}", "expected an item");
    assert_refused("{\"Items\":[{\"a\":tru}]}", "expected true, false or null");
    assert_refused("{\"Items\":[{\"a\":01}]}", "expected a comma");
    assert_refused("{\"Items\":[{\"a\":-}]}", "expected a digit");
    assert_refused("{\"Items\":[{\"a\":1.}]}", "expected a digit");
    assert_refused("{\"Items\":[{\"a\":1e}]}", "expected a digit");
    assert_refused("{\"Items\":[{\"a\":\"\\x\"}]}", "may follow a backslash");
    assert_refused("{\"Items\":[{\"a\":\"\\u12g4\"}]}", "hexadecimal");
    assert_refused("{\"Items\":[{\"a\":\"line\nend\"}]}", "found the byte 0x0a");
    assert_refused("{\"Items\":[]},", "expected an object");
    assert_refused("\xef\xbb{}", "byte order mark");
}

static void
test_refuses_a_raw_nul(void)
{
    static const char text[] = "{\"Items\":[{\"a\":\"\0\"}]}";
    assert_refused_bytes(text, sizeof(text) - 1, "found the byte 0x00");
}

static void
test_says_that_a_file_is_cut_off_wherever_it_ends(void)
{
    static const char text[] =
        "{\"Items\":[{\"a\":{\"S\":\"\\u00e9\\n\"},\"b\":[1.5e3,true]}],\"NextToken\":null}";

    for (size_t length = 1; length < sizeof(text) - 1; length++)
        assert_refused_bytes(text, length, "cut off");
}

static void
test_knows_the_utf16_of_powershell(void)
{
    assert_refused_bytes("\xff\xfe{\0", 4, "UTF-16");
}

static void
test_wants_items(void)
{
    assert_refused("{}", "without \"Items\"");
    assert_refused("{\"Count\":3}", "neither \"Items\" nor \"Item\"");
    assert_refused("[{\"PK\":\"u\"}]", "\"Items\" or \"Item\", found '['");
    assert_refused("{\"Items\":{}}", "expected the list of \"Items\"");
    assert_refused("{\"Item\":[]}", "expected an item");
    assert_refused("{\"Items\":[[]]}", "expected an item");
}

static char *
nested(int depth)
{
    GString *text = g_string_new("{\"Items\":[{\"a\":");
    for (int i = 0; i < depth; i++)
        g_string_append_c(text, '[');
    for (int i = 0; i < depth; i++)
        g_string_append_c(text, ']');
    g_string_append(text, "}]}");
    return g_string_free(text, FALSE);
}

static void
test_bounds_the_nesting(void)
{
    g_autofree char *deepest = nested(71);
    g_autofree char *deeper = nested(72);
    g_autofree char *abyss = nested(1000000);
    g_autoptr(GError) error = NULL;
    g_autofree char *items = items_of_bytes(deepest, strlen(deepest), &error);

    g_assert_no_error(error);
    g_assert_nonnull(items);
    assert_refused(deeper, "nested more than 72 deep");
    assert_refused(abyss, "nested more than 72 deep");
}

/* An item with a text of so many bytes. */
static char *
large(size_t bytes)
{
    g_autofree char *filling = g_strnfill(bytes, 'x');
    return g_strconcat("{\"Items\":[{\"a\":\"", filling, "\"}]}", NULL);
}

static void
test_bounds_the_size_of_an_item(void)
{
    const size_t around = strlen("{\"a\":\"\"}");
    const size_t most = 8 * 1024 * 1024;
    g_autofree char *largest = large(most - around);
    g_autofree char *larger = large(most - around + 1);
    g_autoptr(GError) error = NULL;
    g_autofree char *items = items_of_bytes(largest, strlen(largest), &error);

    g_assert_no_error(error);
    g_assert_cmpuint(strlen(items), ==, most + 2);
    assert_refused(larger, "more than 8 MB");
}

static void
test_an_item_may_lie_across_windows(void)
{
    const size_t window = 256 * 1024;

    for (size_t before = window - 40; before <= window; before++)
    {
        g_autofree char *space = g_strnfill(before, ' ');
        g_autofree char *text =
            g_strconcat(space, "{\"Items\":[{\"a\"  :  \"\\u00e9\" }, {\"b\":  -1.5e3 }]}", NULL);
        assert_items(text, "{\"a\":\"\\u00e9\"}|{\"b\":-1.5e3}|L");
    }
}

/* The text as one gzip member; yours. */
static char *
packed(const char *text, size_t *bytes)
{
    z_stream zlib = {0};
    const size_t room = strlen(text) + 1000;
    char *member = g_malloc(room);

    g_assert_cmpint(deflateInit2(&zlib, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
    zlib.next_in = (Bytef *) (guintptr) text;
    zlib.avail_in = (uInt) strlen(text);
    zlib.next_out = (Bytef *) member;
    zlib.avail_out = (uInt) room;
    g_assert_cmpint(deflate(&zlib, Z_FINISH), ==, Z_STREAM_END);
    *bytes = zlib.total_out;
    deflateEnd(&zlib);
    return member;
}

static void
test_unpacks_gzip_of_several_members(void)
{
    size_t first_bytes = 0;
    size_t second_bytes = 0;
    g_autofree char *first = packed("{\"Items\":[{\"a\":1}", &first_bytes);
    g_autofree char *second = packed(",{\"b\":2}]}", &second_bytes);
    g_autofree char *both = g_malloc(first_bytes + second_bytes);
    g_autoptr(GError) error = NULL;

    memcpy(both, first, first_bytes);
    memcpy(both + first_bytes, second, second_bytes);
    g_autofree char *items = items_of_bytes(both, first_bytes + second_bytes, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(items, ==, "{\"a\":1}|{\"b\":2}|L");
}

static void
test_refuses_gzip_that_is_cut_off(void)
{
    size_t bytes = 0;
    g_autofree char *member = packed("{\"Item\":{\"a\":1}}\n{\"Item\":{\"a\":1}}\n", &bytes);

    for (size_t length = 2; length < bytes; length++)
        assert_refused_bytes(member, length, "the gzip data are damaged: they are cut off");
}

static void
test_refuses_gzip_that_is_damaged_or_has_a_tail(void)
{
    size_t bytes = 0;
    g_autofree char *member = packed("{\"Items\":[]}", &bytes);
    g_autofree char *tailed = g_malloc0(bytes + 4);

    memcpy(tailed, member, bytes);
    assert_refused_bytes(tailed, bytes + 4, "the gzip data are damaged");
    member[bytes - 8] = (char) ~member[bytes - 8];
    g_autoptr(GError) error = NULL;
    g_assert_null(items_of_bytes(member, bytes, &error));
    g_assert_cmpstr(
        error->message, ==,
        "the gzip data are damaged: incorrect data check\ncopy or write the file again");
}

static void
test_memory_is_bounded_for_a_gzip_bomb(void)
{
    const size_t large_bytes = 64 * 1024 * 1024;
    g_autofree char *bomb = large(large_bytes);
    size_t bytes = 0;
    g_autofree char *member = packed(bomb, &bytes);

    g_assert_cmpuint(bytes, <, 100000);
    assert_refused_bytes(member, bytes, "more than 8 MB");
}

static void
test_stops_when_asked(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    const int fd = memfd_create("items", MFD_CLOEXEC);
    g_autoptr(ItemStream) stream = item_stream_new(fd, cancel);
    g_autoptr(GError) error = NULL;
    size_t bytes = 0;

    cancel_request(cancel);
    g_assert_null(item_stream_next(stream, &bytes, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpstr(error->message, ==, "interrupted");
}

static void
test_a_failure_stays(void)
{
    g_autoptr(ItemStream) stream = stream_of("{\"Items\":[{},3]}", 16);
    g_autoptr(GError) first = NULL;
    g_autoptr(GError) second = NULL;
    size_t bytes = 0;

    g_assert_nonnull(item_stream_next(stream, &bytes, NULL));
    g_assert_null(item_stream_next(stream, &bytes, &first));
    g_assert_null(item_stream_next(stream, &bytes, &second));
    g_assert_error(first, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpstr(first->message, ==, second->message);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/item_stream/" #name, test_##name)
    TEST(gives_the_items_of_a_page);
    TEST(takes_members_in_any_order);
    TEST(refuses_a_page_that_counts_more_items_than_it_has);
    TEST(only_a_last_pages_own_count_counts);
    TEST(takes_pretty_text_with_windows_lines_and_a_mark);
    TEST(takes_pages_after_one_another);
    TEST(takes_the_lines_of_an_export);
    TEST(is_not_misled_by_strings);
    TEST(tells_a_page_that_is_continued);
    TEST(takes_an_empty_continuation_for_none);
    TEST(an_empty_file_has_no_items);
    TEST(counts_lines);
    TEST(names_place_and_reason_of_what_is_no_json);
    TEST(refuses_a_raw_nul);
    TEST(says_that_a_file_is_cut_off_wherever_it_ends);
    TEST(knows_the_utf16_of_powershell);
    TEST(wants_items);
    TEST(bounds_the_nesting);
    TEST(bounds_the_size_of_an_item);
    TEST(an_item_may_lie_across_windows);
    TEST(unpacks_gzip_of_several_members);
    TEST(refuses_gzip_that_is_cut_off);
    TEST(refuses_gzip_that_is_damaged_or_has_a_tail);
    TEST(memory_is_bounded_for_a_gzip_bomb);
    TEST(stops_when_asked);
    TEST(a_failure_stays);
    return g_test_run();
}
