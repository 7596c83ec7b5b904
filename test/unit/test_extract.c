/*
 * The whole way, with real children in each sandbox.  This program is also the child.
 */
#include "base/error.h"
#include "extract/extract.h"
#include "extract/protocol.h"
#include "making.h"
#include "sandbox/sandbox.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

static const char *const SANDBOXES[] = {"bubblewrap", "plain"};

static Document *
document_of(const char *bytes, size_t length, const char *name)
{
    const int fd = memfd_create("document", MFD_CLOEXEC);
    g_assert_cmpint(write(fd, bytes, length), ==, (ssize_t) length);
    lseek(fd, 0, SEEK_SET);
    return document_new(fd, name);
}

/* By an extractor for this document alone. */
static char *
extract_text(
    const Document *document, const ExtractOptions *options, Cancel *cancel, GError **error)
{
    g_autoptr(Extractor) extractor = extractor_new(options);
    return extractor_text(extractor, document, cancel, error);
}

static char *
extract_in(const char *sandbox, GBytes *bytes, const char *name, const char *type, GError **error)
{
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    g_autoptr(Document) document = document_of(data, length, name);
    document->content_type = g_strdup(type);

    ExtractOptions options;
    extract_options_init(&options);
    options.sandbox = sandbox;
    options.timeout_s = 20;
    options.max_text_bytes = 1000 * 1000;
    options.max_input_bytes = 12 * 1000 * 1000;
    return extract_text(document, &options, NULL, error);
}

static bool
works_here(const char *sandbox)
{
    SandboxMode mode;
    return sandbox_choose(sandbox, &mode, NULL);
}

static void
assert_text_of(GBytes *document, const char *name, const char *type, const char *expected)
{
    g_autoptr(GBytes) bytes = document;
    for (size_t i = 0; i < G_N_ELEMENTS(SANDBOXES); i++)
        if (works_here(SANDBOXES[i]))
        {
            g_autoptr(GError) error = NULL;
            g_autofree char *text = extract_in(SANDBOXES[i], bytes, name, type, &error);
            g_assert_no_error(error);
            g_assert_cmpstr(text, ==, expected);
        }
}

static void
assert_bad(GBytes *document, const char *name, const char *message)
{
    g_autoptr(GBytes) bytes = document;
    for (size_t i = 0; i < G_N_ELEMENTS(SANDBOXES); i++)
        if (works_here(SANDBOXES[i]))
        {
            g_autoptr(GError) error = NULL;
            g_autofree char *text = extract_in(SANDBOXES[i], bytes, name, NULL, &error);
            g_assert_null(text);
            g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
            if (!g_str_has_prefix(error->message, message))
                g_error("\"%s\" does not begin with \"%s\"", error->message, message);
        }
}

static GBytes *
bytes_of(const char *text)
{
    return g_bytes_new(text, strlen(text));
}

/* A page whose content stream is that; `more` goes into the trailer. */
static GBytes *
make_pdf(const char *filters, const char *content, gsize length, const char *more)
{
    GByteArray *pdf = g_byte_array_new();
    g_autofree char *begin = g_strdup_printf(
        "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R"
        "/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        "4 0 obj<</Length %zu%s>>stream\n",
        length, filters);
    g_autofree char *end =
        g_strdup_printf("\nendstream endobj\ntrailer<</Root 1 0 R%s>>\n%%%%EOF\n", more);
    g_byte_array_append(pdf, (const guint8 *) begin, (guint) strlen(begin));
    g_byte_array_append(pdf, (const guint8 *) content, (guint) length);
    g_byte_array_append(pdf, (const guint8 *) end, (guint) strlen(end));
    return g_byte_array_free_to_bytes(pdf);
}

static GBytes *
make_text_pdf(const char *content)
{
    return make_pdf("", content, strlen(content), "");
}

/* --- kinds ----------------------------------------------------------------------------------- */

static void
test_reads_plain_text(void)
{
    assert_text_of(bytes_of("a\r\nb <i>c</i> # d\n"), "a.txt", NULL, "a\nb <i>c</i> # d");
    assert_text_of(
        bytes_of("stra\xDF"
                 "e und gr\xFC\xDF"
                 "e"),
        "a", NULL, "straße und grüße");
}

static void
test_reads_markdown(void)
{
    assert_text_of(bytes_of("# a\n*b*"), "README.MD", NULL, "a\n\nb");
    assert_text_of(bytes_of("# a\n*b*"), "readme", "text/markdown", "a\n\nb");
}

static void
test_reads_pages(void)
{
    assert_text_of(bytes_of("<p>a<p>b"), "a.html", NULL, "a\n\nb");
    assert_text_of(bytes_of("<p>a<p>b"), "a.php", "text/html", "a\n\nb");
}

static void
test_content_decides_over_names(void)
{
    assert_text_of(bytes_of("\n<!DOCTYPE html><p>a<p>b"), "a.txt", "text/plain", "a\n\nb");
    assert_text_of(
        bytes_of("<?xml version='1.0'?>\n<!-- x --><html><p>a</p></html>"), "a.md", NULL, "a");
    assert_text_of(make_docx("<w:p><w:r><w:t>a</w:t></w:r></w:p>"), "a.pdf", "text/html", "a");
    assert_text_of(make_text_pdf("BT /F 12 Tf 9 99 Td (pdf) Tj ET"), "a.docx", NULL, "pdf");
}

static void
test_reads_word_documents(void)
{
    assert_text_of(
        make_docx("<w:p><w:r><w:t>a e\xCC\x81</w:t></w:r></w:p>"), "a.docx", NULL, "a é");
}

static void
test_reads_pdfs(void)
{
    assert_text_of(make_text_pdf("BT /F 12 Tf 9 99 Td (Hello) Tj ET"), "a.pdf", NULL, "Hello");
}

static void
test_declared_charset_is_used(void)
{
    g_autoptr(Document) document = document_of("\xB1", 1, "a.txt");
    document->charset = g_strdup("ISO-8859-2");
    ExtractOptions options;
    extract_options_init(&options);
    g_autofree char *text = extract_text(document, &options, NULL, NULL);
    g_assert_cmpstr(text, ==, "ą");
}

static void
test_the_same_document_can_be_read_again(void)
{
    g_autoptr(Document) document = document_of("again", 5, "a.txt");
    ExtractOptions options;
    extract_options_init(&options);
    for (int i = 0; i < 2; i++)
    {
        g_autofree char *text = extract_text(document, &options, NULL, NULL);
        g_assert_cmpstr(text, ==, "again");
    }
}

static void
test_strange_names_do_no_harm(void)
{
    assert_text_of(bytes_of("a"), "--help.\n; rm $(x) .\xFF\xFE", "text/\n--x", "a");
}

/* --- failures -------------------------------------------------------------------------------- */

static void
test_empty_documents_are_told(void)
{
    assert_bad(bytes_of(""), "a.txt", "empty: ");
    assert_bad(bytes_of(" \n\u200B\n"), "a.txt", "empty: ");
    assert_bad(bytes_of("<html><script>x</script>"), "a.html", "empty: ");
    assert_bad(make_docx("<w:p/>"), "a.docx", "empty: ");
    assert_bad(
        make_text_pdf("0 0 m 9 9 l S"), "a.pdf",
        "empty: there is no text in it, only images? OCR is not supported");
}

static void
test_protected_documents_are_told(void)
{
    static const char package[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 "
                                  "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
    assert_bad(g_bytes_new_static(package, sizeof(package)), "a.docx", "encrypted: ");

    /* No password makes these O and U. */
    g_autofree char *wrong = g_strnfill(32, 'x');
    g_autofree char *trailer = g_strdup_printf(
        "/ID[(a)(a)]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>", wrong, wrong);
    assert_bad(make_pdf("", "BT ET", 5, trailer), "a.pdf", "encrypted: ");
}

static void
test_unsupported_documents_are_named(void)
{
    static const char png[] = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0";
    const Member sheet[] = {{"[Content_Types].xml", "spreadsheetml.sheet.main+xml"}, {NULL, NULL}};
    const Member book[] = {{"mimetype", "application/epub+zip"}, {NULL, NULL}};

    assert_bad(
        g_bytes_new_static(png, sizeof(png)), "a.txt", "unsupported: a document of type image/png");
    assert_bad(
        make_zip(sheet), "a.docx",
        "unsupported: a document of type "
        "application/vnd.openxmlformats-officedocument.spreadsheetml");
    assert_bad(make_zip(book), "a.epub", "unsupported: a document of type application/epub+zip");
    assert_bad(bytes_of("{\\rtf1 a}"), "a.txt", "unsupported: a document of type text/rtf");
    assert_bad(
        bytes_of("<?xml version='1.0'?><svg/>"), "a.txt",
        "unsupported: a document of type text/xml");
}

static void
test_large_documents_are_told(void)
{
    g_autofree char *text = g_strnfill(13 * 1000 * 1000, 'x');
    assert_bad(bytes_of(text), "a.txt", "too large: it has 13 MB, more than 12 MB");
    text[11 * 1000 * 1000] = '\0';
    assert_bad(bytes_of(text), "a.txt", "too large: it has more than 1 MB of text");
}

static void
test_broken_documents_are_told(void)
{
    assert_bad(bytes_of("%PDF-1.4 and nothing else"), "a.pdf", "broken: ");
    assert_bad(bytes_of("PK\003\004 and nothing else"), "a.docx", "broken: ");
    assert_bad(make_docx_part("<w:document><w:p>"), "a.docx", "broken: ");
}

static void
test_missing_pdftotext_has_a_hint(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) pdf = make_text_pdf("BT ET");
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_setenv("PATH", "/nonexistent", TRUE);
    g_assert_null(extract_in("plain", pdf, "a.pdf", NULL, &error));
    g_setenv("PATH", path, TRUE);
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, "\ninstall poppler-utils"));
}

/* A fault of ours must not look like one of the document. */
static void
test_child_that_does_not_work_is_no_bad_document(void)
{
    g_autoptr(Document) document = document_of("a", 1, "a.txt");
    ExtractOptions options;
    extract_options_init(&options);
    options.program = "/usr/bin/false";
    g_autoptr(GError) error = NULL;
    g_assert_null(extract_text(document, &options, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
}

static void
test_unknown_sandbox_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) text = bytes_of("a");
    g_assert_null(extract_in("no-such", text, "a.txt", NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_USAGE);
}

static void
test_stop_is_heard(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(Document) document = document_of("a", 1, "a.txt");
    ExtractOptions options;
    extract_options_init(&options);
    cancel_request(cancel);
    g_assert_null(extract_text(document, &options, cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
}

/* --- attacks -----------------------------------------------------------------------------------
 */

static void
test_entities_do_not_grow(void)
{
    g_autoptr(GString) laughs = g_string_new("<!DOCTYPE x [<!ENTITY e0 'ha'>");
    for (int i = 1; i < 30; i++)
        g_string_append_printf(laughs, "<!ENTITY e%d '&e%d;&e%d;'>", i, i - 1, i - 1);
    g_string_append(laughs, "]><x>&e29;</x>");
    assert_bad(make_docx_part(laughs->str), "a.docx", "broken: ");

    g_autofree char *long_text = g_strnfill(100000, 'x');
    g_autoptr(GString) quadratic = g_string_new(NULL);
    g_string_append_printf(quadratic, "<!DOCTYPE x [<!ENTITY e '%s'>]><x>", long_text);
    for (int i = 0; i < 10000; i++)
        g_string_append(quadratic, "&e;");
    g_string_append(quadratic, "</x>");
    assert_bad(make_docx_part(quadratic->str), "a.docx", "broken: ");
}

static int
listen_on_loopback(int *port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in bound = {0};
    socklen_t length = sizeof(bound);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_assert_cmpint(bind(fd, (const struct sockaddr *) &address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *) &bound, &length), ==, 0);
    *port = ntohs(bound.sin_port);
    return fd;
}

static void
test_nothing_outside_is_read_or_called(void)
{
    int port = 0;
    const int listener = listen_on_loopback(&port);
    g_autofree char *dtd =
        g_strdup_printf("<!DOCTYPE x SYSTEM 'http://127.0.0.1:%d/x.dtd'><x>a</x>", port);
    g_autofree char *entity = g_strdup_printf(
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'http://127.0.0.1:%d/e'>]><x>&e;</x>", port);
    g_autofree char *page = g_strdup_printf(
        "<html><link rel=stylesheet href='http://127.0.0.1:%d/a.css'><img src='http://127.0.0.1:%d/"
        "b'><iframe src='http://127.0.0.1:%d/c'></iframe><p>a",
        port, port, port);

    assert_bad(make_docx_part(dtd), "a.docx", "broken: ");
    assert_bad(make_docx_part(entity), "a.docx", "broken: ");
    assert_bad(
        make_docx_part("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
        "a.docx", "broken: ");
    assert_text_of(bytes_of(page), "a.html", NULL, "a");
    g_assert_cmpint(accept(listener, NULL, NULL), <, 0);
    close(listener);
}

static void
test_zip_bombs_are_refused(void)
{
    g_autofree char *spaces = g_strnfill(20 * 1000 * 1000, ' ');
    assert_bad(make_docx(spaces), "a.docx", "too large: ");
}

static void
test_deep_pages_are_survived(void)
{
    g_autoptr(GString) page = g_string_new("<html>");
    for (int i = 0; i < 100000; i++)
        g_string_append(page, "<div>");
    assert_bad(bytes_of(page->str), "a.html", "broken: elements are nested deeper than");
}

static void
test_long_lines_are_read(void)
{
    g_autofree char *line = g_strnfill(900 * 1000, 'x');
    assert_text_of(bytes_of(line), "a.txt", NULL, line);
    assert_text_of(bytes_of(line), "a.md", NULL, line);
    assert_text_of(bytes_of(line), "a.html", NULL, line);
}

/* So many spaces, deflated so many times. */
static GBytes *
deflated_spaces(size_t length, int times)
{
    char *bytes = g_strnfill(length, ' ');
    for (int i = 0; i < times; i++)
    {
        uLongf size = compressBound(length);
        char *smaller = g_malloc(size);
        g_assert_cmpint(
            compress2((Bytef *) smaller, &size, (const Bytef *) bytes, length, 9), ==, Z_OK);
        g_free(bytes);
        bytes = smaller;
        length = size;
    }
    return g_bytes_new_take(bytes, length);
}

static void
test_pdf_bombs_take_too_long(void)
{
    g_autoptr(GBytes) content = deflated_spaces(400 * 1000 * 1000, 2);
    gsize length = 0;
    const char *data = g_bytes_get_data(content, &length);
    g_autoptr(GBytes) pdf = make_pdf("/Filter[/FlateDecode/FlateDecode]", data, length, "");
    g_assert_cmpuint(g_bytes_get_size(pdf), <, 10000);

    for (size_t i = 0; i < G_N_ELEMENTS(SANDBOXES); i++)
        if (works_here(SANDBOXES[i]))
        {
            gsize size = 0;
            const char *bytes = g_bytes_get_data(pdf, &size);
            g_autoptr(GError) error = NULL;
            g_autoptr(Document) document = document_of(bytes, size, "a.pdf");
            ExtractOptions options;
            extract_options_init(&options);
            options.sandbox = SANDBOXES[i];
            options.timeout_s = 1;
            g_assert_null(extract_text(document, &options, NULL, &error));
            g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
            g_assert_cmpstr(error->message, ==, "took too long: more than 1 s");
        }
}

static void
test_pdf_with_endless_text_is_refused(void)
{
    g_autoptr(GString) content = g_string_new("BT /F 1 Tf ");
    for (int i = 0; i < 100; i++)
        g_string_append_printf(
            content, "1 0 0 1 %d %d Tm (%s) Tj ", i % 10, i,
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    g_string_append(content, "ET");

    /* Three thousand pages with one content. */
    g_autoptr(GString) kids = g_string_new(NULL);
    g_autoptr(GString) pages = g_string_new(NULL);
    for (int i = 0; i < 3000; i++)
    {
        g_string_append_printf(kids, "%d 0 R ", 10 + i);
        g_string_append_printf(
            pages,
            "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R"
            "/Resources<</Font<</F 5 0 R>>>>>>endobj\n",
            10 + i);
    }
    g_autofree char *pdf = g_strdup_printf(
        "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        "2 0 obj<</Type/Pages/Kids[%s]/Count 3000>>endobj\n%s"
        "5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n"
        "4 0 obj<</Length %zu>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>\n",
        kids->str, pages->str, content->len, content->str);
    assert_bad(bytes_of(pdf), "a.pdf", "too large: ");
}

static void
test_pdf_page_loop_ends(void)
{
    assert_bad(
        bytes_of(
            "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
            "2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>\n"),
        "a.pdf", "");
}

static void
test_memory_hunger_is_told(void)
{
    ExtractOptions options;
    extract_options_init(&options);
    options.max_memory_bytes = 160 * 1000 * 1000;
    g_autofree char *text = g_strnfill(48 * 1000 * 1000, 'x');
    g_autoptr(Document) document = document_of(text, 48 * 1000 * 1000, "a.html");
    g_autoptr(GError) error = NULL;
    g_assert_null(extract_text(document, &options, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_true(g_str_has_prefix(error->message, "too large: "));
}

/* One extractor, in turns. */
static void
test_bad_document_leaves_the_next_alone(void)
{
    g_autoptr(GBytes) pdf = make_text_pdf("BT /F 12 Tf 9 99 Td (Hello) Tj ET");
    g_autofree char *large = g_strnfill(2 * 1000 * 1000, 'x');
    const struct
    {
        const char *name;
        const char *bytes;
        size_t length;
        const char *text; /* NULL: refused */
    } documents[] = {
        {"a.txt", "first", 5, "first"},
        {"b.docx", "PK\003\004 and nothing else", 20, NULL},
        {"c.pdf", g_bytes_get_data(pdf, NULL), g_bytes_get_size(pdf), "Hello"},
        {"d.txt", large, strlen(large), NULL},
        {"e.html", "<p>last", 7, "last"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(SANDBOXES); i++)
    {
        ExtractOptions options;
        extract_options_init(&options);
        options.sandbox = SANDBOXES[i];
        options.max_text_bytes = 1000 * 1000;
        g_autoptr(Extractor) extractor = extractor_new(&options);
        for (size_t d = 0; works_here(SANDBOXES[i]) && d < 3 * G_N_ELEMENTS(documents); d++)
        {
            const size_t n = d % G_N_ELEMENTS(documents);
            g_autoptr(GError) error = NULL;
            g_autoptr(Document) document =
                document_of(documents[n].bytes, documents[n].length, documents[n].name);
            g_autofree char *text = extractor_text(extractor, document, NULL, &error);
            g_assert_cmpstr(text, ==, documents[n].text);
            g_assert_true(text != NULL || g_error_matches(error, VF_ERROR, VF_ERROR_BAD_INPUT));
        }
    }
}

/* --- many at once --------------------------------------------------------------------------------
 */

static void *
extract_several(void *failures)
{
    g_autoptr(GBytes) page = bytes_of("<p>a<p>b");
    for (int i = 0; i < 10; i++)
    {
        g_autofree char *text = extract_in("auto", page, "a.html", NULL, NULL);
        if (g_strcmp0(text, "a\n\nb") != 0)
            g_atomic_int_inc((int *) failures);
    }
    return NULL;
}

static void
test_many_threads_may_extract(void)
{
    int failures = 0;
    pthread_t threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, extract_several, &failures), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(failures, ==, 0);
}

int
main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], EXTRACT_COMMAND) == 0)
        return extract_child_main();

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/extract/reads plain text", test_reads_plain_text);
    g_test_add_func("/extract/reads Markdown", test_reads_markdown);
    g_test_add_func("/extract/reads pages", test_reads_pages);
    g_test_add_func("/extract/content decides over names", test_content_decides_over_names);
    g_test_add_func("/extract/reads Word documents", test_reads_word_documents);
    g_test_add_func("/extract/reads PDFs", test_reads_pdfs);
    g_test_add_func("/extract/declared charset is used", test_declared_charset_is_used);
    g_test_add_func(
        "/extract/the same document can be read again", test_the_same_document_can_be_read_again);
    g_test_add_func("/extract/strange names do no harm", test_strange_names_do_no_harm);
    g_test_add_func("/extract/empty documents are told", test_empty_documents_are_told);
    g_test_add_func("/extract/protected documents are told", test_protected_documents_are_told);
    g_test_add_func(
        "/extract/unsupported documents are named", test_unsupported_documents_are_named);
    g_test_add_func("/extract/large documents are told", test_large_documents_are_told);
    g_test_add_func("/extract/broken documents are told", test_broken_documents_are_told);
    g_test_add_func("/extract/missing pdftotext has a hint", test_missing_pdftotext_has_a_hint);
    g_test_add_func(
        "/extract/child that does not work is no bad document",
        test_child_that_does_not_work_is_no_bad_document);
    g_test_add_func("/extract/unknown sandbox is refused", test_unknown_sandbox_is_refused);
    g_test_add_func("/extract/stop is heard", test_stop_is_heard);
    g_test_add_func("/extract/entities do not grow", test_entities_do_not_grow);
    g_test_add_func(
        "/extract/nothing outside is read or called", test_nothing_outside_is_read_or_called);
    g_test_add_func("/extract/zip bombs are refused", test_zip_bombs_are_refused);
    g_test_add_func("/extract/deep pages are survived", test_deep_pages_are_survived);
    g_test_add_func("/extract/long lines are read", test_long_lines_are_read);
    g_test_add_func("/extract/PDF bombs take too long", test_pdf_bombs_take_too_long);
    g_test_add_func(
        "/extract/PDF with endless text is refused", test_pdf_with_endless_text_is_refused);
    g_test_add_func("/extract/PDF page loop ends", test_pdf_page_loop_ends);
    g_test_add_func("/extract/memory hunger is told", test_memory_hunger_is_told);
    g_test_add_func(
        "/extract/bad document leaves the next alone", test_bad_document_leaves_the_next_alone);
    g_test_add_func("/extract/many threads may extract", test_many_threads_may_extract);
    return g_test_run();
}
