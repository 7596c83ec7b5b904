/* The files that people share among AWS tools, as bytes from anywhere. */
#include "aws/ini.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const SECTIONS[] = {"default", "profile a", "services a", ""};
    g_autoptr(GError) error = NULL;
    g_autoptr(AwsIni) ini = aws_ini_read((const char *) data, size, "config", &error);

    g_assert((ini == NULL) == (error != NULL));
    for (size_t i = 0; ini != NULL && i < G_N_ELEMENTS(SECTIONS); i++)
    {
        const char *value = aws_ini_value(ini, SECTIONS[i], "a");
        const char *nested = aws_ini_nested(ini, SECTIONS[i], "a", "b");
        g_assert(value == NULL || *value != '\0');
        g_assert(value == NULL || nested == NULL);
        g_assert(nested == NULL || strlen(nested) < size);
    }
    return 0;
}
