#include "base/error.h"
#include "pg/pg.h"

#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
assert_address(const char *url, const char *expected)
{
    g_autofree char *address = pg_address(url);
    g_assert_cmpstr(address, ==, expected);
}

static void
test_an_address_names_database_host_and_port(void)
{
    assert_address("postgresql://me@host:5433/chat", "database \"chat\" at host:5433");
    assert_address("postgres://host/chat", "database \"chat\" at host");
    assert_address("host=host port=5433 dbname=chat", "database \"chat\" at host:5433");
    assert_address("postgresql://me@[::1]:5433/chat", "database \"chat\" at ::1:5433");
    assert_address("postgresql:///chat", "database \"chat\" at the local socket");
    assert_address("postgresql:///chat?host=/run/pg", "database \"chat\" at /run/pg");
    assert_address("service=new", "database \"new\" at the local socket");
    assert_address("", "database \"(default)\" at the local socket");
}

/* Everything an error could say of that address. */
static void
assert_says_nothing_of(const char *url, const char *secret)
{
    g_autofree char *address = pg_address(url);
    g_autoptr(GError) error = NULL;
    const PgOptions options = {.url = url, .application_name = "test"};
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(Pg) pg = pg_connect(&options, cancel, &error);

    g_assert_null(pg);
    g_assert_nonnull(error);
    if (strstr(address, secret) != NULL || strstr(error->message, secret) != NULL)
        g_error("%s is seen in %s, or in: %s", secret, address, error->message);
}

/* A port where nobody listens, so that connecting fails at once. */
#define NOWHERE "127.0.0.1:1"

static void
test_no_message_shows_the_password(void)
{
    static const char *const URLS[] = {
        "postgresql://me:hushhush@" NOWHERE "/db",
        "postgresql://me:hush%40hush@" NOWHERE "/db",
        "postgresql://me:hush%2Fhush@" NOWHERE "/db",
        "postgresql://:hushhush@" NOWHERE "/db",
        "postgresql://me:hushhush@[::1]:1/db",
        "postgresql://" NOWHERE "/db?user=me&password=hushhush",
        "postgresql://me@" NOWHERE "/db?password=hushhush&sslmode=disable",
        "host=127.0.0.1 port=1 user=me password=hushhush dbname=db",
        "host=127.0.0.1 port=1 user=me password = 'hush hush' dbname=db",
        "password=hushhush host=127.0.0.1 port=1",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(URLS); i++)
        assert_says_nothing_of(URLS[i], "hush");
}

static void
test_no_message_shows_the_password_of_a_wrong_address(void)
{
    static const char *const URLS[] = {
        "postgresql://me:hush@hushhush@" NOWHERE "/db", /* '@' is not encoded */
        "postgresql://me:hush@hu/sh@" NOWHERE "/db",
        "postgresql://me:hush/hush@" NOWHERE "/db", /* '/' is not encoded */
        "postgresql://me:12/hush@" NOWHERE "/db",
        "postgresql://me@server:hush@" NOWHERE "/db", /* nor is that of the user's name */
        "postgresql://me:hush?hush@" NOWHERE "/db",
        "postgresql://me:hush%zzhush@" NOWHERE "/db",
        "postgresql://me:hush@" NOWHERE "/db?no=parameter",
        "host=127.0.0.1 password='hush",
        "host=127.0.0.1 password=hush hush",
        "host=127.0.0.1 port=1 dbname=postgresql://me:hush@host/db",
        "mysql://me:hush@" NOWHERE "/db",
        "hush",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(URLS); i++)
        assert_says_nothing_of(URLS[i], "hush");
}

static void
assert_connect_error(const char *url, VfError code, const char *hint)
{
    g_autoptr(GError) error = NULL;
    const PgOptions options = {.url = url, .application_name = "test"};
    g_autoptr(Pg) pg = pg_connect(&options, NULL, &error);

    g_assert_null(pg);
    g_assert_error(error, VF_ERROR, (int) code);
    if (strstr(error->message, hint) == NULL)
        g_error("no \"%s\" in: %s", hint, error->message);
}

static void
test_a_wrong_address_is_wrong_usage(void)
{
    assert_connect_error("nonsense", VF_ERROR_USAGE, "\nit should be postgresql://user@host");
    assert_connect_error("postgresql://host/db?no=parameter", VF_ERROR_USAGE, "is not understood");
    assert_connect_error(
        "postgresql://me:p@ss@host/db", VF_ERROR_USAGE, "\n'@' and '/' in a user or password");
}

static void
test_a_server_that_is_not_there_may_come(void)
{
    assert_connect_error(
        "postgresql://" NOWHERE "/db", VF_ERROR_CONNECT, "could not connect to database \"db\"");
    assert_connect_error(
        "postgresql:///db?host=/nowhere/at/all", VF_ERROR_CONNECT, "check host and port");
}

static char *
refuse_password(void *data, GError **error)
{
    (void) data;
    g_set_error_literal(error, VF_ERROR, VF_ERROR_DENIED, "the secret is not yours");
    return NULL;
}

static void
test_a_password_that_cannot_be_had_is_the_error(void)
{
    g_autoptr(GError) error = NULL;
    const PgOptions options = {
        .url = "postgresql://me@" NOWHERE "/db",
        .application_name = "test",
        .password = refuse_password,
    };
    g_assert_null(pg_connect(&options, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "the secret is not yours"));
}

/* A server that takes connections and says nothing; its port. */
static int
listen_silently(guint16 *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *) &address, length), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *) &address, &length), ==, 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void *
stop_soon(void *cancel)
{
    g_usleep(50000);
    cancel_request(cancel);
    return NULL;
}

static void
test_a_stop_ends_the_wait_for_a_silent_server(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(GError) error = NULL;
    guint16 port = 0;
    const int fd = listen_silently(&port);
    g_autofree char *url =
        g_strdup_printf("postgresql://127.0.0.1:%d/db?sslmode=disable", (int) port);
    const PgOptions options = {.url = url, .application_name = "test"};
    const gint64 begin = g_get_monotonic_time();
    pthread_t stopper;

    pthread_create(&stopper, NULL, stop_soon, cancel);
    g_assert_null(pg_connect(&options, cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_USEC_PER_SEC);
    pthread_join(stopper, NULL);
    close(fd);
}

static void
assert_quoted(char *quoted, const char *expected)
{
    g_assert_cmpstr(quoted, ==, expected);
    g_free(quoted);
}

static void
test_names_are_quoted(void)
{
    assert_quoted(pg_quote_name("items"), "\"items\"");
    assert_quoted(pg_quote_name("My Items"), "\"My Items\"");
    assert_quoted(pg_quote_name("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
    assert_quoted(pg_quote_name("\"\""), "\"\"\"\"\"\"");
    assert_quoted(pg_quote_name(""), "\"\"");
    assert_quoted(pg_quote_name("a.b"), "\"a.b\"");
}

static void
test_a_dot_separates_schema_and_table(void)
{
    assert_quoted(pg_quote_qualified("items"), "\"items\"");
    assert_quoted(pg_quote_qualified("chat.items"), "\"chat\".\"items\"");
    assert_quoted(pg_quote_qualified("a\".b\""), "\"a\"\"\".\"b\"\"\"");
    assert_quoted(pg_quote_qualified("a.b.c"), "\"a\".\"b.c\"");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/pg/" #name, test_##name)
    TEST(an_address_names_database_host_and_port);
    TEST(no_message_shows_the_password);
    TEST(no_message_shows_the_password_of_a_wrong_address);
    TEST(a_wrong_address_is_wrong_usage);
    TEST(a_server_that_is_not_there_may_come);
    TEST(a_password_that_cannot_be_had_is_the_error);
    TEST(a_stop_ends_the_wait_for_a_silent_server);
    TEST(names_are_quoted);
    TEST(a_dot_separates_schema_and_table);
    return g_test_run();
}
