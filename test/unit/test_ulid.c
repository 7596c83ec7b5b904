#include "store/ulid.h"

#include <string.h>

/* The example of the specification's own library. */
#define EXAMPLE "01ARYZ6S41TSV4RRFFQ69G5FAV"
#define EXAMPLE_MS 1469918176385

static void
test_reads_the_time_of_the_specification(void)
{
    g_assert_cmpint(ulid_time_ms(EXAMPLE), ==, EXAMPLE_MS);
    g_assert_cmpint(ulid_time_ms("01ARYZ6S41"), ==, EXAMPLE_MS); /* the rest is chance */
    g_assert_cmpint(ulid_time_ms("0000000000"), ==, 0);
    g_assert_cmpint(ulid_time_ms("7ZZZZZZZZZ"), ==, 281474976710655); /* 48 bits */
}

static void
test_what_is_no_ulid_has_no_time(void)
{
    static const char *const OTHERS[] = {
        "",           "01ARYZ6S4",         "0IARYZ6S41", "0LARYZ6S41",
        "0OARYZ6S41", "0UARYZ6S41",        "01aryz6s41", "-1ARYZ6S41",
        "01ARYZ6S4 ", "01ARYZ6S4\303\251", "8000000000", "ZZZZZZZZZZ", /* more than 48 bits */
    };
    for (guint i = 0; i < G_N_ELEMENTS(OTHERS); i++)
        g_assert_cmpint(ulid_time_ms(OTHERS[i]), ==, -1);
}

static void
test_a_new_one_tells_this_moment(void)
{
    const gint64 before = g_get_real_time() / 1000;
    const Ulid ulid = ulid_now();
    const gint64 after = g_get_real_time() / 1000;

    g_assert_cmpuint(strlen(ulid.text), ==, 26);
    g_assert_cmpuint(strspn(ulid.text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ==, 26);
    g_assert_cmpint(ulid_time_ms(ulid.text), >=, before);
    g_assert_cmpint(ulid_time_ms(ulid.text), <=, after);
}

static void
test_a_later_one_sorts_behind(void)
{
    const Ulid first = ulid_now();
    g_usleep(2000);
    const Ulid second = ulid_now();
    g_assert_cmpstr(first.text, <, second.text);
}

static void
test_no_two_are_the_same(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < 20000; i++)
    {
        const Ulid ulid = ulid_now();
        g_assert_true(g_hash_table_add(seen, g_strdup(ulid.text)));
    }
}

/* All 80 bits of chance are used: every character of them takes every value. */
static void
test_every_character_of_chance_varies(void)
{
    guint32 values[26] = {0};
    for (int i = 0; i < 5000; i++)
    {
        const Ulid ulid = ulid_now();
        for (int at = 10; at < 26; at++)
        {
            const char *alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
            values[at] |= 1U << (strchr(alphabet, ulid.text[at]) - alphabet);
        }
    }
    for (int at = 10; at < 26; at++)
        g_assert_cmpuint(values[at], ==, G_MAXUINT32);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/ulid/" #name, test_##name)
    TEST(reads_the_time_of_the_specification);
    TEST(what_is_no_ulid_has_no_time);
    TEST(a_new_one_tells_this_moment);
    TEST(a_later_one_sorts_behind);
    TEST(no_two_are_the_same);
    TEST(every_character_of_chance_varies);
    return g_test_run();
}
