/*
 * Every kept connection belongs to a slot: a curl handle and its own multi handle,
 * which holds the connections.  A fetch borrows a slot, so threads share nothing but
 * the list of idle slots.  The multi interface is used for one reason: its poll can
 * wait for a Cancel too, which a callback of the easy interface sees up to a second
 * later.
 */
#include "http/http.h"

#include "base/error.h"
#include "http/address.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MAX_BYTES (16LL * 1024 * 1024)
#define MAX_HEADER_BYTES (256 * 1024) /* curl gives up at 300 kB, with a less telling error */
#define MAX_ERROR_BODY (64 * 1024)

struct HttpClient
{
    bool allow_private;
    char **allowed_addresses;
    char *ca_file;
    char *user_agent;

    pthread_mutex_t mutex;
    GPtrArray *idle; /* of Slot; guarded by the mutex */
};

typedef struct
{
    CURLM *multi;
    CURL *easy;
} Slot;

/* One fetch, as curl's callbacks see it. */
typedef struct
{
    const HttpClient *client;
    const HttpRequest *request;
    CURL *easy;
    HttpResponse *response;
    int fd; /* -1: the body stays in memory */
    gint64 max_bytes;
    size_t header_bytes;

    char *refused;  /* why the policy forbade an address since the last answer */
    bool connected; /* an address was allowed since then */
    bool hung_up;   /* on purpose, with all we wanted */
    GError *problem;
    char detail[CURL_ERROR_SIZE];
} Exchange;

static char **
copy_list(const char *const *list)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        g_strv_builder_add(builder, list[i]);
    return g_strv_builder_end(builder);
}

HttpClient *
http_client_new(const HttpPolicy *policy)
{
    /* Counted and safe in threads since curl 7.84; the other half is in the free. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        g_error("could not initialise libcurl");

    HttpClient *client = g_new0(HttpClient, 1);
    client->allow_private = policy->allow_private;
    client->allowed_addresses = copy_list(policy->allowed_addresses);
    client->ca_file = g_strdup(policy->ca_file);
    client->user_agent =
        g_strdup(policy->user_agent != NULL ? policy->user_agent : "vecferry/" VECFERRY_VERSION);
    pthread_mutex_init(&client->mutex, NULL);
    client->idle = g_ptr_array_new();
    return client;
}

static void
slot_free(Slot *slot)
{
    curl_easy_cleanup(slot->easy);
    curl_multi_cleanup(slot->multi);
    g_free(slot);
}

void
http_client_free(HttpClient *client)
{
    if (client == NULL)
        return;
    for (guint i = 0; i < client->idle->len; i++)
        slot_free(client->idle->pdata[i]);
    g_ptr_array_unref(client->idle);
    pthread_mutex_destroy(&client->mutex);
    g_strfreev(client->allowed_addresses);
    g_free(client->ca_file);
    g_free(client->user_agent);
    g_free(client);
    curl_global_cleanup();
}

static Slot *
borrow_slot(HttpClient *client)
{
    Slot *slot = NULL;

    pthread_mutex_lock(&client->mutex);
    if (client->idle->len > 0)
        slot = g_ptr_array_steal_index_fast(client->idle, client->idle->len - 1);
    pthread_mutex_unlock(&client->mutex);
    if (slot != NULL)
        return slot;

    slot = g_new0(Slot, 1);
    slot->multi = curl_multi_init();
    slot->easy = curl_easy_init();
    if (slot->multi == NULL || slot->easy == NULL)
        g_error("could not create a curl handle");
    curl_multi_setopt(slot->multi, CURLMOPT_MAXCONNECTS, 4L);
    return slot;
}

static void
return_slot(HttpClient *client, Slot *slot)
{
    curl_easy_reset(slot->easy);
    pthread_mutex_lock(&client->mutex);
    g_ptr_array_add(client->idle, slot);
    pthread_mutex_unlock(&client->mutex);
}

static bool
is_allowed_by_name(const HttpClient *client, const struct sockaddr *address)
{
    g_autofree char *text = address_text_with_port(address);
    return g_strv_contains((const char *const *) client->allowed_addresses, text);
}

/* Why the policy forbids this address, or NULL.  Yours. */
static char *
objection(const HttpClient *client, const struct sockaddr *address)
{
    if (client->allow_private || is_allowed_by_name(client, address))
        return NULL;

    g_autofree char *text = address_text(address);
    if (!address_is_public(address))
        return g_strdup_printf("address %s is not public", text);
    if (!address_has_web_port(address))
    {
        g_autofree char *place = address_text_with_port(address);
        return g_strdup_printf("%s is not a port of the web", place);
    }
    return NULL;
}

/* Called for every connection, after the name was resolved and before a byte is sent. */
static curl_socket_t
on_open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    Exchange *exchange = data;
    (void) purpose;

    char *why = objection(exchange->client, &address->addr);
    if (why != NULL)
    {
        g_free(exchange->refused);
        exchange->refused = why;
        return CURL_SOCKET_BAD;
    }
    exchange->connected = true;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A redirect's answer is no longer of interest once another one begins. */
static void
begin_answer(Exchange *exchange)
{
    g_ptr_array_set_size(exchange->response->headers, 0);
    g_clear_pointer(&exchange->refused, g_free);
    exchange->connected = false;
}

static size_t
on_header(char *bytes, size_t size, size_t count, void *data)
{
    Exchange *exchange = data;
    const size_t length = size * count;

    exchange->header_bytes += length;
    if (exchange->header_bytes > MAX_HEADER_BYTES)
    {
        g_set_error_literal(
            &exchange->problem, VF_ERROR, VF_ERROR_BAD_INPUT, "the answer has too many headers");
        return 0;
    }
    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        begin_answer(exchange);
    else if (memchr(bytes, ':', length) != NULL)
        g_ptr_array_add(exchange->response->headers, g_strchomp(g_strndup(bytes, length)));
    return length;
}

static bool
write_all(int fd, const char *bytes, size_t length, GError **error)
{
    while (length > 0)
    {
        const ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_FAILED, "could not keep the answer: %s",
                g_strerror(errno));
            return false;
        }
        bytes += written;
        length -= (size_t) written;
    }
    return true;
}

/* The announced length tells before the first byte is kept; the counted one when the
 * server lied or said nothing. */
static bool
is_too_large(const Exchange *exchange)
{
    curl_off_t announced = -1;
    curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return announced > exchange->max_bytes || exchange->response->bytes > exchange->max_bytes;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *data)
{
    Exchange *exchange = data;
    GString *body = exchange->response->body;
    const size_t length = size * count;
    long status = 0;

    if (exchange->request->headers_only)
    {
        exchange->hung_up = true;
        return 0;
    }

    exchange->response->bytes += (gint64) length;
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (exchange->request->begun != NULL && length > 0 && status / 100 == 2)
        *exchange->request->begun = true;
    if (exchange->fd >= 0 && status / 100 != 2)
    {
        g_string_append_len(body, bytes, (gssize) MIN(length, MAX_ERROR_BODY - body->len));
        exchange->hung_up = body->len == MAX_ERROR_BODY;
        return exchange->hung_up ? 0 : length;
    }
    if (is_too_large(exchange))
    {
        g_set_error(
            &exchange->problem, VF_ERROR, VF_ERROR_BAD_INPUT,
            "the answer is larger than %" G_GINT64_FORMAT " bytes", exchange->max_bytes);
        return 0;
    }
    if (exchange->fd >= 0)
        return write_all(exchange->fd, bytes, length, &exchange->problem) ? length : 0;
    g_string_append_len(body, bytes, (gssize) length);
    return length;
}

static bool
has_header(const HttpRequest *request, const char *name)
{
    const size_t length = strlen(name);

    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        if (g_ascii_strncasecmp(request->headers[i], name, length) == 0)
            return true;
    return false;
}

/* The request's headers, and without those that curl adds by itself: "Expect" makes
 * servers that do not know it cost a second. */
static struct curl_slist *
header_list(const HttpRequest *request)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    if (!has_header(request, "content-type:"))
        list = curl_slist_append(list, "Content-Type:");
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        list = curl_slist_append(list, request->headers[i]);
    return list;
}

static void
set_method(CURL *easy, const HttpRequest *request)
{
    const char *method = request->method != NULL ? request->method : "GET";

    if (strcmp(method, "HEAD") == 0)
    {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (request->body != NULL)
    {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_bytes);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    }
    if (strcmp(method, request->body != NULL ? "POST" : "GET") != 0)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void
set_limits(CURL *easy, const HttpRequest *request)
{
    const int connect_ms = request->connect_timeout_ms > 0 ? request->connect_timeout_ms : 10000;
    const int idle_ms = request->idle_timeout_ms > 0 ? request->idle_timeout_ms : 30000;
    const int total_ms = request->total_timeout_ms > 0 ? request->total_timeout_ms : 60000;

    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) connect_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long) (idle_ms + 999) / 1000);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long) total_ms);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, request->max_redirects > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long) request->max_redirects);

    /* A name server that does not answer must not outlast a timeout or a Cancel: without
     * this curl joins its resolver thread. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
}

static void
set_policy(CURL *easy, Exchange *exchange)
{
    const HttpClient *client = exchange->client;

    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    if (client->ca_file != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
}

static void
set_callbacks(CURL *easy, Exchange *exchange)
{
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->detail);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
}

/* Runs the prepared transfer to its end, or until the Cancel. */
static CURLcode
perform(const Slot *slot, Cancel *cancel)
{
    struct curl_waitfd wish = {.fd = cancel_fd(cancel), .events = CURL_WAIT_POLLIN};
    CURLcode result = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;
    int left = 0;

    if (curl_multi_add_handle(slot->multi, slot->easy) != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (running > 0 && !cancel_requested(cancel))
    {
        if (curl_multi_perform(slot->multi, &running) != CURLM_OK)
            break;
        if (running > 0)
            curl_multi_poll(slot->multi, &wish, cancel != NULL ? 1 : 0, 1000, NULL);
    }

    const CURLMsg *message = curl_multi_info_read(slot->multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE)
        result = message->data.result;
    curl_multi_remove_handle(slot->multi, slot->easy);
    return result;
}

/* A handshake that the network broke is worth another try; a certificate is not. */
static bool
is_broken_handshake(const Exchange *exchange)
{
    static const char *const SIGNS[] = {"SYSCALL", "reset by peer", "unexpected eof"};

    for (size_t i = 0; i < G_N_ELEMENTS(SIGNS); i++)
        if (strstr(exchange->detail, SIGNS[i]) != NULL)
            return true;
    return false;
}

static void
set_connect_error(const Exchange *exchange, const char *host, GError **error)
{
    long number = 0;
    curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    g_set_error(
        error, VF_ERROR, VF_ERROR_CONNECT, "could not reach %s: %s", host,
        number != 0 ? g_strerror((int) number) : "no connection");
}

static void
set_tls_error(const Exchange *exchange, CURLcode code, const char *host, GError **error)
{
    const char *detail = exchange->detail[0] != '\0' ? exchange->detail : curl_easy_strerror(code);
    g_set_error(
        error, VF_ERROR, VF_ERROR_DENIED, "no safe (TLS) connection to %s: %s", host, detail);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        vf_error_hint(error, "if its authority is your own, name its certificate file");
}

typedef struct
{
    CURLcode code;
    VfError kind;
    const char *before_host;
    const char *after_host;
} Meaning;

static const Meaning MEANINGS[] = {
    {CURLE_COULDNT_RESOLVE_HOST, VF_ERROR_CONNECT, "could not reach ",
     ": its name cannot be resolved"},
    {CURLE_OPERATION_TIMEDOUT, VF_ERROR_CONNECT, "", " did not answer in time"},
    {CURLE_PARTIAL_FILE, VF_ERROR_CONNECT, "the answer of ", " was cut short"},
    {CURLE_GOT_NOTHING, VF_ERROR_CONNECT, "", " hung up without an answer"},
    {CURLE_RECV_ERROR, VF_ERROR_CONNECT, "the connection to ", " broke"},
    {CURLE_SEND_ERROR, VF_ERROR_CONNECT, "the connection to ", " broke"},
    {CURLE_HTTP2, VF_ERROR_CONNECT, "the connection to ", " broke"},
    {CURLE_HTTP2_STREAM, VF_ERROR_CONNECT, "the connection to ", " broke"},
    {CURLE_SSL_CONNECT_ERROR, VF_ERROR_CONNECT, "the connection to ", " broke"},
    {CURLE_TOO_MANY_REDIRECTS, VF_ERROR_BAD_INPUT, "", " redirects too often"},
    {CURLE_URL_MALFORMAT, VF_ERROR_BAD_INPUT, "the address of ", " is not well formed"},
    {CURLE_LOGIN_DENIED, VF_ERROR_BAD_INPUT, "the address of ", " has a user name in it"},
    {CURLE_UNSUPPORTED_PROTOCOL, VF_ERROR_BAD_INPUT, "the address of ",
     " is neither http nor https"},
    {CURLE_WEIRD_SERVER_REPLY, VF_ERROR_BAD_INPUT, "", " does not speak HTTP"},
};

static void
set_transfer_error(const Exchange *exchange, CURLcode code, const char *host, GError **error)
{
    /* curl has no code of its own for an answer that is no HTTP at all. */
    if (strstr(exchange->detail, "HTTP/0.9") != NULL)
        code = CURLE_WEIRD_SERVER_REPLY;

    for (size_t i = 0; i < G_N_ELEMENTS(MEANINGS); i++)
    {
        const Meaning *meaning = &MEANINGS[i];
        if (meaning->code != code)
            continue;
        g_set_error(
            error, VF_ERROR, (int) meaning->kind, "%s%s%s", meaning->before_host, host,
            meaning->after_host);
        return;
    }
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not fetch from %s: %s", host,
        curl_easy_strerror(code));
}

static bool
is_tls_code(CURLcode code)
{
    return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM ||
           code == CURLE_SSL_CIPHER || code == CURLE_SSL_ISSUER_ERROR ||
           code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_ENGINE_INITFAILED;
}

static void
set_error(Exchange *exchange, CURLcode code, GError **error)
{
    g_autofree char *host = http_host_of(exchange->response->url);

    if (exchange->problem != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&exchange->problem));
    }
    else if (exchange->refused != NULL && !exchange->connected)
    {
        g_set_error_literal(error, VF_ERROR, VF_ERROR_DENIED, exchange->refused);
        vf_error_hint(error, "--allow-private-addresses permits it");
    }
    else if (code == CURLE_COULDNT_CONNECT)
    {
        set_connect_error(exchange, host, error);
    }
    else if (is_tls_code(code) && !is_broken_handshake(exchange))
    {
        set_tls_error(exchange, code, host, error);
    }
    else
    {
        set_transfer_error(exchange, code, host, error);
    }
}

/* A line break in a value would start a header of its own. */
static bool
headers_are_sane(const HttpRequest *request, GError **error)
{
    for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
        if (strpbrk(request->headers[i], "\r\n") != NULL)
        {
            const int length = (int) strcspn(request->headers[i], ":\r\n");
            g_set_error(
                error, VF_ERROR, VF_ERROR_USAGE, "a line break in the value of the header %.*s",
                length, request->headers[i]);
            return false;
        }
    return true;
}

/* Resolving, connecting and the TLS handshake come before the request's first byte. */
static bool
nothing_was_sent(CURL *easy)
{
    long bytes = 0;
    return curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &bytes) == CURLE_OK && bytes == 0;
}

static bool
run_exchange(Exchange *exchange, const Slot *slot, Cancel *cancel, GError **error)
{
    struct curl_slist *headers = header_list(exchange->request);
    char *url = NULL;
    long status = 0;

    set_method(slot->easy, exchange->request);
    set_limits(slot->easy, exchange->request);
    set_policy(slot->easy, exchange);
    set_callbacks(slot->easy, exchange);
    curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(slot->easy, CURLOPT_URL, exchange->request->url);
    curl_easy_setopt(slot->easy, CURLOPT_PATH_AS_IS, 1L); /* what was signed is what is sent */
    curl_easy_setopt(slot->easy, CURLOPT_FRESH_CONNECT, exchange->request->once ? 1L : 0L);

    const CURLcode code = perform(slot, cancel);
    if (exchange->request->unsent != NULL)
        *exchange->request->unsent = nothing_was_sent(slot->easy);

    curl_slist_free_all(headers);
    curl_easy_getinfo(slot->easy, CURLINFO_EFFECTIVE_URL, &url);
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->response->url = g_strdup(url != NULL ? url : exchange->request->url);
    exchange->response->status = (int) status;

    if (!cancel_check(cancel, error))
        return false;
    if (code == CURLE_OK || exchange->hung_up)
        return true;
    set_error(exchange, code, error);
    return false;
}

HttpResponse *
http_fetch_to_fd(
    HttpClient *client, const HttpRequest *request, int fd, Cancel *cancel, GError **error)
{
    if (request->unsent != NULL)
        *request->unsent = true;
    if (request->begun != NULL)
        *request->begun = false;
    if (!headers_are_sane(request, error) || !cancel_check(cancel, error))
        return NULL;

    g_autoptr(HttpResponse) response = g_new0(HttpResponse, 1);
    response->headers = g_ptr_array_new_with_free_func(g_free);
    response->body = g_string_new(NULL);

    Slot *slot = borrow_slot(client);
    Exchange exchange = {
        .client = client,
        .request = request,
        .easy = slot->easy,
        .response = response,
        .fd = fd,
        .max_bytes = request->max_bytes > 0 ? request->max_bytes : DEFAULT_MAX_BYTES,
    };
    const bool ok = run_exchange(&exchange, slot, cancel, error);
    return_slot(client, slot);

    g_free(exchange.refused);
    g_clear_error(&exchange.problem);
    return ok ? g_steal_pointer(&response) : NULL;
}

HttpResponse *
http_fetch(HttpClient *client, const HttpRequest *request, Cancel *cancel, GError **error)
{
    return http_fetch_to_fd(client, request, -1, cancel, error);
}
