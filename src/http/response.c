#include "http/http.h"

#include <curl/curl.h>
#include <math.h>
#include <string.h>
#include <time.h>

#define DAY_MS (24 * 60 * 60 * 1000LL)

void
http_response_free(HttpResponse *response)
{
    if (response == NULL)
        return;
    g_free(response->url);
    g_ptr_array_unref(response->headers);
    g_string_free(response->body, TRUE);
    g_free(response);
}

const char *
http_header(const HttpResponse *response, const char *name)
{
    const size_t length = strlen(name);

    for (guint i = 0; i < response->headers->len; i++)
    {
        const char *line = response->headers->pdata[i];
        if (g_ascii_strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    }
    return NULL;
}

/* A number of that many milliseconds each; -1 when it is not a number. */
static gint64
bounded_ms(const char *text, double unit_ms)
{
    char *end = NULL;
    const double number = text != NULL ? g_ascii_strtod(text, &end) : -1;

    if (text == NULL || end == text || *end != '\0' || !(number >= 0))
        return -1;
    return (gint64) fmin(number * unit_ms, (double) DAY_MS);
}

gint64
http_retry_after_ms(const HttpResponse *response)
{
    const gint64 wish_ms = bounded_ms(http_header(response, "retry-after-ms"), 1);
    if (wish_ms >= 0)
        return wish_ms;

    const char *text = http_header(response, "retry-after");
    const gint64 seconds_ms = bounded_ms(text, 1000);
    if (text == NULL || seconds_ms >= 0)
        return seconds_ms;

    const time_t date = curl_getdate(text, NULL);
    if (date == -1)
        return -1;
    return CLAMP(((gint64) date - (gint64) time(NULL)) * 1000, 0, DAY_MS);
}

bool
http_is_address(const char *url)
{
    CURLU *parts = curl_url();
    char *scheme = NULL;
    const bool is_url = parts != NULL &&
                        curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
                        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
    const bool is_web = is_url && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

    curl_free(scheme);
    curl_url_cleanup(parts);
    return is_web;
}

char *
http_host_of(const char *url)
{
    CURLU *parts = curl_url();
    char *host = NULL;
    char *port = NULL;
    char *result = NULL;

    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
    {
        const bool has_port = curl_url_get(parts, CURLUPART_PORT, &port, 0) == CURLUE_OK;
        result =
            has_port ? g_strdup_printf("%.255s:%s", host, port) : g_strdup_printf("%.255s", host);
    }
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return result != NULL ? result : g_strdup("the server");
}
