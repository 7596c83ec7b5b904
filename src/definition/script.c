/*
 * A definition begins like this, and its SQL follows behind an empty line:
 *
 *     --
 *     -- TOC entry 221 (class 1259 OID 16743)
 *     -- Dependencies: 984 984
 *     -- Name: c; Type: TABLE; Schema: public; Owner: -
 *     -- Data Pos: 0
 *     --
 */
#include "definition/script.h"

#include <stdio.h>
#include <string.h>

#define BEGIN "\n--\n-- TOC entry "
#define END "\n--\n\n"
#define FOOTER "\n-- Completed on "

/* The next line of the heading, if it begins so: what follows; moves on. */
static char *
take_line(const char **at, const char *prefix)
{
    if (!g_str_has_prefix(*at, prefix))
        return NULL;
    const char *from = *at + strlen(prefix);
    const char *end = strchr(from, '\n');
    if (end == NULL)
        return NULL;
    *at = end + 1;
    return g_strndup(from, (size_t) (end - from));
}

static void
read_needs(Definition *definition, const char *numbers)
{
    g_auto(GStrv) words = g_strsplit(numbers, " ", -1);
    for (char **word = words; *word != NULL; word++)
    {
        const guint number = (guint) g_ascii_strtoull(*word, NULL, 10);
        if (number != 0 && !definition_needs(definition, number))
            g_array_append_val(definition->needs, number);
    }
}

/* "c; Type: TABLE; Schema: public; Owner: -": from the end, for a name may hold anything. */
static bool
read_names(Definition *definition, char *line)
{
    char *owner = g_strrstr(line, "; Owner: ");
    if (owner == NULL)
        return false;
    *owner = '\0';
    char *schema = g_strrstr(line, "; Schema: ");
    if (schema == NULL)
        return false;
    *schema = '\0';
    char *type = g_strrstr(line, "; Type: ");
    if (type == NULL)
        return false;
    *type = '\0';
    definition->name = g_strdup(line);
    definition->type = g_strdup(type + strlen("; Type: "));
    definition->schema = g_strdup(schema + strlen("; Schema: "));
    return true;
}

/* At the number behind BEGIN; NULL when it only looks like one.  `at` moves to the SQL. */
static Definition *
read_heading(const char **at)
{
    g_autoptr(Definition) definition = g_new0(Definition, 1);
    unsigned int class = 0;
    unsigned int oid = 0;

    definition->needs = g_array_new(FALSE, FALSE, sizeof(guint));
    if (sscanf(*at, "%u (class %u OID %u)\n", &definition->number, &class, &oid) != 3)
        return NULL;
    definition->class = class;
    definition->oid = oid;
    *at = strchr(*at, '\n') + 1;
    g_autofree char *needs = take_line(at, "-- Dependencies: ");
    g_autofree char *names = take_line(at, "-- Name: ");
    if (names == NULL || !read_names(definition, names))
        return NULL;
    if (needs != NULL)
        read_needs(definition, needs);
    g_autofree char *place = take_line(at, "-- Data Pos: ");
    if (!g_str_has_prefix(*at, END + 1))
        return NULL;
    *at += strlen(END) - 1;
    return g_steal_pointer(&definition);
}

void
script_read(const char *script, bool after_rows, GPtrArray *definitions)
{
    Definition *open = NULL;
    const char *sql = NULL;
    const char *at = script;

    while ((at = strstr(at, BEGIN)) != NULL)
    {
        const char *end = at;
        at += strlen(BEGIN);
        Definition *next = read_heading(&at);
        if (next == NULL)
            continue;
        if (open != NULL)
            open->text = g_strstrip(g_strndup(sql, (size_t) (end - sql)));
        next->after_rows = after_rows;
        g_ptr_array_add(definitions, next);
        open = next;
        sql = at;
        at--; /* the line break may begin the next heading, when there is no SQL */
    }
    if (open == NULL)
        return;
    const char *footer = g_strrstr(sql, FOOTER);
    open->text =
        g_strstrip(footer == NULL ? g_strdup(sql) : g_strndup(sql, (size_t) (footer - sql)));
}

/* The end of what begins with a quote at `at`. */
static const char *
skip_quoted(const char *at)
{
    const char quote = *at;
    for (at++; *at != '\0'; at++)
    {
        if (*at == quote && at[1] != quote)
            return at + 1;
        if (*at == quote)
            at++;
    }
    return at;
}

/* The end of a dollar quote at `at`; one further when it is none. */
static const char *
skip_dollars(const char *at)
{
    const char *end = at + 1;
    while (g_ascii_isalnum(*end) || *end == '_' || (guchar) *end >= 0x80)
        end++;
    if (*end != '$')
        return at + 1;
    g_autofree char *tag = g_strndup(at, (size_t) (end + 1 - at));
    const char *close = strstr(end + 1, tag);
    return close == NULL ? at + strlen(at) : close + strlen(tag);
}

static void
add_statement(GPtrArray *statements, const char *from, const char *end)
{
    g_autofree char *statement = g_strstrip(g_strndup(from, (size_t) (end - from)));

    if (*statement != '\0' && !g_str_has_prefix(statement, "SET SESSION AUTHORIZATION ") &&
        !g_str_has_prefix(statement, "RESET SESSION AUTHORIZATION"))
        g_ptr_array_add(statements, g_steal_pointer(&statement));
}

GPtrArray *
script_statements(const char *text)
{
    GPtrArray *statements = g_ptr_array_new_with_free_func(g_free);
    const char *from = text;
    const char *at = text;

    while (*at != '\0')
    {
        if (*at == ';')
        {
            add_statement(statements, from, at);
            from = ++at;
        }
        else if (*at == '\'' || *at == '"')
            at = skip_quoted(at);
        else
            at = *at == '$' ? skip_dollars(at) : at + 1;
    }
    add_statement(statements, from, at);
    return statements;
}
