/*
 * http.h - one request over HTTP, with limits on everything.
 *
 * A client is a set of kept connections under one policy; many threads may use it
 * at once.  Whatever status a server gives is an answer, not an error.  Certificates
 * are always verified; proxies, .netrc and cookies are not used; addresses with a
 * user name in them are refused.  Errors name the host, never the path, a header or
 * the body: those may hold secrets.
 *
 * VF_ERROR_CONNECT    not found, refused, reset, too slow, or an answer cut short
 * VF_ERROR_DENIED     the policy forbids the address, or TLS failed
 * VF_ERROR_BAD_INPUT  not an http address, too large an answer, too many redirects
 */
#pragma once

#include "base/cancel.h"

#include <glib.h>
#include <stdbool.h>

typedef struct HttpClient HttpClient;

/*
 * What holds for every connection of a client.  It belongs to the client and not to
 * a request because a kept connection is not judged again.
 */
typedef struct
{
    bool allow_private; /* may reach any address and port, not only the public web */
    const char *const *allowed_addresses; /* "10.0.0.7:8000", …, NULL: these nevertheless */
    const char *ca_file;                  /* NULL: the system's certificates */
    const char *user_agent;               /* NULL: "vecferry/VERSION" */
} HttpPolicy;

typedef struct
{
    const char *method; /* NULL: "GET" */
    const char *url;
    const char *const *headers; /* "Name: value", …, NULL; or NULL */
    const void *body;           /* sent when not NULL */
    size_t body_bytes;

    int connect_timeout_ms; /* 0: 10 s */
    int idle_timeout_ms;    /* so long without a byte; whole seconds; 0: 30 s */
    int total_timeout_ms;   /* redirects included; 0: 60 s */
    gint64 max_bytes;       /* of the answer's body; 0: 16 MB */
    int max_redirects;      /* 0: a redirect is the answer */
    bool headers_only;      /* hangs up when the body begins */
    bool once; /* over a fresh connection: on a kept one that turns out to be closed, a request is
                  silently sent again */
    bool *unsent; /* gets true when no byte of the request left this machine; NULL: never mind */
    bool *begun;  /* gets true when a byte of a 2xx answer's body came; NULL: never mind */
} HttpRequest;

typedef struct
{
    int status;
    char *url;          /* of the last request, redirects followed */
    GPtrArray *headers; /* "Name: value" */
    GString *body;      /* may hold NUL bytes */
    gint64 bytes;       /* of the body, wherever it went */
} HttpResponse;

HttpClient *http_client_new(const HttpPolicy *policy);
void http_client_free(HttpClient *client); /* no fetch may be under way */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpClient, http_client_free)

/* Keeps the body in memory. */
HttpResponse *http_fetch(
    HttpClient *client, const HttpRequest *request, Cancel *cancel, GError **error);

/* Writes the body of a 2xx answer to fd; of any other answer the first 64 kB are kept
 * in memory. */
HttpResponse *http_fetch_to_fd(
    HttpClient *client, const HttpRequest *request, int fd, Cancel *cancel, GError **error);

void http_response_free(HttpResponse *response);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HttpResponse, http_response_free)

/* The first header of that name in any case, or NULL.  Borrowed. */
const char *http_header(const HttpResponse *response, const char *name);

/* How long the server asks to be left alone (Retry-After in seconds or as a date, or
 * retry-after-ms), at most a day; -1 when it does not say. */
gint64 http_retry_after_ms(const HttpResponse *response);

/* True for a well-formed http or https address without a user name in it. */
bool http_is_address(const char *url);

/* "example.com" or "example.com:8080": what may be said of an address.  Yours. */
char *http_host_of(const char *url);
