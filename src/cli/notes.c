#include "cli/notes.h"

#include "base/secret.h"
#include "base/text.h"

#include <stdio.h>

static void
print_note(void *data, const char *text)
{
    (void) data;
    g_autofree char *open = secret_hidden(text);
    g_autofree char *safe = text_safe(open);
    fprintf(stderr, "note: %s\n", safe);
}

const Notes NOTES_TO_STDERR = {print_note, NULL};
