#include "catalogue/attribute.h"

#include "base/error.h"
#include "catalogue/quote.h"

#include <math.h>
#include <string.h>

enum
{
    MAX_NUMBER_BYTES = 64, /* DynamoDB has 38 digits and an exponent */
};

static const struct
{
    const char *tag;
    const char *meaning;
} TYPES[] = {
    {"S", "a text"},
    {"N", "a number"},
    {"B", "binary"},
    {"BOOL", "true or false"},
    {"M", "a map"},
    {"L", "a list"},
    {"SS", "a set of texts"},
    {"NS", "a set of numbers"},
    {"BS", "a set of binaries"},
    {"NULL", "NULL"},
};

/* The tag of a value and what it wraps, or NULL when it has not DynamoDB's form. */
static const char *
unwrap(const Json *value, const Json **content)
{
    if (json_object_size(value) != 1)
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(TYPES); i++)
    {
        *content = json_object_get(value, TYPES[i].tag);
        if (*content != NULL)
            return TYPES[i].tag;
    }
    return NULL;
}

static const char *
meaning_of(const char *tag)
{
    for (size_t i = 0; i < G_N_ELEMENTS(TYPES); i++)
        if (strcmp(TYPES[i].tag, tag) == 0)
            return TYPES[i].meaning;
    g_assert_not_reached();
}

static bool
wrong(const char *path, const char *fault, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "%s %s", path, fault);
    return false;
}

static bool
wrong_type(const char *path, const char *tag, const char *expected, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT, "%s is %s, not %s", path,
        tag != NULL ? meaning_of(tag) : "not a value of DynamoDB", meaning_of(expected));
    return false;
}

static char *
path_of(const Attributes *attributes, const char *name)
{
    return g_strconcat(
        attributes->name != NULL ? attributes->name : "", attributes->name != NULL ? "." : "", name,
        NULL);
}

/* What the attribute wraps, when it is of that type; NULL when it is absent or NULL. */
static bool
look_up(
    const Attributes *attributes, const char *name, const char *expected, const Json **content,
    GError **error)
{
    const Json *value = json_object_get(attributes->members, name);
    const char *tag = unwrap(value, content);

    if (g_strcmp0(tag, expected) == 0)
        return true;

    *content = NULL;
    if (value == NULL || g_strcmp0(tag, "NULL") == 0)
        return true;
    g_autofree char *path = path_of(attributes, name);
    return wrong_type(path, tag, expected, error);
}

/* The text of a string's content: S, N and members of SS are JSON strings. */
static bool
text_of(const Json *content, const char *path, const char **text, GError **error)
{
    const char *value = json_string_value(content);

    if (value == NULL)
        return wrong(path, "is not a value of DynamoDB", error);
    if (strlen(value) != json_string_length(content))
        return wrong(path, "holds a NUL character", error);
    *text = value;
    return true;
}

bool
attribute_text(const Attributes *attributes, const char *name, const char **value, GError **error)
{
    const Json *content = NULL;

    if (!look_up(attributes, name, "S", &content, error))
        return false;
    if (content == NULL)
        return true;
    g_autofree char *path = path_of(attributes, name);
    return text_of(content, path, value, error);
}

/* A finite decimal number with sign, point and exponent: not all that strtod takes. */
static bool
parse_decimal(const char *text, double *number)
{
    const size_t bytes = strlen(text);
    char *end = NULL;

    if (bytes == 0 || bytes > MAX_NUMBER_BYTES || strspn(text, "+-.0123456789eE") != bytes)
        return false;
    *number = g_ascii_strtod(text, &end);
    return end == text + bytes && isfinite(*number);
}

bool
attribute_number(const Attributes *attributes, const char *name, double *value, GError **error)
{
    const Json *content = NULL;
    const char *text = NULL;

    if (!look_up(attributes, name, "N", &content, error))
        return false;
    if (content == NULL)
        return true;

    g_autofree char *path = path_of(attributes, name);
    if (!text_of(content, path, &text, error))
        return false;

    double number = 0;
    if (!parse_decimal(text, &number))
    {
        g_autofree char *quoted = quote_text(text);
        g_autofree char *fault = g_strdup_printf("is %s, not a number", quoted);
        return wrong(path, fault, error);
    }
    *value = number;
    return true;
}

bool
attribute_flag(const Attributes *attributes, const char *name, bool *value, GError **error)
{
    const Json *content = NULL;

    if (!look_up(attributes, name, "BOOL", &content, error))
        return false;
    if (content == NULL)
        return true;
    if (!json_is_boolean(content))
    {
        g_autofree char *path = path_of(attributes, name);
        return wrong(path, "is not a value of DynamoDB", error);
    }
    *value = json_is_true(content);
    return true;
}

bool
attribute_map(const Attributes *attributes, const char *name, Attributes *value, GError **error)
{
    const Json *content = NULL;

    if (!look_up(attributes, name, "M", &content, error))
        return false;
    if (content != NULL && !json_is_object(content))
    {
        g_autofree char *path = path_of(attributes, name);
        return wrong(path, "is not a value of DynamoDB", error);
    }
    *value = (Attributes){.members = content, .name = name};
    return true;
}

/* One member of a list, `{"S": "text"}`, or of a set, `"text"`. */
static bool
add_text(const Json *member, bool in_set, const char *path, GPtrArray *values, GError **error)
{
    const Json *content = member;
    const char *tag = in_set ? "S" : unwrap(member, &content);
    const char *text = NULL;

    if (g_strcmp0(tag, "S") != 0)
        return wrong_type(path, tag, "S", error);
    if (!text_of(content, path, &text, error))
        return false;
    if (*text == '\0')
        return wrong(path, "is empty", error);
    g_ptr_array_add(values, g_strdup(text));
    return true;
}

bool
attribute_texts(const Attributes *attributes, const char *name, GPtrArray *values, GError **error)
{
    const Json *set = json_object_get(json_object_get(attributes->members, name), "SS");
    const Json *content = NULL;

    if (!look_up(attributes, name, set != NULL ? "SS" : "L", &content, error))
        return false;
    if (content == NULL)
        return true;

    g_autofree char *path = path_of(attributes, name);
    if (!json_is_array(content))
        return wrong(path, "is not a value of DynamoDB", error);
    for (size_t i = 0; i < json_array_size(content); i++)
    {
        g_autofree char *member_path = g_strdup_printf("%s[%zu]", path, i);
        if (!add_text(json_array_get(content, i), set != NULL, member_path, values, error))
            return false;
    }
    return true;
}

bool
attribute_exists(const Attributes *attributes, const char *name)
{
    return json_object_get(attributes->members, name) != NULL;
}
