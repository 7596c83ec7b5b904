#include "definition/definition.h"

#include <string.h>

void
definition_free(Definition *definition)
{
    if (definition == NULL)
        return;
    g_free(definition->type);
    g_free(definition->schema);
    g_free(definition->name);
    g_free(definition->text);
    g_array_unref(definition->needs);
    g_free(definition);
}

bool
definition_is(const Definition *definition, const char *type)
{
    return strcmp(definition->type, type) == 0;
}

bool
definition_needs(const Definition *definition, guint number)
{
    for (guint i = 0; i < definition->needs->len; i++)
        if (g_array_index(definition->needs, guint, i) == number)
            return true;
    return false;
}

char *
definition_place(const Definition *definition)
{
    return strcmp(definition->schema, "-") == 0
               ? g_strdup(definition->name)
               : g_strconcat(definition->schema, ".", definition->name, NULL);
}

char *
definition_title(const Definition *definition)
{
    g_autofree char *type = g_ascii_strdown(definition->type, -1);
    g_autofree char *name = definition_place(definition);
    return g_strconcat(type, " ", name, NULL);
}

char *
definition_key(const Definition *definition)
{
    g_autofree char *name = definition_place(definition);
    return g_strconcat(
        definition->after_rows ? "after " : "before ", definition->type, " ", name, NULL);
}
