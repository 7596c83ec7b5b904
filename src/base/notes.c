#include "base/notes.h"

#include <string.h>

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

void
notes_say_waiting(const Notes *notes, const GError *problem)
{
    const int length = (int) strcspn(problem->message, "\n");
    notes_say(notes, "%.*s; waiting for it", length, problem->message);
}
