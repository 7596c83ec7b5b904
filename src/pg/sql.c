#include "pg/sql.h"

#include <string.h>

char *
sql_fill(const char *query, ...)
{
    g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);
    va_list args;

    va_start(args, query);
    for (char *name = va_arg(args, char *); name != NULL; name = va_arg(args, char *))
        g_hash_table_insert(values, name, va_arg(args, char *));
    va_end(args);

    GString *filled = g_string_new(NULL);
    for (const char *at = query; *at != '\0';)
    {
        const char *open = strchr(at, '{');
        const char *close = open == NULL ? NULL : strchr(open, '}');
        if (close == NULL)
        {
            g_string_append(filled, at);
            break;
        }
        g_autofree char *name = g_strndup(open + 1, (size_t) (close - open - 1));
        const char *value = g_hash_table_lookup(values, name);
        g_assert(value != NULL);
        g_string_append_len(filled, at, open - at);
        g_string_append(filled, value);
        at = close + 1;
    }
    return g_string_free(filled, FALSE);
}

char *
sql_text_array(char *const *texts)
{
    GString *array = g_string_new("{");
    for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
    {
        g_string_append(array, i == 0 ? "\"" : ",\"");
        for (const char *at = texts[i]; *at != '\0'; at++)
        {
            if (*at == '"' || *at == '\\')
                g_string_append_c(array, '\\');
            g_string_append_c(array, *at);
        }
        g_string_append_c(array, '"');
    }
    g_string_append_c(array, '}');
    return g_string_free(array, FALSE);
}
