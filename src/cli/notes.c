#include "cli/notes.h"

#include "base/error.h"
#include "base/text.h"

#include <stdio.h>

static void
print_note(void *data, const char *text)
{
    (void) data;
    g_autofree char *line = vf_error_one_line(text);
    g_autofree char *safe = text_safe(line);
    fprintf(stderr, "note: %s\n", safe);
}

const Notes NOTES_TO_STDERR = {print_note, NULL};
