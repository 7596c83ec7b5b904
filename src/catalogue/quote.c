#include "catalogue/quote.h"

enum
{
    MAX_CHARACTERS = 60,
    REPLACEMENT = 0xfffd,
};

static gboolean
is_harmless(gunichar character)
{
    const gboolean ends_a_line = character == 0x2028 || character == 0x2029;
    return g_unichar_isprint(character) && !ends_a_line;
}

char *
quote_text(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *quoted = g_string_new("\"");
    char *at = valid;

    for (int i = 0; *at != '\0' && i < MAX_CHARACTERS; i++)
    {
        const gunichar character = g_utf8_get_char(at);
        g_string_append_unichar(quoted, is_harmless(character) ? character : REPLACEMENT);
        at += g_unichar_to_utf8(character, NULL);
    }
    g_string_append(quoted, *at == '\0' ? "\"" : "…\"");
    return g_string_free(quoted, FALSE);
}
