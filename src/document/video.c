#include "document/video.h"

#include <curl/curl.h>
#include <glib.h>
#include <stdbool.h>
#include <string.h>

#define ID_LENGTH 11

/* The hosts that the application's own loader takes for YouTube. */
static const char *const HOSTS[] = {
    "youtube.com", "www.youtube.com",          "m.youtube.com",
    "youtu.be",    "www.youtube-nocookie.com", "vid.plus",
    NULL,
};

static bool
is_id(const char *text, size_t length)
{
    if (length != ID_LENGTH)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && text[i] != '-' && text[i] != '_')
            return false;
    return true;
}

/* The value of v in "list=x&v=…&t=1". */
static char *
id_of_query(const char *query)
{
    for (const char *field = query; field != NULL; field = strchr(field, '&'))
    {
        field += *field == '&';
        const size_t length = strcspn(field, "&");
        if (strncmp(field, "v=", 2) == 0 && is_id(field + 2, length - 2))
            return g_strndup(field + 2, ID_LENGTH);
    }
    return NULL;
}

/* The last part of "/embed/…", "/shorts/…" or of a short address. */
static char *
id_of_path(const char *path)
{
    g_autofree char *trimmed = g_strdup(path);
    size_t length = strlen(trimmed);

    while (length > 0 && trimmed[length - 1] == '/')
        trimmed[--length] = '\0';
    const char *last = strrchr(trimmed, '/');
    return last != NULL && is_id(last + 1, strlen(last + 1)) ? g_strdup(last + 1) : NULL;
}

static char *
id_of_parts(CURLU *parts)
{
    char *host = NULL;
    char *path = NULL;
    char *query = NULL;
    char *id = NULL;

    curl_url_get(parts, CURLUPART_HOST, &host, 0);
    curl_url_get(parts, CURLUPART_PATH, &path, 0);
    curl_url_get(parts, CURLUPART_QUERY, &query, 0);
    g_autofree char *lower = g_ascii_strdown(host != NULL ? host : "", -1);
    if (g_strv_contains(HOSTS, lower))
        id = path != NULL && strcmp(path, "/watch") == 0 ? id_of_query(query)
                                                         : id_of_path(path != NULL ? path : "");
    curl_free(host);
    curl_free(path);
    curl_free(query);
    return id;
}

char *
video_id(const char *address)
{
    CURLU *parts = curl_url();
    char *id = NULL;

    if (parts != NULL &&
        curl_url_set(parts, CURLUPART_URL, address, CURLU_ALLOW_SPACE) == CURLUE_OK)
        id = id_of_parts(parts);
    curl_url_cleanup(parts);
    return id;
}
