/*
 * Everything here was written by strangers: the address by a user of the application,
 * the answer by whoever runs the server.  What may be reached is the business of
 * http/, which judges every connection; a page that is refused for it is a document
 * that cannot be used, no reason to stop a run.
 */
#include "base/error.h"
#include "document/document_source.h"
#include "document/unnamed_file.h"
#include "document/video.h"
#include "http/http.h"

#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MAX_BYTES (50 * 1000 * 1000LL)
#define DEFAULT_TIMEOUT_S 60
#define IDLE_TIMEOUT_MS 20000
#define MAX_REDIRECTS 5

typedef struct
{
    DocumentSource base;
    HttpClient *client;
    gint64 max_bytes;
    int timeout_s;
} WebSource;

/*
 * Addresses are kept as people write them, with spaces and umlauts; a request needs
 * them escaped.  What is escaped already stays, and so does the host's name, which
 * curl turns into its ASCII form.
 */
static char *
sendable_address(const char *address)
{
    g_autofree char *text = g_strstrip(g_strdup(address));
    const char *scheme_end = strstr(text, "://");
    const char *host = scheme_end != NULL ? scheme_end + 3 : text;
    const size_t plain = (size_t) (host - text) + strcspn(host, "/?#");
    GString *result = g_string_new_len(text, (gssize) plain);

    for (const guchar *byte = (const guchar *) text + plain; *byte != '\0' && *byte != '#'; byte++)
    {
        if (*byte <= ' ' || *byte >= 0x7f || strchr("\"<>\\^`{|}", *byte) != NULL)
            g_string_append_printf(result, "%%%02X", *byte);
        else
            g_string_append_c(result, (char) *byte);
    }
    return g_string_free(result, FALSE);
}

/* A refusal by policy or certificate concerns this document only. */
static void
excuse_denial(GError *error)
{
    if (error != NULL && g_error_matches(error, VF_ERROR, VF_ERROR_DENIED))
        error->code = VF_ERROR_BAD_INPUT;
}

/* fd -1 for a look at the headers. */
static HttpResponse *
request_page(
    const WebSource *self, const char *method, const char *address, int fd, Cancel *cancel,
    GError **error)
{
    static const char *const HEADERS[] = {
        "Accept: text/html,application/xhtml+xml,application/pdf,*/*;q=0.8", NULL};
    g_autofree char *url = sendable_address(address);
    GError *problem = NULL;
    const HttpRequest request = {
        .method = method,
        .url = url,
        .headers = HEADERS,
        .idle_timeout_ms = MIN(IDLE_TIMEOUT_MS, self->timeout_s * 1000),
        .total_timeout_ms = self->timeout_s * 1000,
        .max_bytes = self->max_bytes,
        .max_redirects = MAX_REDIRECTS,
        .headers_only = fd < 0,
    };

    HttpResponse *response = http_fetch_to_fd(self->client, &request, fd, cancel, &problem);
    excuse_denial(problem);
    if (problem != NULL)
        g_propagate_error(error, problem);
    return response;
}

static bool
is_success(int status)
{
    return status >= 200 && status <= 299 && status != 204 && status != 205 && status != 206;
}

static bool
is_passing(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static bool
check_status(const HttpResponse *response, GError **error)
{
    const int status = response->status;

    if (is_success(status))
        return true;
    if (is_passing(status))
        g_set_error(error, VF_ERROR, VF_ERROR_BUSY, "the server answered %d", status);
    else if (status == 404 || status == 410)
        g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the page is gone (%d)", status);
    else if (status == 401 || status == 403)
        g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the page is not public (%d)", status);
    else
        g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "the server answered %d", status);
    return false;
}

static DocumentFacts
facts_of(const HttpResponse *response)
{
    DocumentFacts facts = {.bytes = -1, .modified_ms = -1};
    const char *length = http_header(response, "content-length");
    const char *modified = http_header(response, "last-modified");
    guint64 bytes = 0;

    /* Zero is what servers say that do not know. */
    if (length != NULL && g_ascii_string_to_unsigned(length, 10, 1, G_MAXINT64, &bytes, NULL))
        facts.bytes = (gint64) bytes;
    if (modified != NULL)
    {
        const time_t date = curl_getdate(modified, NULL);
        facts.modified_ms = date == -1 ? -1 : (gint64) date * 1000;
    }
    return facts;
}

static bool
check_kind(const Source *source, GError **error)
{
    if (source->kind != SOURCE_URL)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "the web holds no source of the kind %s",
            source_kind_name(source->kind));
        return false;
    }

    g_autofree char *video = video_id(source->name);
    if (video != NULL)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "transcripts of videos are not supported");
        return false;
    }
    return true;
}

static bool
check_size(const WebSource *self, gint64 bytes, GError **error)
{
    if (bytes <= self->max_bytes)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "the page has %" G_GINT64_FORMAT " bytes, more than the limit of %" G_GINT64_FORMAT, bytes,
        self->max_bytes);
    return false;
}

static bool
web_probe(
    DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel,
    DocumentFacts *facts, GError **error)
{
    const WebSource *self = (const WebSource *) base;
    (void) bot;

    if (!check_kind(source, error))
        return false;
    g_autoptr(HttpResponse) response = request_page(self, "HEAD", source->name, -1, cancel, error);

    /* Many servers refuse to answer HEAD, each with a status of its own; what they say
     * to GET is what counts.  A server that asks for rest is left alone. */
    if (response != NULL && !is_success(response->status) && response->status != 429 &&
        response->status != 503)
    {
        http_response_free(response);
        response = request_page(self, "GET", source->name, -1, cancel, error);
    }
    if (response == NULL || !check_status(response, error))
        return false;
    *facts = facts_of(response);
    return check_size(self, facts->bytes, error);
}

static bool
is_token(const char *text, size_t length)
{
    if (length == 0 || length > 100)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && strchr("!#$&^_.+-/:", text[i]) == NULL)
            return false;
    return true;
}

/* The value of charset in `text/html; a=b; Charset="utf-8"`, or NULL.  Yours. */
static char *
charset_of(const char *header)
{
    for (const char *field = strchr(header, ';'); field != NULL; field = strchr(field, ';'))
    {
        field += 1 + strspn(field + 1, " \t");
        if (g_ascii_strncasecmp(field, "charset", 7) != 0)
            continue;
        const char *value = field + 7 + strspn(field + 7, " \t=\"'");
        const size_t length = strcspn(value, " \t;\"'");
        return is_token(value, length) ? g_ascii_strdown(value, (gssize) length) : NULL;
    }
    return NULL;
}

static void
read_content_type(Document *document, const HttpResponse *response)
{
    const char *header = http_header(response, "content-type");
    if (header == NULL)
        return;

    const size_t length = strcspn(header, " \t;,");
    if (is_token(header, length))
        document->content_type = g_ascii_strdown(header, (gssize) length);
    document->charset = charset_of(header);
}

/* The last part of the address's path, for its ending only. */
static char *
name_of(const char *address)
{
    g_autofree char *url = sendable_address(address);
    const char *scheme_end = strstr(url, "://");
    const char *path = strchr(scheme_end != NULL ? scheme_end + 3 : url, '/');

    if (path == NULL)
        return g_strdup("");
    g_autofree char *part = g_strndup(path, strcspn(path, "?#"));
    const char *last = strrchr(part, '/') + 1;
    char *plain = g_uri_unescape_string(last, "/");
    return plain != NULL ? plain : g_strdup(last);
}

static Document *
web_open(DocumentSource *base, const Bot *bot, const Source *source, Cancel *cancel, GError **error)
{
    const WebSource *self = (const WebSource *) base;
    (void) bot;

    if (!check_kind(source, error))
        return NULL;
    const int fd = unnamed_file_new(error);
    if (fd < 0)
        return NULL;
    g_autoptr(HttpResponse) response = request_page(self, "GET", source->name, fd, cancel, error);
    if (response == NULL || !check_status(response, error))
    {
        close(fd);
        return NULL;
    }

    g_autofree char *name = name_of(source->name);
    Document *document = document_new(unnamed_file_finish(fd), name);
    document->facts = facts_of(response);
    document->facts.bytes = response->bytes;
    read_content_type(document, response);
    return document;
}

static char *
web_label(DocumentSource *base, const Bot *bot, const Source *source)
{
    (void) base;
    (void) bot;

    char *video = source->kind == SOURCE_URL ? video_id(source->name) : NULL;
    return video != NULL ? video : g_strdup(source->name);
}

static void
web_free(DocumentSource *base)
{
    WebSource *self = (WebSource *) base;
    http_client_free(self->client);
    g_free(self);
}

DocumentSource *
web_source_new(const WebOptions *options)
{
    const HttpPolicy policy = {
        .allow_private = options->allow_private,
        .allowed_addresses = options->allowed_addresses,
        .ca_file = options->ca_file,
    };
    WebSource *self = g_new0(WebSource, 1);

    self->base = (DocumentSource){
        .probe = web_probe, .open = web_open, .label = web_label, .free = web_free};
    self->client = http_client_new(&policy);
    self->max_bytes = options->max_bytes > 0 ? options->max_bytes : DEFAULT_MAX_BYTES;
    self->timeout_s = options->timeout_s > 0 ? options->timeout_s : DEFAULT_TIMEOUT_S;
    return &self->base;
}
