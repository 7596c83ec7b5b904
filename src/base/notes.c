#include "base/notes.h"

void
notes_say(const Notes *notes, const char *format, ...)
{
    if (notes == NULL || notes->say == NULL)
        return;

    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    notes->say(notes->data, text);
}
