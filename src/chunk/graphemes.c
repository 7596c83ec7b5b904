#include "chunk/graphemes.h"

#include "base/error.h"
#include "chunk/chars.h"

#include <unicode/ubrk.h>

struct Graphemes
{
    UBreakIterator *iterator;
    const char *at;
    const char *end;
    const char *window; /* what the iterator sees */
    const char *window_end;
};

/* ICU counts in 32 bits; one grapheme in so many bytes may be cut. */
static const gsize WINDOW_BYTES = (gsize) 1 << 30;

Graphemes *
graphemes_new(GError **error)
{
    UErrorCode status = U_ZERO_ERROR;
    UBreakIterator *iterator = ubrk_open(UBRK_CHARACTER, "", NULL, 0, &status);

    if (U_FAILURE(status))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not open ICU's break iterator: %s",
            u_errorName(status));
        return NULL;
    }
    Graphemes *graphemes = g_new0(Graphemes, 1);
    graphemes->iterator = iterator;
    return graphemes;
}

void
graphemes_free(Graphemes *graphemes)
{
    if (graphemes == NULL)
        return;
    ubrk_close(graphemes->iterator);
    g_free(graphemes);
}

static void
open_window(Graphemes *graphemes)
{
    gsize bytes = MIN((gsize) (graphemes->end - graphemes->at), WINDOW_BYTES);
    UErrorCode status = U_ZERO_ERROR;
    UText text = UTEXT_INITIALIZER;

    /* A window begins with a character and may end inside one: the next begins where it does. */
    graphemes->window = graphemes->at;
    graphemes->window_end = graphemes->at + bytes;
    while (graphemes->window_end < graphemes->end &&
           ((guint8) *graphemes->window_end & 0xC0) == 0x80)
        graphemes->window_end--;

    utext_openUTF8(&text, graphemes->window, graphemes->window_end - graphemes->window, &status);
    ubrk_setUText(graphemes->iterator, &text, &status);
    g_assert(U_SUCCESS(status)); /* it fails without memory only, where GLib dies, too */
    utext_close(&text);
}

void
graphemes_begin(Graphemes *graphemes, const char *start, const char *end)
{
    graphemes->at = start;
    graphemes->end = end;
    graphemes->window_end = start;
}

const char *
graphemes_next(Graphemes *graphemes)
{
    if (graphemes->at == graphemes->end)
        return graphemes->end;
    if (graphemes->at == graphemes->window_end)
        open_window(graphemes);
    graphemes->at = graphemes->window + ubrk_next(graphemes->iterator);
    return graphemes->at;
}
