#include "extract/remedy.h"

#include <glib.h>

static const char *const REMEDIES[][2] = {
    {"too large: it has more than", "--max-text-bytes is the limit"},
    {"too large: reading it needs", "split it, or save it as plain text"},
    {"too large: its", "split it, or save it as plain text"},
    {"too large: it has", "--max-document-bytes is the limit"},
    {"took too long", "--extract-timeout is the limit"},
    {"unsupported", "save it as txt, md, html, pdf or docx, or take it out of the knowledge"},
    {"encrypted", "save it without its password"},
    {"broken", "save it again with the program that made it, or take it out of the knowledge"},
    {"empty", "put its content back, or take it out of the knowledge"},
};

const char *
extract_remedy(const char *problem)
{
    for (size_t i = 0; i < G_N_ELEMENTS(REMEDIES); i++)
        if (g_str_has_prefix(problem, REMEDIES[i][0]))
            return REMEDIES[i][1];
    return NULL;
}
