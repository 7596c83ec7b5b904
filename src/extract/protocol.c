#include "extract/protocol.h"

#include <string.h>

#define N_ARGUMENTS 6

char **
extract_request_argv(const ExtractRequest *request)
{
    g_autofree char *max_text = g_strdup_printf("%" G_GINT64_FORMAT, request->max_text_bytes);
    g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
    g_strv_builder_add_many(
        argv, request->seal ? "sealed" : "open", max_text, request->ending, request->type,
        request->charset, request->pdftotext, NULL);
    return g_strv_builder_end(argv);
}

bool
extract_request_parse(ExtractRequest *request, char **argv)
{
    if (g_strv_length(argv) != N_ARGUMENTS)
        return false;
    *request = (ExtractRequest){
        .seal = strcmp(argv[0], "open") != 0,
        .max_text_bytes = g_ascii_strtoll(argv[1], NULL, 10),
        .ending = argv[2],
        .type = argv[3],
        .charset = argv[4],
        .pdftotext = argv[5],
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
