#include "base/secret.h"

#include <string.h>

/* The password's place in `postgresql://user:password@host`; false when there is none. */
static bool
find_uri_password(char *url, char **start, char **end)
{
    char *scheme = strstr(url, "://");
    if (scheme == NULL)
        return false;
    char *authority = scheme + 3;
    char *at = authority + strcspn(authority, "/?");
    while (at > authority && *at != '@')
        at--;
    char *colon = memchr(authority, ':', (size_t) (at - authority));
    if (*at != '@' || colon == NULL)
        return false;
    *start = colon + 1;
    *end = at;
    return true;
}

/* The password's place in `password=…` of either form. */
static bool
find_keyword_password(char *url, char **start, char **end)
{
    char *keyword = strstr(url, "password=");
    if (keyword == NULL)
        return false;
    *start = keyword + strlen("password=");
    *end = *start + (**start == '\'' ? strlen(*start) : strcspn(*start, " &"));
    return true;
}

bool
secret_hide_password(char *url)
{
    char *start = NULL;
    char *end = NULL;

    if (!find_uri_password(url, &start, &end) && !find_keyword_password(url, &start, &end))
        return false;
    memset(start, 'x', (size_t) (end - start));
    return end > start;
}
