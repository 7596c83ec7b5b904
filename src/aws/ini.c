#include "aws/ini.h"

#include "aws/keys.h"
#include "base/error.h"

#include <string.h>

#define WHITE " \t\r\f\v"

struct AwsIni
{
    GHashTable *sections; /* name → table of name → Value */
};

typedef struct
{
    GString *text;
    GHashTable *nested; /* of name → text; NULL: none */
} Value;

/* Where the reader is. */
typedef struct
{
    AwsIni *ini;
    const char *origin;
    int line;
    GHashTable *section; /* NULL before the first */
    Value *value;        /* that an indented line goes on with; NULL: none */
    size_t indent;       /* of the line with its name */
} Reader;

static void
secret_string_free(GString *string)
{
    explicit_bzero(string->str, string->len);
    g_string_free(string, TRUE);
}

static void
secret_free(void *secret)
{
    aws_secret_free(secret);
}

static void
value_free(void *data)
{
    Value *value = data;
    secret_string_free(value->text);
    g_clear_pointer(&value->nested, g_hash_table_unref);
    g_free(value);
}

static void
section_free(void *section)
{
    g_hash_table_unref(section);
}

void
aws_ini_free(AwsIni *ini)
{
    if (ini == NULL)
        return;
    g_hash_table_unref(ini->sections);
    g_free(ini);
}

static bool
fail(const Reader *reader, const char *what, GError **error)
{
    g_set_error(
        error, VF_ERROR, VF_ERROR_USAGE, "%s, line %d: %s", reader->origin, reader->line, what);
    return false;
}

/* `profile  "my own"` is the section "profile my own". */
static char *
section_name(const char *header)
{
    g_autofree char *text = g_strstrip(g_strdup(header));
    const size_t first = strcspn(text, WHITE);
    const char *rest = text + first + strspn(text + first, WHITE);

    if (*rest == '\0')
        return g_steal_pointer(&text);
    g_autofree char *unquoted = *rest == '"' || *rest == '\'' ? g_shell_unquote(rest, NULL) : NULL;
    return g_strdup_printf("%.*s %s", (int) first, text, unquoted != NULL ? unquoted : rest);
}

/* After the bracket only a comment may come. */
static bool
begin_section(Reader *reader, const char *line, GError **error)
{
    const char *end = strchr(line, ']');

    if (end == NULL)
        return fail(reader, "a section without its closing bracket", error);
    const char after = end[1 + strspn(end + 1, WHITE)];
    if (after != '\0' && after != '#' && after != ';')
        return fail(reader, "text behind the name of a section", error);
    g_autofree char *header = g_strndup(line + 1, (size_t) (end - line - 1));
    g_autofree char *name = section_name(header);
    if (*name == '\0')
        return fail(reader, "a section without a name", error);

    reader->value = NULL;
    reader->section = g_hash_table_lookup(reader->ini->sections, name);
    if (reader->section == NULL)
    {
        reader->section = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, value_free);
        g_hash_table_insert(reader->ini->sections, g_steal_pointer(&name), reader->section);
    }
    return true;
}

/* Splits at the first "=" or ":"; the line is spoilt.  False when there is none, or no name. */
static bool
split_setting(char *line, char **name, char **value)
{
    char *mark = strpbrk(line, "=:");

    if (mark == NULL || mark == line)
        return false;
    *mark = '\0';
    *value = g_strstrip(mark + 1);
    *name = g_ascii_strdown(g_strstrip(line), -1);
    return true;
}

static bool
add_setting(Reader *reader, char *line, size_t indent, GError **error)
{
    g_autofree char *name = NULL;
    char *text;

    if (reader->section == NULL)
        return fail(reader, "a setting before the first section", error);
    if (!split_setting(line, &name, &text))
        return fail(reader, "neither a section nor a setting (name = value)", error);
    reader->value = g_new0(Value, 1);
    reader->value->text = g_string_new(text);
    reader->indent = indent;
    g_hash_table_replace(reader->section, g_steal_pointer(&name), reader->value);
    return true;
}

static bool
go_on(Reader *reader, char *line, GError **error)
{
    Value *value = reader->value;
    g_autofree char *name = NULL;
    char *text;

    if (value->text->len > 0)
    {
        /* A string that grows would leave a copy of itself behind. */
        GString *longer = g_string_sized_new(value->text->len + strlen(line) + 2);
        g_string_append_printf(longer, "%s\n%s", value->text->str, line);
        secret_string_free(value->text);
        value->text = longer;
        return true;
    }
    if (!split_setting(line, &name, &text))
        return fail(reader, "not a nested setting (name = value)", error);
    if (value->nested == NULL)
        value->nested = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_free);
    g_hash_table_replace(value->nested, g_steal_pointer(&name), g_strdup(text));
    return true;
}

static bool
read_line(Reader *reader, char *line, GError **error)
{
    const size_t indent = strspn(line, WHITE);

    reader->line++;
    g_strstrip(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return true;
    if (reader->value != NULL && indent > reader->indent)
        return go_on(reader, line, error);
    if (*line == '[')
        return begin_section(reader, line, error);
    return add_setting(reader, line, indent, error);
}

AwsIni *
aws_ini_read(const char *text, size_t length, const char *origin, GError **error)
{
    g_autoptr(AwsIni) ini = g_new0(AwsIni, 1);
    ini->sections = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, section_free);
    Reader reader = {.ini = ini, .origin = origin};
    g_autoptr(AwsSecret) copy = g_strndup(text, length);

    if (strlen(copy) != length)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "%s is not a text file", origin);
        explicit_bzero(copy, length);
        return NULL;
    }
    char *line = g_str_has_prefix(copy, "\357\273\277") ? copy + 3 : copy;
    while (line != NULL)
    {
        char *next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        const size_t line_length = strlen(line);
        const bool read = read_line(&reader, line, error);
        explicit_bzero(line, line_length);
        if (!read)
        {
            if (next != NULL)
                explicit_bzero(next, strlen(next));
            return NULL;
        }
        line = next;
    }
    return g_steal_pointer(&ini);
}

bool
aws_ini_has(const AwsIni *ini, const char *section)
{
    return g_hash_table_contains(ini->sections, section);
}

static const Value *
find_value(const AwsIni *ini, const char *section, const char *name)
{
    GHashTable *table = g_hash_table_lookup(ini->sections, section);
    return table != NULL ? g_hash_table_lookup(table, name) : NULL;
}

const char *
aws_ini_value(const AwsIni *ini, const char *section, const char *name)
{
    const Value *value = find_value(ini, section, name);
    return value != NULL && value->text->len > 0 ? value->text->str : NULL;
}

const char *
aws_ini_nested(const AwsIni *ini, const char *section, const char *group, const char *name)
{
    const Value *value = find_value(ini, section, group);
    return value != NULL && value->nested != NULL ? g_hash_table_lookup(value->nested, name) : NULL;
}
