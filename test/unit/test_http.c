#include "base/error.h"
#include "http/address.h"
#include "http/http.h"
#include "scripted_server.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

static const HttpPolicy PRIVATE = {.allow_private = true};

static bool
misbehave(int fd, const ServedRequest *request, void *data)
{
    const char *path = request->path;
    (void) data;

    if (strcmp(path, "/hello") == 0)
    {
        say_answer(fd, "200 OK", "Content-Type: text/plain\r\nX-Twice:  a b \r\n", "hello");
        return true;
    }
    if (strcmp(path, "/echo") == 0)
    {
        say_answer(fd, "201 Created", "", request->body->str);
        return true;
    }
    if (strcmp(path, "/missing") == 0)
    {
        say_answer(fd, "404 Not Found", "Retry-After: 7\r\n", "no such page");
        return true;
    }
    if (strcmp(path, "/chunked") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    else if (strcmp(path, "/cut") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort");
    else if (strcmp(path, "/cut-chunk") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort");
    else if (strcmp(path, "/too-long") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef");
    else if (strcmp(path, "/silent") == 0)
        stay_silent(fd, 10000);
    else if (strcmp(path, "/nothing") == 0)
        return false;
    else if (strcmp(path, "/garbage") == 0)
        say(fd, "SSH-2.0-OpenSSH_9.2p1\r\n");
    else if (strcmp(path, "/loop") == 0)
        say_answer(fd, "302 Found", "Location: /loop\r\n", "");
    else if (strcmp(path, "/to-hello") == 0)
        say_answer(fd, "302 Found", "Location: /hello\r\nX-First: yes\r\n", "gone");
    else if (strcmp(path, "/to-file") == 0)
        say_answer(fd, "302 Found", "Location: file:///etc/passwd\r\n", "");
    else if (g_str_has_prefix(path, "/to?"))
    {
        g_autofree char *location = g_strdup_printf("Location: %s\r\n", path + 4);
        say_answer(fd, "302 Found", location, "");
    }
    else if (strcmp(path, "/endless") == 0)
    {
        say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        g_autofree char *block = g_strnfill(65536, 'x');
        for (int i = 0; i < 32; i++)
            say(fd, block);
    }
    else if (strcmp(path, "/many-headers") == 0)
    {
        say(fd, "HTTP/1.1 200 OK\r\n");
        g_autofree char *value = g_strnfill(60000, 'x');
        for (int i = 0; i < 20; i++)
        {
            g_autofree char *line = g_strdup_printf("X-%d: %s\r\n", i, value);
            say(fd, line);
        }
        say(fd, "Content-Length: 0\r\n\r\n");
    }
    else
        say_answer(fd, "500 Internal Server Error", "", "?");
    return false;
}

/* Fetches a path of the misbehaving server with small limits. */
static HttpResponse *
fetch(const char *path, GError **error)
{
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, path);
    const HttpRequest request = {
        .url = url, .max_bytes = 1000, .max_redirects = 5, .total_timeout_ms = 5000};
    return http_fetch(client, &request, NULL, error);
}

static void
assert_fetch_fails(const char *path, VfError code, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) response = fetch(path, &error);

    g_assert_null(response);
    g_assert_error(error, VF_ERROR, (int) code);
    g_assert_nonnull(strstr(error->message, words));
}

static void
test_brings_status_headers_and_body(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) response = fetch("/hello", &error);

    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 200);
    g_assert_cmpstr(response->body->str, ==, "hello");
    g_assert_cmpint(response->bytes, ==, 5);
    g_assert_cmpstr(http_header(response, "content-TYPE"), ==, "text/plain");
    g_assert_cmpstr(http_header(response, "x-twice"), ==, "a b");
    g_assert_null(http_header(response, "x-tw"));
}

static void
test_sends_method_headers_and_body(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, "/echo");
    const char *headers[] = {"Content-Type: application/json", "X-Test: 1", NULL};
    const HttpRequest request = {
        .method = "PUT", .url = url, .headers = headers, .body = "{}", .body_bytes = 2};
    g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 201);
    g_assert_cmpstr(response->body->str, ==, "{}");
    g_assert_cmpstr(served(server, 0)->method, ==, "PUT");
    g_assert_nonnull(strstr(served(server, 0)->head, "\r\nX-Test: 1\r\n"));
    g_assert_nonnull(strstr(served(server, 0)->head, "\r\nUser-Agent: vecferry/"));
    g_assert_null(strstr(served(server, 0)->head, "Expect"));
}

static void
test_a_status_is_an_answer(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) response = fetch("/missing", &error);

    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 404);
    g_assert_cmpstr(response->body->str, ==, "no such page");
    g_assert_cmpint(http_retry_after_ms(response), ==, 7000);
}

static void
test_reads_chunks(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) response = fetch("/chunked", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(response->body->str, ==, "abcde");
}

static void
test_a_body_ends_where_its_length_says(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) response = fetch("/too-long", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(response->body->str, ==, "ab");
}

static void
test_a_cut_answer_is_no_answer(void)
{
    assert_fetch_fails("/cut", VF_ERROR_CONNECT, "cut short");
    assert_fetch_fails("/cut-chunk", VF_ERROR_CONNECT, "127.0.0.1:");
    assert_fetch_fails("/nothing", VF_ERROR_CONNECT, "without an answer");
}

static void
test_garbage_is_refused(void)
{
    assert_fetch_fails("/garbage", VF_ERROR_BAD_INPUT, "does not speak HTTP");
    assert_fetch_fails("/many-headers", VF_ERROR_BAD_INPUT, "too many headers");
}

static void
test_a_body_beyond_the_limit_is_refused(void)
{
    assert_fetch_fails("/endless", VF_ERROR_BAD_INPUT, "larger than 1000 bytes");
}

static void
test_follows_redirects_but_not_for_ever(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpResponse) response = fetch("/to-hello", &error);

    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 200);
    g_assert_cmpstr(response->body->str, ==, "hello");
    g_assert_true(g_str_has_suffix(response->url, "/hello"));
    g_assert_null(http_header(response, "x-first"));
    assert_fetch_fails("/loop", VF_ERROR_BAD_INPUT, "redirects too often");
    assert_fetch_fails("/to-file", VF_ERROR_BAD_INPUT, "neither http nor https");
    assert_fetch_fails("/to?http://user:pw@127.0.0.1/", VF_ERROR_BAD_INPUT, "user name");
}

static void
test_without_leave_a_redirect_is_the_answer(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, "/to-hello");
    const HttpRequest request = {.url = url};
    g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 302);
}

static void
test_a_public_client_reaches_no_private_address(void)
{
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&(HttpPolicy){.allow_private = false});
    const char *hosts[] = {"127.0.0.1", "localhost",          "2130706433", "0x7f.1",
                           "[::1]",     "[::ffff:127.0.0.1]", "0"};

    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++)
    {
        g_autoptr(GError) error = NULL;
        g_autofree char *url = g_strdup_printf("http://%s:%d/hello", hosts[i], server->port);
        const HttpRequest request = {.url = url, .total_timeout_ms = 2000};
        g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, &error);

        g_assert_null(response);
        g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
        g_assert_nonnull(strstr(error->message, "is not public\n--allow-private-addresses"));
    }
    g_assert_cmpint(atomic_load(&server->connections), ==, 0);
}

static void
test_a_redirect_leads_to_no_private_address(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) front = server_start(misbehave, NULL);
    g_autoptr(Server) inner = server_start(misbehave, NULL);
    g_autofree char *front_address = g_strdup_printf("127.0.0.1:%d", front->port);
    const char *allowed[] = {front_address, NULL};
    g_autoptr(HttpClient) client = http_client_new(&(HttpPolicy){.allowed_addresses = allowed});
    g_autofree char *target = server_url(inner, "/hello");
    g_autofree char *path = g_strconcat("/to?", target, NULL);
    g_autofree char *url = server_url(front, path);
    const HttpRequest request = {.url = url, .max_redirects = 5, .total_timeout_ms = 2000};
    g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, &error);

    g_assert_null(response);
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "address 127.0.0.1 is not public"));
    g_assert_cmpint(atomic_load(&front->connections), ==, 1);
    g_assert_cmpint(atomic_load(&inner->connections), ==, 0);
}

static void
test_the_environments_proxy_is_not_used(void)
{
    g_autoptr(GError) error = NULL;

    g_setenv("http_proxy", "http://127.0.0.1:1", TRUE);
    g_setenv("all_proxy", "http://127.0.0.1:1", TRUE);
    g_autoptr(HttpResponse) response = fetch("/hello", &error);
    g_unsetenv("http_proxy");
    g_unsetenv("all_proxy");
    g_assert_no_error(error);
    g_assert_nonnull(response);
}

static void
test_nobody_listening_is_a_connection_problem(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    Server *server = server_start(misbehave, NULL);
    g_autofree char *url = server_url(server, "/hello?key=secret");
    const HttpRequest request = {.url = url};

    server_stop(server);
    g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, &error);
    g_assert_null(response);
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_nonnull(strstr(error->message, "Connection refused"));
    g_assert_null(strstr(error->message, "secret"));
}

static void
test_a_slow_server_is_given_up(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, "/silent");
    const HttpRequest total = {.url = url, .total_timeout_ms = 200};
    const HttpRequest idle = {.url = url, .idle_timeout_ms = 1000};
    const gint64 start = g_get_monotonic_time();

    g_assert_null(http_fetch(client, &total, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_clear_error(&error);
    g_assert_null(http_fetch(client, &idle, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
}

static void *
cancel_soon(void *cancel)
{
    g_usleep(100 * 1000);
    cancel_request(cancel);
    return NULL;
}

static void
test_a_cancel_ends_it_at_once(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autoptr(Cancel) cancel = cancel_new();
    g_autofree char *url = server_url(server, "/silent");
    const HttpRequest request = {.url = url};
    pthread_t thread;

    pthread_create(&thread, NULL, cancel_soon, cancel);
    const gint64 start = g_get_monotonic_time();
    g_assert_null(http_fetch(client, &request, cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpint(g_get_monotonic_time() - start, <, 300 * 1000);
    pthread_join(thread, NULL);
}

static void
test_a_connection_is_kept(void)
{
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, "/hello");
    const HttpRequest request = {.url = url};

    for (int i = 0; i < 5; i++)
    {
        g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, NULL);
        g_assert_nonnull(response);
    }
    g_assert_cmpint(atomic_load(&server->connections), ==, 1);
}

typedef struct
{
    HttpClient *client;
    const char *url;
} Visitor;

static void *
visit_often(void *data)
{
    const Visitor *visitor = data;
    const HttpRequest request = {.url = visitor->url};

    for (int i = 0; i < 50; i++)
    {
        g_autoptr(HttpResponse) response = http_fetch(visitor->client, &request, NULL, NULL);
        g_assert_nonnull(response);
        g_assert_cmpstr(response->body->str, ==, "hello");
    }
    return NULL;
}

static void
test_threads_share_a_client(void)
{
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, "/hello");
    Visitor visitor = {client, url};
    pthread_t threads[8];

    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, visit_often, &visitor);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(atomic_load(&server->connections), <=, 8);
}

static void
test_a_file_gets_the_body_of_a_success_only(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *good = server_url(server, "/hello");
    g_autofree char *bad = server_url(server, "/missing");
    const int fd = memfd_create("body", MFD_CLOEXEC);
    char buffer[16] = "";

    HttpResponse *response = http_fetch_to_fd(client, &(HttpRequest){.url = bad}, fd, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(response->body->str, ==, "no such page");
    g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, 0);
    http_response_free(response);

    response = http_fetch_to_fd(client, &(HttpRequest){.url = good}, fd, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(response->body->len, ==, 0);
    g_assert_cmpint(pread(fd, buffer, sizeof buffer, 0), ==, 5);
    g_assert_cmpstr(buffer, ==, "hello");
    http_response_free(response);
    close(fd);
}

static void
test_headers_only_leaves_the_body(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = server_url(server, "/hello");
    const HttpRequest request = {.url = url, .headers_only = true};
    g_autoptr(HttpResponse) response = http_fetch(client, &request, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 200);
    g_assert_cmpuint(response->body->len, ==, 0);
    g_assert_cmpstr(http_header(response, "Content-Length"), ==, "5");
}

static void
test_a_line_break_in_a_header_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    const char *headers[] = {"Authorization: Bearer secret\r\nX-Evil: 1", NULL};
    const HttpRequest request = {.url = "http://127.0.0.1:1/", .headers = headers};

    g_assert_null(http_fetch(client, &request, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
    g_assert_null(strstr(error->message, "secret"));
    g_assert_nonnull(strstr(error->message, "Authorization"));
}

static void
test_a_strange_address_is_refused(void)
{
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    const char *urls[] = {
        "",
        "http://",
        "file:///etc/passwd",
        "ftp://127.0.0.1/",
        "gopher://127.0.0.1/",
        "http://user:pw@127.0.0.1/",
        "http://a b/"};

    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++)
    {
        g_autoptr(GError) error = NULL;
        g_assert_null(http_fetch(client, &(HttpRequest){.url = urls[i]}, NULL, &error));
        g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
        g_assert_null(strstr(error->message, "pw"));
    }
}

static bool
is_public(const char *text)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};

    g_assert_cmpint(getaddrinfo(text, "80", &hints, &found), ==, 0);
    const bool answer = address_is_public(found->ai_addr);
    freeaddrinfo(found);
    return answer;
}

static void
test_knows_public_addresses(void)
{
    const char *yes[] = {"8.8.8.8",      "1.1.1.1",          "172.15.255.255",
                         "172.32.0.1",   "100.63.255.255",   "100.128.0.1",
                         "169.253.1.1",  "223.255.255.255",  "198.17.255.255",
                         "198.20.0.0",   "2606:4700::1111",  "2a00:1450:4001::1",
                         "2001:4860::1", "64:ff9b::8.8.8.8", "3ffe::1"};
    const char *no[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "169.254.170.2",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::2",
        "::127.0.0.1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::8.8.8.8",
        "2002:7f00:1::",
        "2002:808:808::1",
        "2001::1",
        "2001:db8::1",
        "3fff::1",
        "100::1"};

    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
        if (!is_public(yes[i]))
            g_error("%s is public", yes[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
        if (is_public(no[i]))
            g_error("%s is not public", no[i]);
}

static void
test_knows_web_ports(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET};

    in.sin_port = htons(443);
    g_assert_true(address_has_web_port((struct sockaddr *) &in));
    in.sin_port = htons(22);
    g_assert_false(address_has_web_port((struct sockaddr *) &in));
}

static gint64
retry_after(const char *header)
{
    HttpResponse *response = g_new0(HttpResponse, 1);
    response->headers = g_ptr_array_new_with_free_func(g_free);
    response->body = g_string_new(NULL);
    g_ptr_array_add(response->headers, g_strdup(header));
    const gint64 ms = http_retry_after_ms(response);
    http_response_free(response);
    return ms;
}

static void
test_reads_every_form_of_retry_after(void)
{
    g_assert_cmpint(retry_after("X: 1"), ==, -1);
    g_assert_cmpint(retry_after("Retry-After: 3"), ==, 3000);
    g_assert_cmpint(retry_after("retry-after: 0.5"), ==, 500);
    g_assert_cmpint(retry_after("Retry-After-Ms: 250"), ==, 250);
    g_assert_cmpint(retry_after("Retry-After: soon"), ==, -1);
    g_assert_cmpint(retry_after("Retry-After: -5"), ==, -1);
    g_assert_cmpint(retry_after("Retry-After: 1e30"), ==, 24 * 60 * 60 * 1000);
    g_assert_cmpint(retry_after("Retry-After: Mon, 01 Jan 2001 00:00:00 GMT"), ==, 0);

    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) later = g_date_time_add_seconds(now, 60);
    g_autofree char *text = g_date_time_format(later, "Retry-After: %a, %d %b %Y %H:%M:%S GMT");
    g_assert_cmpint(retry_after(text), >=, 58000);
    g_assert_cmpint(retry_after(text), <=, 60000);
}

/* A port that is free now, for a server that cannot choose its own. */
static int
free_port(void)
{
    Server *server = server_start(misbehave, NULL);
    const int port = server->port;
    server_stop(server);
    return port;
}

/* openssl's own server with a certificate that nobody has signed, in a folder. */
static GPid
start_tls_server(const char *folder, int port)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *script = g_strdup_printf(
        "cd '%s' && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
        "-keyout key.pem -out cert.pem -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost >/dev/null 2>&1 && "
        "exec openssl s_server -accept 127.0.0.1:%d -cert cert.pem -key key.pem -www -quiet "
        ">/dev/null 2>&1",
        folder, port);
    char *argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, script, NULL};
    GPid pid = 0;

    g_assert_true(
        g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, &error));
    return pid;
}

static void
test_certificates_are_verified(void)
{
    g_autofree char *openssl = g_find_program_in_path("openssl");
    if (openssl == NULL)
    {
        g_test_skip("openssl is not installed");
        return;
    }

    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("vecferry-tls-XXXXXX", &error);
    g_autofree char *certificate = g_build_filename(folder, "cert.pem", NULL);
    g_autofree char *key = g_build_filename(folder, "key.pem", NULL);
    const int port = free_port();
    g_autofree char *url = g_strdup_printf("https://localhost:%d/", port);
    g_autofree char *by_number = g_strdup_printf("https://127.0.0.1:%d/", port);
    const GPid pid = start_tls_server(folder, port);
    g_autoptr(HttpClient) stranger = http_client_new(&PRIVATE);
    HttpResponse *response = NULL;

    for (int i = 0; i < 100; i++)
    {
        g_clear_error(&error);
        response = http_fetch(stranger, &(HttpRequest){.url = url}, NULL, &error);
        if (response != NULL || !g_error_matches(error, VF_ERROR, VF_ERROR_CONNECT))
            break;
        g_usleep(50 * 1000);
    }
    g_assert_null(response);
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_nonnull(strstr(error->message, "TLS"));
    g_clear_error(&error);

    g_autoptr(HttpClient) friend =
        http_client_new(&(HttpPolicy){.allow_private = true, .ca_file = certificate});
    response = http_fetch(friend, &(HttpRequest){.url = url}, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpint(response->status, ==, 200);
    http_response_free(response);

    response = http_fetch(friend, &(HttpRequest){.url = by_number}, NULL, &error);
    g_assert_null(response);
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);

    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    unlink(certificate);
    unlink(key);
    rmdir(folder);
}

static void
test_a_silent_handshake_is_a_connection_problem(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%d/hello", server->port);
    const HttpRequest request = {.url = url, .total_timeout_ms = 1000};

    /* The server waits for a request's end that never comes, and curl gives up. */
    g_assert_null(http_fetch(client, &request, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CONNECT);
}

/* Whoever is billed for what is sent wants to know. */
static void
test_tells_what_was_never_sent(void)
{
    static const struct
    {
        const char *path;
        bool stopped;
        bool unsent;
    } CASES[] = {{"/hello", false, false}, {"/nothing", false, false}, {"/hello", true, true}};

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
        Server *server = server_start(misbehave, NULL);
        g_autofree char *url = server_url(server, CASES[i].path);
        bool unsent = !CASES[i].unsent;
        const HttpRequest request = {.url = url, .unsent = &unsent};

        if (CASES[i].stopped)
            server_stop(server);
        http_response_free(http_fetch(client, &request, NULL, NULL));
        g_assert_true(unsent == CASES[i].unsent);
        if (!CASES[i].stopped)
            server_stop(server);
    }
}

static void
test_a_broken_handshake_sent_nothing(void)
{
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
    g_autofree char *url = g_strdup_printf("https://127.0.0.1:%d/hello", server->port);
    bool unsent = false;
    const HttpRequest request = {.url = url, .total_timeout_ms = 300, .unsent = &unsent};

    g_assert_null(http_fetch(client, &request, NULL, NULL));
    g_assert_true(unsent);
}

/* Keeps every connection, but hangs up where it should answer a second time. */
static bool
answer_once(int fd, const ServedRequest *request, void *data)
{
    atomic_int *answered = data;
    (void) request;
    if (atomic_fetch_add(answered, 1) % 2 == 1)
        return false;
    say_answer(fd, "200 OK", "", "hello");
    return true;
}

/* A kept connection that the server has closed meanwhile costs nobody an answer: the request is
 * sent again.  Whoever must not ask twice says so. */
static void
test_once_means_once(void)
{
    for (int once = 0; once <= 1; once++)
    {
        atomic_int answered = 0;
        g_autoptr(Server) server = server_start(answer_once, &answered);
        g_autoptr(HttpClient) client = http_client_new(&PRIVATE);
        g_autofree char *url = server_url(server, "/");
        const HttpRequest request = {.url = url, .once = once == 1};

        g_autoptr(HttpResponse) first = http_fetch(client, &request, NULL, NULL);
        g_assert_nonnull(first);
        g_autoptr(HttpResponse) second = http_fetch(client, &request, NULL, NULL);
        g_assert_true((second == NULL) == (once == 1));
        g_assert_cmpint(atomic_load(&answered), ==, once == 1 ? 2 : 3);
    }
}

/* What is written to a descriptor cannot be taken back. */
static void
test_tells_whether_a_body_has_begun(void)
{
    static const struct
    {
        const char *path;
        bool begun;
    } CASES[] = {{"/hello", true}, {"/cut", true}, {"/nothing", false}, {"/missing", false}};
    g_autoptr(Server) server = server_start(misbehave, NULL);
    g_autoptr(HttpClient) client = http_client_new(&PRIVATE);

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autofree char *url = server_url(server, CASES[i].path);
        bool begun = !CASES[i].begun;
        const HttpRequest request = {.url = url, .begun = &begun};
        http_response_free(http_fetch(client, &request, NULL, NULL));
        g_assert_true(begun == CASES[i].begun);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/http/brings status, headers and body", test_brings_status_headers_and_body);
    g_test_add_func("/http/sends method, headers and body", test_sends_method_headers_and_body);
    g_test_add_func("/http/a status is an answer", test_a_status_is_an_answer);
    g_test_add_func("/http/reads chunks", test_reads_chunks);
    g_test_add_func(
        "/http/a body ends where its length says", test_a_body_ends_where_its_length_says);
    g_test_add_func("/http/a cut answer is no answer", test_a_cut_answer_is_no_answer);
    g_test_add_func("/http/garbage is refused", test_garbage_is_refused);
    g_test_add_func(
        "/http/a body beyond the limit is refused", test_a_body_beyond_the_limit_is_refused);
    g_test_add_func(
        "/http/follows redirects, but not for ever", test_follows_redirects_but_not_for_ever);
    g_test_add_func(
        "/http/without leave a redirect is the answer",
        test_without_leave_a_redirect_is_the_answer);
    g_test_add_func(
        "/http/a public client reaches no private address",
        test_a_public_client_reaches_no_private_address);
    g_test_add_func(
        "/http/a redirect leads to no private address",
        test_a_redirect_leads_to_no_private_address);
    g_test_add_func(
        "/http/the environment's proxy is not used", test_the_environments_proxy_is_not_used);
    g_test_add_func(
        "/http/nobody listening is a connection problem",
        test_nobody_listening_is_a_connection_problem);
    g_test_add_func("/http/a slow server is given up", test_a_slow_server_is_given_up);
    g_test_add_func("/http/a cancel ends it at once", test_a_cancel_ends_it_at_once);
    g_test_add_func("/http/a connection is kept", test_a_connection_is_kept);
    g_test_add_func("/http/threads share a client", test_threads_share_a_client);
    g_test_add_func(
        "/http/a file gets the body of a success only",
        test_a_file_gets_the_body_of_a_success_only);
    g_test_add_func("/http/headers only leaves the body", test_headers_only_leaves_the_body);
    g_test_add_func(
        "/http/a line break in a header is refused", test_a_line_break_in_a_header_is_refused);
    g_test_add_func("/http/a strange address is refused", test_a_strange_address_is_refused);
    g_test_add_func("/http/certificates are verified", test_certificates_are_verified);
    g_test_add_func(
        "/http/a handshake without an answer is a connection problem",
        test_a_silent_handshake_is_a_connection_problem);
    g_test_add_func("/http/tells what was never sent", test_tells_what_was_never_sent);
    g_test_add_func("/http/a broken handshake sent nothing", test_a_broken_handshake_sent_nothing);
    g_test_add_func("/http/once means once", test_once_means_once);
    g_test_add_func("/http/tells whether a body has begun", test_tells_whether_a_body_has_begun);
    g_test_add_func("/address/knows public addresses", test_knows_public_addresses);
    g_test_add_func("/address/knows web ports", test_knows_web_ports);
    g_test_add_func("/retry-after/reads every form of it", test_reads_every_form_of_retry_after);
    return g_test_run();
}
