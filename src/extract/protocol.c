#include "extract/protocol.h"

#include <string.h>

/* With the command itself. */
#define N_ARGUMENTS 7

char **
extract_request_argv(const char *program, const ExtractRequest *request)
{
    g_autofree char *max_text = g_strdup_printf("%" G_GINT64_FORMAT, request->max_text_bytes);
    g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
    g_strv_builder_add_many(
        argv, program, EXTRACT_COMMAND, request->seal ? "sealed" : "open", max_text,
        request->ending, request->type, request->charset, request->pdftotext, NULL);
    return g_strv_builder_end(argv);
}

bool
extract_request_parse(ExtractRequest *request, int argc, char **argv)
{
    if (argc != N_ARGUMENTS)
        return false;
    *request = (ExtractRequest){
        .seal = strcmp(argv[1], "open") != 0,
        .max_text_bytes = g_ascii_strtoll(argv[2], NULL, 10),
        .ending = argv[3],
        .type = argv[4],
        .charset = argv[5],
        .pdftotext = argv[6],
    };
    return request->max_text_bytes > 0;
}

char *
extract_size(gint64 bytes)
{
    if (bytes >= 1000 * 1000)
        return g_strdup_printf("%.3g MB", (double) bytes / 1e6);
    return g_strdup_printf("%" G_GINT64_FORMAT " bytes", bytes);
}
