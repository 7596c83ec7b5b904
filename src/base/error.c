#include "base/error.h"

#include "base/secret.h"

#include <stdatomic.h>
#include <string.h>

static const char *const NAMES[] = {
    [VF_ERROR_USAGE] = "usage",         [VF_ERROR_CONNECT] = "connect",
    [VF_ERROR_DENIED] = "denied",       [VF_ERROR_BUSY] = "busy",
    [VF_ERROR_BAD_INPUT] = "bad-input", [VF_ERROR_MISMATCH] = "mismatch",
    [VF_ERROR_CANCELLED] = "cancelled", [VF_ERROR_FAILED] = "failed",
};

/* What G_DEFINE_QUARK makes, but threads may meet in it. */
GQuark
vf_error_quark(void)
{
    static atomic_uint quark;

    if (atomic_load(&quark) == 0)
        atomic_store(&quark, g_quark_from_static_string("vecferry-error"));
    return atomic_load(&quark);
}

const char *
vf_error_name(const GError *error)
{
    if (error->domain == G_OPTION_ERROR || error->domain == G_KEY_FILE_ERROR)
        return NAMES[VF_ERROR_USAGE];
    if (error->domain != VF_ERROR || error->code < 0 || error->code >= (int) G_N_ELEMENTS(NAMES))
        return NAMES[VF_ERROR_FAILED];
    return NAMES[error->code];
}

VfError
vf_error_from_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (strcmp(NAMES[i], name) == 0)
            return (VfError) i;
    return VF_ERROR_FAILED;
}

void
vf_error_hint(GError **error, const char *format, ...)
{
    if (error == NULL || *error == NULL || strchr((*error)->message, '\n') != NULL)
        return;

    va_list args;
    va_start(args, format);
    g_autofree char *hint = g_strdup_vprintf(format, args);
    va_end(args);

    char *message = g_strconcat((*error)->message, "\n", hint, NULL);
    g_free((*error)->message);
    (*error)->message = message;
}

char *
vf_error_one_line(const char *message)
{
    g_autofree char *open = secret_hidden(message);
    g_auto(GStrv) lines = g_strsplit(open, "\n", -1);
    return g_strjoinv("; ", lines);
}
