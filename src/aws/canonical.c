#include "aws/canonical.h"

#include <string.h>

#define WHITE " \t\r\n\f\v"

typedef struct
{
    char *name;
    GString *value;
} Header;

static void
header_free(void *data)
{
    Header *header = data;
    g_free(header->name);
    explicit_bzero(header->value->str, header->value->len);
    g_string_free(header->value, TRUE);
    g_free(header);
}

void
canonical_headers_clear(CanonicalHeaders *headers)
{
    aws_secret_free(headers->lines); /* the session token is among them */
    g_free(headers->names);
    *headers = (CanonicalHeaders){0};
}

static bool
is_unreserved(char byte)
{
    return g_ascii_isalnum(byte) || byte == '-' || byte == '_' || byte == '.' || byte == '~';
}

static void
append_encoded(GString *out, const char *bytes, size_t length, bool keep_slash)
{
    for (size_t i = 0; i < length; i++)
    {
        if (is_unreserved(bytes[i]) || (keep_slash && bytes[i] == '/'))
            g_string_append_c(out, bytes[i]);
        else
            g_string_append_printf(out, "%%%02X", (unsigned) (guchar) bytes[i]);
    }
}

char *
aws_encode(const char *text, bool keep_slash)
{
    GString *out = g_string_new(NULL);

    append_encoded(out, text, strlen(text), keep_slash);
    return g_string_free(out, FALSE);
}

/* A "%" that begins no escape stands for itself. */
static void
append_reencoded(GString *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
    {
        char byte = text[i];
        if (byte == '%' && i + 2 < length && g_ascii_isxdigit(text[i + 1]) &&
            g_ascii_isxdigit(text[i + 2]))
        {
            const int value =
                g_ascii_xdigit_value(text[i + 1]) * 16 + g_ascii_xdigit_value(text[i + 2]);
            byte = (char) value;
            i += 2;
        }
        append_encoded(out, &byte, 1, false);
    }
}

/* ------------------------------------------------------------------------------------------ */

/* Dot segments and empty ones removed. */
static char *
normal_path(const char *path)
{
    g_auto(GStrv) segments = g_strsplit(path, "/", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    GString *out = g_string_new("/");

    for (size_t i = 0; segments[i] != NULL; i++)
    {
        if (strcmp(segments[i], "..") == 0)
            g_ptr_array_set_size(kept, (int) kept->len - (kept->len > 0 ? 1 : 0));
        else if (*segments[i] != '\0' && strcmp(segments[i], ".") != 0)
            g_ptr_array_add(kept, segments[i]);
    }
    for (guint i = 0; i < kept->len; i++)
        g_string_append_printf(out, "%s%s", i > 0 ? "/" : "", (const char *) kept->pdata[i]);
    if (kept->len > 0 && g_str_has_suffix(path, "/"))
        g_string_append_c(out, '/');
    return g_string_free(out, FALSE);
}

char *
canonical_path(const char *path, AwsPathRule rule)
{
    if (path == NULL || *path == '\0')
        return g_strdup("/");
    if (rule == AWS_PATH_S3)
        return g_strdup(path);
    g_autofree char *normal = normal_path(path);
    return aws_encode(normal, true);
}

/* ------------------------------------------------------------------------------------------ */

/* By name, then by value: "a=" must come before "a-b=", and '=' is the greater byte. */
static int
compare_parameters(const void *one, const void *other)
{
    const char *const *a = *(const char *const *const *) one;
    const char *const *b = *(const char *const *const *) other;
    const int names = strcmp(a[0], b[0]);
    return names != 0 ? names : strcmp(a[1], b[1]);
}

/* A pair of name and value. */
static char **
parameter_new(const char *text)
{
    const size_t length = strlen(text);
    const char *equals = memchr(text, '=', length);
    const size_t name_length = equals != NULL ? (size_t) (equals - text) : length;
    GString *name = g_string_new(NULL);
    GString *value = g_string_new(NULL);

    append_reencoded(name, text, name_length);
    if (equals != NULL)
        append_reencoded(value, equals + 1, length - name_length - 1);
    char **parameter = g_new0(char *, 3);
    parameter[0] = g_string_free(name, FALSE);
    parameter[1] = g_string_free(value, FALSE);
    return parameter;
}

static void
parameter_free(void *parameter)
{
    g_strfreev(parameter);
}

char *
canonical_query(const char *query)
{
    g_auto(GStrv) parts = g_strsplit(query != NULL ? query : "", "&", -1);
    g_autoptr(GPtrArray) parameters = g_ptr_array_new_with_free_func(parameter_free);
    GString *out = g_string_new(NULL);

    for (size_t i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
            g_ptr_array_add(parameters, parameter_new(parts[i]));
    g_ptr_array_sort(parameters, compare_parameters);
    for (guint i = 0; i < parameters->len; i++)
    {
        const char *const *parameter = parameters->pdata[i];
        g_string_append_printf(out, "%s%s=%s", i > 0 ? "&" : "", parameter[0], parameter[1]);
    }
    return g_string_free(out, FALSE);
}

/* ------------------------------------------------------------------------------------------ */

/* What a proxy may add, change or take away, and what names the client. */
static bool
is_signed(const char *name)
{
    static const char *const UNSIGNED[] = {
        "authorization", "connection",        "expect",  "keep-alive",      "te", "trailer",
        "user-agent",    "transfer-encoding", "upgrade", "x-amzn-trace-id", NULL,
    };
    return !g_strv_contains(UNSIGNED, name) && !g_str_has_prefix(name, "proxy-");
}

/* Without white space around it, and one blank for any within. */
static void
append_value(GString *out, const char *value)
{
    bool first = true;

    for (value += strspn(value, WHITE); *value != '\0'; value += strspn(value, WHITE))
    {
        const size_t word = strcspn(value, WHITE);
        if (!first)
            g_string_append_c(out, ' ');
        g_string_append_len(out, value, (gssize) word);
        value += word;
        first = false;
    }
}

/* One name's values are joined in their order. */
static void
add_header(GPtrArray *headers, const char *name, const char *value)
{
    for (guint i = 0; i < headers->len; i++)
    {
        const Header *known = headers->pdata[i];
        if (strcmp(known->name, name) == 0)
        {
            g_string_append_c(known->value, ',');
            append_value(known->value, value);
            return;
        }
    }
    Header *header = g_new0(Header, 1);
    header->name = g_strdup(name);
    header->value = g_string_new(NULL);
    append_value(header->value, value);
    g_ptr_array_add(headers, header);
}

static void
add_headers(GPtrArray *headers, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
    {
        const char *colon = strchr(list[i], ':');
        if (colon == NULL)
            continue;
        g_autofree char *spelled = g_strndup(list[i], (size_t) (colon - list[i]));
        g_autofree char *name = g_ascii_strdown(g_strstrip(spelled), -1);
        if (is_signed(name))
            add_header(headers, name, colon + 1);
    }
}

static int
compare_headers(const void *one, const void *other)
{
    const Header *a = *(const Header *const *) one;
    const Header *b = *(const Header *const *) other;
    return strcmp(a->name, b->name);
}

CanonicalHeaders
canonical_headers(const char *host, const char *const *headers)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(header_free);
    GString *lines = g_string_sized_new(2048); /* so that no copy stays behind when it grows */
    GString *names = g_string_new(NULL);

    add_header(list, "host", host);
    add_headers(list, headers);
    g_ptr_array_sort(list, compare_headers);
    for (guint i = 0; i < list->len; i++)
    {
        const Header *header = list->pdata[i];
        g_string_append_printf(lines, "%s:%s\n", header->name, header->value->str);
        g_string_append_printf(names, "%s%s", i > 0 ? ";" : "", header->name);
    }
    return (CanonicalHeaders){g_string_free(lines, FALSE), g_string_free(names, FALSE)};
}

/* ------------------------------------------------------------------------------------------ */

char *
canonical_request(
    const AwsSignable *request, const char *query, AwsPathRule rule,
    const CanonicalHeaders *headers, const char *payload)
{
    g_autofree char *path = canonical_path(request->path, rule);
    g_autofree char *parameters = canonical_query(query);

    return g_strdup_printf(
        "%s\n%s\n%s\n%s\n%s\n%s", request->method, path, parameters, headers->lines, headers->names,
        payload);
}
