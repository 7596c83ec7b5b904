#include "base/error.h"
#include "extract/foresee.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_TEXT_BYTES 5000

static bool
foreseen(const char *name, const char *bytes, size_t length, GError **error)
{
    const int fd = memfd_create("document", MFD_CLOEXEC);
    g_autoptr(Document) document = document_new(fd, name);
    ExtractOptions options;

    g_assert_cmpint(write(fd, bytes, length), ==, (ssize_t) length);
    lseek(fd, 0, SEEK_SET);
    extract_options_init(&options);
    options.max_text_bytes = MAX_TEXT_BYTES;
    const bool passes = extract_foresee(document, &options, error);
    g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, 0);
    return passes;
}

static void
assert_passes(const char *name, const char *bytes, size_t length)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(foreseen(name, bytes, length, &error));
    g_assert_no_error(error);
}

static void
assert_refused(const char *name, const char *bytes, size_t length, const char *why)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(foreseen(name, bytes, length, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_true(g_str_has_prefix(error->message, why));
    g_assert_nonnull(strchr(error->message, '\n'));
}

#define ASSERT_PASSES(name, bytes) assert_passes(name, bytes, sizeof(bytes) - 1)
#define ASSERT_REFUSED(name, bytes, why) assert_refused(name, bytes, sizeof(bytes) - 1, why)

static void
test_what_is_empty_is_refused(void)
{
    ASSERT_REFUSED("a.txt", "", "empty: ");
}

static void
test_what_may_be_read_passes(void)
{
    ASSERT_PASSES("a.txt", "A sentence.");
    ASSERT_PASSES("a", "A sentence.");
    ASSERT_PASSES("a.pdf", "%PDF-1.7\n\x80\x81\x00\x01");
    ASSERT_PASSES("a.html", "<html>");
    ASSERT_PASSES("a.docx", "PK\003\004\0\0\0\0[Content_Types].xml");
    ASSERT_PASSES(
        "a.txt", "\xFF\xFE"
                 "A\0");
}

static void
test_content_decides_and_not_the_name(void)
{
    ASSERT_PASSES("a.png", "A text by a strange name.");
    ASSERT_PASSES("a.xlsx", "name,number\na,1\n");
    ASSERT_PASSES("a.pptx", "PK\003\004\0\0\0\0[Content_Types].xml word/document.xml");
    ASSERT_PASSES("a.zip", "PK\003\004\0\0\0\0[Content_Types].xml");
    ASSERT_PASSES("a.txt", "GIF89a is how a picture begins");
}

static void
test_pictures_archives_and_rtf_are_refused(void)
{
    ASSERT_REFUSED(
        "a.txt", "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\1",
        "unsupported: a document of type image/png");
    ASSERT_REFUSED(
        "a", "\x1F\x8B\x08\0\0\0\0\0\0\3", "unsupported: a document of type application/gzip");
    ASSERT_REFUSED("a.XLSX", "PK\003\004\0\0xl/workbook.xml", "unsupported: ");
    ASSERT_REFUSED("a.zip", "PK\003\004\0\0photos/1.jpg", "unsupported: ");
    ASSERT_REFUSED("a.doc", "{\\rtf1 a text}", "unsupported: a document of type text/rtf");
}

static void
test_a_text_above_the_limit_is_refused(void)
{
    g_autofree char *text = g_strnfill(MAX_TEXT_BYTES + 1, 'a');

    assert_passes("a.txt", text, MAX_TEXT_BYTES);
    assert_refused("a.txt", text, MAX_TEXT_BYTES + 1, "too large: it has 5001 bytes of text");
}

/* There is less text in them than bytes. */
static void
test_what_only_holds_text_may_be_larger(void)
{
    g_autofree char *text = g_strnfill(MAX_TEXT_BYTES + 1, 'a');
    g_autofree char *page = g_strconcat("<html>", text + strlen("<html>"), NULL);
    g_autofree char *wide = g_malloc0(MAX_TEXT_BYTES + 1);

    assert_passes("a.html", text, MAX_TEXT_BYTES + 1);
    assert_passes("a.md", text, MAX_TEXT_BYTES + 1);
    assert_passes("a.txt", page, MAX_TEXT_BYTES + 1);
    for (size_t i = 0; i < MAX_TEXT_BYTES; i += 2)
        wide[i] = 'a';
    assert_passes("a.txt", wide, MAX_TEXT_BYTES + 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/foresee/" #name, test_##name)
    TEST(what_is_empty_is_refused);
    TEST(what_may_be_read_passes);
    TEST(content_decides_and_not_the_name);
    TEST(pictures_archives_and_rtf_are_refused);
    TEST(a_text_above_the_limit_is_refused);
    TEST(what_only_holds_text_may_be_larger);
    return g_test_run();
}
