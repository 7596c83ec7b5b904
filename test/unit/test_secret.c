#include "base/secret.h"

#include <glib.h>
#include <string.h>

typedef struct
{
    const char *address;
    const char *hidden;
} Case;

static void
assert_hides(const Case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
    {
        g_autofree char *address = g_strdup(cases[i].address);
        g_assert_true(secret_hide_password(address));
        g_assert_cmpstr(address, ==, cases[i].hidden);
    }
}
#define ASSERT_HIDES(...)                                                                          \
    assert_hides((Case[]){__VA_ARGS__}, sizeof((Case[]){__VA_ARGS__}) / sizeof(Case))

static void
test_hides_it_in_a_uri(void)
{
    ASSERT_HIDES(
        {"postgresql://me:secret@host/db", "postgresql://me:xxxxxx@host/db"},
        {"postgres://me:secret@host:5432/db", "postgres://me:xxxxxx@host:5432/db"},
        {"postgresql://me:secret@host", "postgresql://me:xxxxxx@host"},
        {"postgresql://:secret@host/db", "postgresql://:xxxxxx@host/db"},
        {"postgresql://me:secret@/db?host=/run", "postgresql://me:xxxxxx@/db?host=/run"},
        {"postgresql://me:se:cret@host/db", "postgresql://me:xxxxxxx@host/db"}, );
}

static void
test_hides_it_in_an_option(void)
{
    ASSERT_HIDES(
        {"--new-store=postgresql://me:secret@host/db",
         "--new-store=postgresql://me:xxxxxx@host/db"},
        {"--new-store=host=h password=secret", "--new-store=host=h password=xxxxxx"},
        {"--new-store=password=secret host=h", "--new-store=password=xxxxxx host=h"}, );
}

static void
test_hides_what_is_percent_encoded(void)
{
    ASSERT_HIDES(
        {"postgresql://me:p%40s%2Fs@host/db", "postgresql://me:xxxxxxxxx@host/db"},
        {"postgresql://m%3Ae:p%25@host/db", "postgresql://m%3Ae:xxxx@host/db"}, );
}

/* They should be encoded; a mistake must not show them. */
static void
test_hides_what_should_be_percent_encoded(void)
{
    ASSERT_HIDES(
        {"postgresql://me:p@ss@host/db", "postgresql://me:xxxx@host/db"},
        {"postgresql://me:p?ss@host/db", "postgresql://me:xxxx@host/db"},
        {"postgresql://me:p@s/s@host/db?user=a@b", "postgresql://me:xxxxx@host/db?user=a@b"},
        {"postgresql://me@server:pass@host/db", "postgresql://me@server:xxxx@host/db"},
        {"postgresql://me:p ss@host/db", "postgresql://me:xxxx@host/db"},
        {"postgresql://me:p/ss@host/db", "postgresql://me:xxxx@host/db"},
        {"postgresql://me:p#ss@host/db", "postgresql://me:xxxx@host/db"}, );
}

static void
test_hides_it_before_an_ipv6_address(void)
{
    ASSERT_HIDES(
        {"postgresql://me:secret@[::1]:5432/db", "postgresql://me:xxxxxx@[::1]:5432/db"},
        {"postgresql://me:secret@[fe80::1]/db", "postgresql://me:xxxxxx@[fe80::1]/db"}, );
}

static void
test_hides_it_before_several_hosts(void)
{
    ASSERT_HIDES(
        {"postgresql://me:secret@one:1,[::2]:2/db", "postgresql://me:xxxxxx@one:1,[::2]:2/db"}, );
}

static void
test_hides_it_among_the_parameters_of_a_uri(void)
{
    ASSERT_HIDES(
        {"postgresql://host/db?password=secret", "postgresql://host/db?password=xxxxxx"},
        {"postgresql://host/db?user=me&password=secret&sslmode=require",
         "postgresql://host/db?user=me&password=xxxxxx&sslmode=require"},
        {"postgresql://host/db?password=a b&user=me", "postgresql://host/db?password=xxx&user=me"},
        {"postgresql://host/db?pass%77ord=secret&a=b",
         "postgresql://host/db?pass%77ord=xxxxxx&a=b"}, );
}

static void
test_hides_it_in_keywords(void)
{
    ASSERT_HIDES(
        {"host=h password=secret dbname=d", "host=h password=xxxxxx dbname=d"},
        {"password=secret", "password=xxxxxx"},
        {"host=h\tpassword=secret\nuser=u", "host=h\tpassword=xxxxxx\nuser=u"},
        {"host=h password = secret user=u", "host=h password = xxxxxx user=u"},
        {"host=h password= secret user=u", "host=h password= xxxxxx user=u"}, );
}

static void
test_hides_what_is_quoted_in_keywords(void)
{
    ASSERT_HIDES(
        {"password='a b' host=h", "password=xxxxx host=h"},
        {"password = 'a b' host=h", "password = xxxxx host=h"},
        {"password='it\\'s' host=h", "password=xxxxxxx host=h"},
        {"password='a\\\\' host=h", "password=xxxxx host=h"},
        {"password=a\\ b host=h", "password=xxxx host=h"},
        {"password='never closed host=h", "password=xxxxxxxxxxxxxxxxxxxx"}, );
}

static void
test_hides_every_one(void)
{
    ASSERT_HIDES(
        {"postgresql://me:one@host/db?password=two&sslpassword=three",
         "postgresql://me:xxx@host/db?password=xxx&sslpassword=xxxxx"},
        {"sslpassword=one password=two password='three'",
         "sslpassword=xxx password=xxx password=xxxxxxx"},
        {"dbname=postgresql://me:one@host/db password=two",
         "dbname=postgresql://me:xxx@host/db password=xxx"}, );
}

static void
test_leaves_alone_what_holds_none(void)
{
    static const char *const OPEN[] = {
        "",
        "plan",
        "--catalogue=bots.json",
        "postgresql://host/db",
        "postgresql://me@host/db",
        "postgresql://me@host:5432/db",
        "postgresql://me@[::1]:5432/db",
        "postgresql://[::1]:5432/db",
        "postgresql:///db?host=/run&port=5432",
        "postgresql://me:@host/db",
        "postgresql://host:5432/db?user=me@server",
        "host=h user=u dbname=d",
        "password=",
        "host=h password= ",
        "password=''",
        "passfile=/home/me/.pgpass",
        "postgresql://host/db?passfile=x",
        "https://example.org:8443/v1",
        "no-password",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(OPEN); i++)
    {
        g_autofree char *address = g_strdup(OPEN[i]);
        const bool hidden = secret_hide_password(address);
        if (hidden && strcmp(OPEN[i], "password=''") != 0)
            g_error("something was hidden in %s", OPEN[i]);
        if (!hidden)
            g_assert_cmpstr(address, ==, OPEN[i]);
    }
}

/* What a message says beside the address stays readable. */
static void
test_hides_it_among_other_words(void)
{
    static const char *const CASES[][2] = {
        {"\"postgresql://me:secret@h/d\" is not expected here",
         "\"postgresql://me:xxxxxx@h/d\" is not expected here"},
        {"Unknown option --newstore=postgresql://me:p w\"d@h/d",
         "Unknown option --newstore=postgresql://me:xxxxx@h/d"},
        {"--workers: \"host=h password=secret user=me\" should be a whole number",
         "--workers: \"host=h password=xxxxxx user=me\" should be a whole number"},
        {"see https://h:8443/x: ask me@home", "see https://h:8443/x: ask me@home"},
        {"one http://a:b@h/, two http://c:d@h/", "one http://a:x@h/, two http://c:x@h/"},
        {"postgresql://me:one@h/d\nhint: password=two",
         "postgresql://me:xxx@h/d\nhint: password=xxx"},
        {"nothing to hide", "nothing to hide"},
        {"", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autofree char *hidden = secret_hidden(CASES[i][0]);
        g_assert_cmpstr(hidden, ==, CASES[i][1]);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/secret/" #name, test_##name)
    TEST(hides_it_in_a_uri);
    TEST(hides_it_in_an_option);
    TEST(hides_what_is_percent_encoded);
    TEST(hides_what_should_be_percent_encoded);
    TEST(hides_it_before_an_ipv6_address);
    TEST(hides_it_before_several_hosts);
    TEST(hides_it_among_the_parameters_of_a_uri);
    TEST(hides_it_in_keywords);
    TEST(hides_what_is_quoted_in_keywords);
    TEST(hides_every_one);
    TEST(leaves_alone_what_holds_none);
    TEST(hides_it_among_other_words);
    return g_test_run();
}
