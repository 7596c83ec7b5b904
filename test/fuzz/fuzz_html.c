/*
 * An HTML page, from its bytes to its normalised text; Markdown too, which has the same
 * writer.
 */
#include "extract/charset.h"
#include "extract/normalise.h"
#include "extract/readers.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const Writer *writer)
{
    const GString *text = writer_text(writer);
    g_autofree char *once = normalise_text(text->str, text->len);
    g_assert_true(g_utf8_validate(once, -1, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GString *text = charset_decode((const char *) data, size, "UTF-8");
    g_autoptr(Writer) page = writer_new(100000);
    g_autoptr(Writer) markdown = writer_new(100000);

    read_html(text->str, text->len, page, NULL);
    check(page);
    read_markdown(text->str, text->len, markdown, NULL);
    check(markdown);
    g_string_free(text, TRUE);
    return 0;
}
