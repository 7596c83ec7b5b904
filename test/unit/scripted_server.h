/*
 * scripted_server.h - a small HTTP server inside the test, which says exactly the
 * bytes it is told to, right or wrong.
 *
 * One thread per connection; a script answers one request and returns whether the
 * connection is kept.  Requests are remembered, to be looked at after the test.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
    char *method;
    char *path;
    char *head; /* request line and headers */
    GString *body;
} ServedRequest;

typedef bool (*Script)(int fd, const ServedRequest *request, void *data);

typedef struct
{
    int fd;
    int port;
    Script script;
    void *data;

    atomic_bool stopping;
    atomic_int connections;
    pthread_t acceptor;
    pthread_mutex_t mutex;
    GArray *threads;     /* of pthread_t; guarded by the mutex */
    GPtrArray *requests; /* of ServedRequest; guarded by the mutex */
} Server;

typedef struct
{
    Server *server;
    int fd;
} ServerConnection;

/* Says text on the connection; a client that hung up is no error. */
static inline void
say(int fd, const char *text)
{
    size_t length = strlen(text);
    while (length > 0)
    {
        const ssize_t sent = send(fd, text, length, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        length -= (size_t) sent;
    }
}

static inline void
say_answer(int fd, const char *status, const char *headers, const char *body)
{
    g_autofree char *text = g_strdup_printf(
        "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);
    say(fd, text);
}

/* Waits for the client to hang up, or so long. */
static inline void
stay_silent(int fd, int ms)
{
    struct pollfd wish = {.fd = fd, .events = POLLIN};
    poll(&wish, 1, ms);
}

static inline void
served_request_free(void *data)
{
    ServedRequest *request = data;
    g_free(request->method);
    g_free(request->path);
    g_free(request->head);
    g_string_free(request->body, TRUE);
    g_free(request);
}

/* The next request of a connection, or NULL at its end. */
static inline ServedRequest *
read_request(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buffer[4096];
    const char *end = NULL;
    size_t wanted = 0;

    while (end == NULL || text->len < wanted)
    {
        const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got <= 0)
            return NULL;
        g_string_append_len(text, buffer, got);
        end = strstr(text->str, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *length = strcasestr(text->str, "\r\ncontent-length:");
        wanted = (size_t) (end + 4 - text->str) +
                 (length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }

    ServedRequest *request = g_new0(ServedRequest, 1);
    const size_t head = (size_t) (end + 2 - text->str);
    g_auto(GStrv) words = g_strsplit(text->str, " ", 3);
    request->method = g_strdup(words[0]);
    request->path = g_strdup(words[1]);
    request->head = g_strndup(text->str, head);
    request->body = g_string_new_len(text->str + head + 2, (gssize) (text->len - head - 2));
    return request;
}

static inline void *
serve_connection(void *data)
{
    g_autofree ServerConnection *connection = data;
    Server *server = connection->server;
    bool keep = true;

    while (keep && !atomic_load(&server->stopping))
    {
        struct pollfd wish = {.fd = connection->fd, .events = POLLIN};
        if (poll(&wish, 1, 20) == 0)
            continue;
        ServedRequest *request = read_request(connection->fd);
        if (request == NULL)
            break;
        pthread_mutex_lock(&server->mutex);
        g_ptr_array_add(server->requests, request);
        pthread_mutex_unlock(&server->mutex);
        keep = server->script(connection->fd, request, server->data);
    }
    close(connection->fd);
    return NULL;
}

static inline void *
accept_connections(void *data)
{
    Server *server = data;

    while (!atomic_load(&server->stopping))
    {
        struct pollfd wish = {.fd = server->fd, .events = POLLIN};
        if (poll(&wish, 1, 20) <= 0)
            continue;
        const int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;

        ServerConnection *connection = g_new0(ServerConnection, 1);
        pthread_t thread;
        connection->server = server;
        connection->fd = fd;
        atomic_fetch_add(&server->connections, 1);
        g_assert_cmpint(pthread_create(&thread, NULL, serve_connection, connection), ==, 0);
        g_array_append_val(server->threads, thread);
    }
    return NULL;
}

static inline Server *
server_start(Script script, void *data)
{
    Server *server = g_new0(Server, 1);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;

    server->script = script;
    server->data = data;
    server->threads = g_array_new(FALSE, FALSE, sizeof(pthread_t));
    server->requests = g_ptr_array_new_with_free_func(served_request_free);
    pthread_mutex_init(&server->mutex, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(server->fd, (struct sockaddr *) &address, length), ==, 0);
    g_assert_cmpint(listen(server->fd, 64), ==, 0);
    g_assert_cmpint(getsockname(server->fd, (struct sockaddr *) &address, &length), ==, 0);
    server->port = ntohs(address.sin_port);
    g_assert_cmpint(pthread_create(&server->acceptor, NULL, accept_connections, server), ==, 0);
    return server;
}

static inline void
server_stop(Server *server)
{
    atomic_store(&server->stopping, true);
    pthread_join(server->acceptor, NULL);
    for (guint i = 0; i < server->threads->len; i++)
        pthread_join(g_array_index(server->threads, pthread_t, i), NULL);
    close(server->fd);
    g_array_unref(server->threads);
    g_ptr_array_unref(server->requests);
    pthread_mutex_destroy(&server->mutex);
    g_free(server);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Server, server_stop)

/* The address of a path on the server.  Yours. */
static inline char *
server_url(const Server *server, const char *path)
{
    return g_strdup_printf("http://127.0.0.1:%d%s", server->port, path);
}

/* The request number i that was served.  Borrowed. */
static inline const ServedRequest *
served(Server *server, guint i)
{
    pthread_mutex_lock(&server->mutex);
    g_assert_cmpuint(i, <, server->requests->len);
    const ServedRequest *request = server->requests->pdata[i];
    pthread_mutex_unlock(&server->mutex);
    return request;
}
