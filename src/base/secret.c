#include "base/secret.h"

#include <glib.h>
#include <string.h>

static bool
blot_out(char *start, const char *end)
{
    memset(start, 'x', (size_t) (end - start));
    return end > start;
}

/*
 * What stands between the user's ':' and the last '@' that cannot belong to the parameters.  A
 * password with a bare '@', '/' or '?' is not understood as one, but it is one all the same.
 */
static bool
hide_in_user(char *url)
{
    char *scheme = strstr(url, "://");
    if (scheme == NULL)
        return false;
    char *user = scheme + strlen("://");
    char *colon = user + strcspn(user, ":/?[");
    const char *sign = user + strcspn(user, "@/");
    const char *from = *sign == '@' ? sign : user;
    const char *at = from + strcspn(from, "?");

    if (*colon != ':')
        return false;
    while (at > colon && *at != '@')
        at--;
    return at > colon && blot_out(colon + 1, at);
}

static int
hex_value(const char *two)
{
    const int high = g_ascii_xdigit_value(two[0]);
    const int low = high < 0 ? -1 : g_ascii_xdigit_value(two[1]);
    return low < 0 ? -1 : high << 4 | low;
}

/* Whether the name that ends here is some kind of password; its letters may be %-encoded. */
static bool
is_password(const char *start, const char *end)
{
    static const char NAME[] = "password";
    size_t left = strlen(NAME);

    while (left > 0 && end > start)
    {
        const bool encoded = end - start >= 3 && end[-3] == '%' && hex_value(end - 2) >= 0;
        const int letter = encoded ? hex_value(end - 2) : end[-1];
        if (letter != NAME[left - 1])
            return false;
        end -= encoded ? 3 : 1;
        left--;
    }
    return left == 0;
}

/* The end of a value in the form of keywords: quotes hold blanks, backslashes hold anything. */
static const char *
end_of_value(const char *value)
{
    const bool quoted = *value == '\'';
    const char *at = quoted ? value + 1 : value;

    for (; *at != '\0'; at++)
    {
        if (*at == '\\' && at[1] != '\0')
            at++;
        else if (quoted && *at == '\'')
            return at + 1;
        else if (!quoted && g_ascii_isspace(*at))
            return at;
    }
    return at;
}

/* Every `password=…` of either form. */
static bool
hide_in_parameters(char *url)
{
    const char *scheme = strstr(url, "://");
    const bool is_uri = scheme != NULL && url + strcspn(url, " \t\r\n") > scheme;
    bool hidden = false;

    for (char *equals = url; (equals = strchr(equals, '=')) != NULL;)
    {
        const char *name_end = equals;
        while (name_end > url && g_ascii_isspace(name_end[-1]))
            name_end--;
        char *value = ++equals;
        if (!is_password(url, name_end))
            continue;
        value += strspn(value, " \t\r\n");
        const char *end = is_uri ? value + strcspn(value, "&") : end_of_value(value);
        hidden = blot_out(value, end) || hidden;
        equals = value + (end - value);
    }
    return hidden;
}

bool
secret_hide_password(char *url)
{
    const bool in_parameters = hide_in_parameters(url);
    return hide_in_user(url) || in_parameters;
}

/*
 * The end of the address that begins with this scheme.  A password of PostgreSQL may hold blanks
 * and quotes that should be encoded, so its address is taken to reach as far as the line.
 */
static char *
end_of_address(const char *start, char *scheme)
{
    const bool is_postgres = g_strstr_len(start, scheme - start, "postgres") != NULL;
    return scheme + strcspn(scheme, is_postgres ? "\r\n" : " \t\r\n\"");
}

static void
hide_in_stretch(char *start, char *end)
{
    const char kept = *end;
    *end = '\0';
    secret_hide_password(start);
    *end = kept;
}

char *
secret_hidden(const char *text)
{
    char *hidden = g_strdup(text);
    char *at = hidden;

    for (char *scheme; (scheme = strstr(at, "://")) != NULL;)
    {
        char *start = scheme;
        while (start > at && strchr(" \t\r\n\"", start[-1]) == NULL)
            start--;
        char *end = end_of_address(start, scheme);
        hide_in_stretch(at, start);
        hide_in_stretch(start, end);
        at = end;
    }
    secret_hide_password(at);
    return hidden;
}
