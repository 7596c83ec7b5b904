#include "base/text.h"

#include <math.h>
#include <string.h>

/* Characters that turn the direction of what follows could make a line lie. */
static gboolean
turns_direction(gunichar c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

static gboolean
breaks_line(gunichar c)
{
    return c == 0x2028 || c == 0x2029;
}

char *
text_safe(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *safe = g_string_new(NULL);

    for (const char *at = valid; *at != '\0'; at += g_utf8_skip[(guchar) *at])
    {
        const gunichar c = g_utf8_get_char(at);
        if (g_unichar_iscntrl(c) || turns_direction(c) || breaks_line(c))
            g_string_append_c(safe, ' ');
        else
            g_string_append_unichar(safe, c);
    }
    return g_string_free(safe, FALSE);
}

static guint
columns_of(gunichar c)
{
    if (g_unichar_iszerowidth(c))
        return 0;
    return g_unichar_iswide(c) ? 2 : 1;
}

guint
text_columns(const char *text)
{
    guint columns = 0;
    for (const char *at = text; *at != '\0'; at += g_utf8_skip[(guchar) *at])
        columns += columns_of(g_utf8_get_char(at));
    return columns;
}

char *
text_cut(const char *text, guint columns)
{
    g_autofree char *safe = text_safe(text);
    const char *end = safe;
    guint used = 0;

    if (columns == 0)
        return g_strdup("");
    if (text_columns(safe) <= columns)
        return g_steal_pointer(&safe);
    for (;;)
    {
        const guint next = columns_of(g_utf8_get_char(end));
        if (used + next > columns - 1)
            return g_strdup_printf("%.*s…", (int) (end - safe), safe);
        used += next;
        end += g_utf8_skip[(guchar) *end];
    }
}

char *
text_count(double number)
{
    g_autofree char *digits = g_strdup_printf("%.0f", number);
    const size_t length = strlen(digits);
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < length; i++)
    {
        g_string_append_c(text, digits[i]);
        if ((length - i - 1) % 3 == 0 && i + 1 < length)
            g_string_append_c(text, ',');
    }
    return g_string_free(text, FALSE);
}

char *
text_duration(double seconds)
{
    const gint64 whole = (gint64) ceil(seconds);
    if (seconds < 0)
        return g_strdup("unknown");
    if (whole < 60)
        return g_strdup_printf("%" G_GINT64_FORMAT " s", whole);
    if (whole < 3600)
        return g_strdup_printf(
            "%" G_GINT64_FORMAT " min %" G_GINT64_FORMAT " s", whole / 60, whole % 60);
    return g_strdup_printf(
        "%" G_GINT64_FORMAT " h %" G_GINT64_FORMAT " min", whole / 3600, whole % 3600 / 60);
}

char *
text_usd(double usd)
{
    if (usd < 0)
        return g_strdup("unknown");
    if (usd == 0)
        return g_strdup("$0");
    return g_strdup_printf(usd < 0.1 ? "$%.4f" : "$%.2f", usd);
}
