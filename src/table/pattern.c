#include "table/pattern.h"

#include "base/error.h"

#include <string.h>

/* What means something in a regular expression. */
#define SPECIAL "|*+?()[]{}.^$\\"

void
pattern_clear(Pattern *pattern)
{
    g_clear_pointer(&pattern->schema, g_free);
    g_clear_pointer(&pattern->name, g_free);
}

static void
add_quoted(GString *regex, char letter)
{
    if (strchr(SPECIAL, letter) != NULL)
        g_string_append_c(regex, '\\');
    g_string_append_c(regex, letter);
}

static void
add_bare(GString *regex, char letter)
{
    if (letter == '*')
        g_string_append(regex, ".*");
    else if (letter == '?')
        g_string_append_c(regex, '.');
    else if (letter == '$')
        g_string_append(regex, "\\$");
    else
        g_string_append_c(regex, g_ascii_tolower(letter));
}

static char *
anchored(const GString *regex)
{
    return g_strdup_printf("^(%s)$", regex->str);
}

static bool
refuse(const char *text, const char *reason, GError **error)
{
    g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "pattern \"%s\" %s", text, reason);
    vf_error_hint(error, "a name with a dot or a quote is written in double quotes: \"my.table\"");
    return false;
}

bool
pattern_parse(const char *text, Pattern *pattern, GError **error)
{
    g_autoptr(GString) regex = g_string_new(NULL);
    g_auto(Pattern) parsed = {0};
    bool quoted = false;

    for (const char *at = text; *at != '\0'; at++)
    {
        if (*at == '"' && quoted && at[1] == '"')
            g_string_append_c(regex, *at++);
        else if (*at == '"')
            quoted = !quoted;
        else if (quoted)
            add_quoted(regex, *at);
        else if (*at != '.')
            add_bare(regex, *at);
        else if (parsed.schema != NULL)
            return refuse(text, "has more than one dot", error);
        else
        {
            parsed.schema = anchored(regex);
            g_string_truncate(regex, 0);
        }
    }
    if (quoted)
        return refuse(text, "has a quote that is not closed", error);
    if (regex->len == 0)
        return refuse(text, "names nothing", error);
    pattern->schema = g_steal_pointer(&parsed.schema);
    pattern->name = anchored(regex);
    return true;
}
