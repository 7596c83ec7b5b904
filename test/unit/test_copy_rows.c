#include "pg/copy_rows.h"

#include <math.h>
#include <string.h>

/* The manual, COPY, Binary Format: signature, flags, length of the header extension. */
#define HEADER                                                                                     \
    "PGCOPY\n\377\r\n\0"                                                                           \
    "\0\0\0\0"                                                                                     \
    "\0\0\0\0"
#define TRAILER "\377\377"

static void
assert_bytes(const GByteArray *rows, const char *expected, size_t length)
{
    g_assert_cmpuint(rows->len, ==, length);
    g_assert_true(memcmp(rows->data, expected, length) == 0);
}
#define ASSERT_BYTES(rows, literal) assert_bytes(rows, literal, sizeof(literal) - 1)

static void
test_without_rows_there_are_header_and_trailer(void)
{
    g_autoptr(GByteArray) rows = copy_rows_begin();
    g_assert_cmpuint(rows->len, ==, 19);
    ASSERT_BYTES(rows, HEADER);
    copy_rows_end(rows);
    ASSERT_BYTES(rows, HEADER TRAILER);
}

static void
test_a_row_announces_its_fields(void)
{
    g_autoptr(GByteArray) rows = copy_rows_begin();
    copy_rows_row(rows, 2);
    copy_rows_null(rows);
    copy_rows_text(rows, "");
    copy_rows_row(rows, 258);
    copy_rows_end(rows);
    ASSERT_BYTES(
        rows, HEADER "\0\2"
                     "\377\377\377\377"
                     "\0\0\0\0"
                     "\1\2" TRAILER);
}

static void
test_text_is_its_bytes(void)
{
    g_autoptr(GByteArray) rows = copy_rows_begin();
    copy_rows_row(rows, 1);
    copy_rows_text(rows, "aé\n\\N");
    ASSERT_BYTES(
        rows, HEADER "\0\1"
                     "\0\0\0\6"
                     "a\303\251\n\\N");
}

static void
test_bytes_may_be_any(void)
{
    g_autoptr(GByteArray) rows = copy_rows_begin();
    copy_rows_row(rows, 2);
    copy_rows_bytes(rows, "\0\377\n", 3);
    copy_rows_bytes(rows, "", 0);
    ASSERT_BYTES(
        rows, HEADER "\0\2"
                     "\0\0\0\3"
                     "\0\377\n"
                     "\0\0\0\0");
}

static void
test_numbers_are_big_endian(void)
{
    g_autoptr(GByteArray) rows = copy_rows_begin();
    copy_rows_row(rows, 4);
    copy_rows_int4(rows, 0x01020304);
    copy_rows_int4(rows, -2);
    copy_rows_int8(rows, 0x0102030405060708);
    copy_rows_int8(rows, G_MININT64);
    ASSERT_BYTES(
        rows, HEADER "\0\4"
                     "\0\0\0\4"
                     "\1\2\3\4"
                     "\0\0\0\4"
                     "\377\377\377\376"
                     "\0\0\0\10"
                     "\1\2\3\4\5\6\7\10"
                     "\0\0\0\10"
                     "\200\0\0\0\0\0\0\0");
}

/* IEEE 754 in network order: 1.5 is 3fc00000, -2 is c0000000. */
static void
test_a_vector_is_dimensions_zero_and_floats(void)
{
    const float values[] = {1.5F, -2.0F, 0.0F};
    g_autoptr(GByteArray) rows = copy_rows_begin();
    copy_rows_row(rows, 1);
    copy_rows_vector(rows, values, 3);
    ASSERT_BYTES(
        rows, HEADER "\0\1"
                     "\0\0\0\20"
                     "\0\3"
                     "\0\0"
                     "\77\300\0\0"
                     "\300\0\0\0"
                     "\0\0\0\0");
}

static void
test_a_vector_of_the_most_dimensions_fits(void)
{
    g_autofree float *values = g_new0(float, 16000);
    g_autoptr(GByteArray) rows = copy_rows_begin();
    copy_rows_row(rows, 1);
    copy_rows_vector(rows, values, 16000);
    g_assert_cmpuint(rows->len, ==, 19 + 2 + 4 + 4 + 4 * 16000);
    g_assert_true(memcmp(rows->data + 21, "\0\0\372\4\76\200\0\0", 8) == 0); /* 64004, 16000, 0 */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/copy-rows/" #name, test_##name)
    TEST(without_rows_there_are_header_and_trailer);
    TEST(a_row_announces_its_fields);
    TEST(text_is_its_bytes);
    TEST(bytes_may_be_any);
    TEST(numbers_are_big_endian);
    TEST(a_vector_is_dimensions_zero_and_floats);
    TEST(a_vector_of_the_most_dimensions_fits);
    return g_test_run();
}
