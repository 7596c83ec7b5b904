/*
 * Any bytes: their charset, their kind, and a text that PostgreSQL accepts.  The first
 * byte chooses a declared charset.
 */
#include "extract/charset.h"
#include "extract/kind.h"
#include "extract/normalise.h"

#include <stdint.h>
#include <string.h>
#include <unicode/unorm2.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const DECLARED[] = {
    NULL, "", "utf-8", "utf-16", "shift_jis", "iso-2022-jp", "gb18030", "utf-7", "hz-gb-2312",
};

static bool
is_nfc(const char *text)
{
    UErrorCode status = U_ZERO_ERROR;
    g_autofree gunichar2 *units = g_utf8_to_utf16(text, -1, NULL, NULL, NULL);
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&status);
    return unorm2_isNormalized(nfc, (const UChar *) units, -1, &status) && U_SUCCESS(status);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *bytes = (const char *) data + 1;
    const size_t length = size - 1;
    const ExtractRequest request = {.ending = "", .type = "", .charset = "", .pdftotext = ""};
    kind_of_bytes(bytes, length, &request);

    const char *other = NULL;
    g_autofree char *declared = charset_declared(bytes, length);
    g_autofree char *charset =
        charset_of(bytes, length, DECLARED[data[0] % G_N_ELEMENTS(DECLARED)]);
    GString *text = charset_decode(bytes, length, charset);
    g_assert_cmpuint(strlen(text->str), ==, text->len);
    kind_of_text(text->str, text->len, &request, &other);

    g_autofree char *once = normalise_text(text->str, text->len);
    g_assert_true(g_utf8_validate(once, -1, NULL));
    g_assert_true(is_nfc(once));
    g_string_free(text, TRUE);
    return 0;
}
