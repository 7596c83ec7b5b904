#include "base/error.h"
#include "extract/readers.h"
#include "making.h"

#define PLENTY (1000 * 1000)

static char *
text_of_html(const char *page)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Writer) writer = writer_new(PLENTY);
    g_assert_true(read_html(page, strlen(page), writer, &error));
    g_assert_no_error(error);
    return g_strdup(writer_text(writer)->str);
}

static void
assert_html(const char *page, const char *expected)
{
    g_autofree char *text = text_of_html(page);
    g_assert_cmpstr(text, ==, expected);
}

static void
test_html_blocks_are_paragraphs(void)
{
    assert_html("<h1>A</h1><p>b\n  c</p><div>d</div>", "A\n\nb c\n\nd");
    assert_html("", "");
    assert_html("<p> </p>", "");
}

static void
test_html_inline_elements_do_not_break(void)
{
    assert_html("<p>a <b>b</b><i>c</i> <a href=x>d</a></p>", "a bc d");
}

static void
test_html_items_and_br_are_lines(void)
{
    assert_html("<p>x</p><ul><li>a</li><li>b</ul><p>c<br>d<br><br>e", "x\n\na\nb\n\nc\nd\n\ne");
}

static void
test_html_rows_are_lines_and_cells_have_tabs(void)
{
    assert_html(
        "x<table><tr><th>a<th>b</tr><tr><td>c</td><td>d</td></tr></table>y",
        "x\n\na\tb\nc\td\n\ny");
}

static void
test_html_blocks_in_cells_do_not_break_rows(void)
{
    assert_html(
        "<table><tr><td><p>a</p></td><td><div>b</div></td></tr><tr><td><p>c</p></td></table>",
        "a\tb\nc");
}

static void
test_html_empty_cells_keep_their_column(void)
{
    assert_html(
        "<table><tr><td></td><td>b</td></tr><tr><td>c</td><td></td><td>d</td><td></td></tr>"
        "</table><p>e</p>",
        "\tb\nc\t\td\n\ne");
}

static void
test_html_pre_is_kept(void)
{
    assert_html("<p>a</p><pre>\n  b\n\tc\n</pre><p>d</p>", "a\n\n  b\n\tc\n\nd");
}

static void
test_html_leaves_out_what_is_not_text(void)
{
    assert_html(
        "a<script>b</script><style>c</style><noscript>d</noscript><template>e</template>"
        "<svg><title>f</title><text>g</text></svg><iframe>h</iframe><p hidden>i<b>j</b></p>"
        "<!--k-->l",
        "a\n\nl");
}

static void
test_html_has_its_title_once(void)
{
    assert_html(
        "<html><head><title>T</title><title>U</title></head><body>a<title>V</title>b</body></html>",
        "T\n\na\n\nb");
}

static void
test_html_keeps_header_nav_and_footer(void)
{
    assert_html("<header>a</header><nav>b</nav><footer>c</footer>", "a\n\nb\n\nc");
}

static void
test_html_is_read_to_its_end(void)
{
    g_autoptr(GString) page = g_string_new(NULL);
    for (int i = 0; i < 600; i++)
        g_string_append(page, "<div>");
    g_string_append(page, "deep");
    g_autofree char *text = text_of_html(page->str);
    g_assert_cmpstr(text, ==, "deep");
}

static void
test_html_stops_when_the_writer_is_full(void)
{
    g_autoptr(Writer) writer = writer_new(4);
    g_assert_true(read_html("<p>abc<p>def<p>g", 16, writer, NULL));
    g_assert_true(writer_is_full(writer));
    g_assert_cmpuint(writer_text(writer)->len, <=, 4);
}

/* --- Markdown ------------------------------------------------------------------------ */

static void
assert_markdown(const char *source, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Writer) writer = writer_new(PLENTY);
    g_assert_true(read_markdown(source, strlen(source), writer, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(writer_text(writer)->str, ==, expected);
}

static void
test_markdown_loses_its_marks(void)
{
    assert_markdown("# A\n\nb *c* `d`\ne [f](http://g) ![h](i)\n", "A\n\nb c d e f h");
    assert_markdown("", "");
}

static void
test_markdown_items_are_lines(void)
{
    assert_markdown("- a\n- b\n  1. c\n\nd", "a\nb\n\nc\n\nd");
}

static void
test_markdown_tables_have_tabs(void)
{
    assert_markdown("| a | b |\n|---|---|\n| c | d |\n\ne", "a\tb\nc\td\n\ne");
}

static void
test_markdown_code_is_kept(void)
{
    assert_markdown("```c\nif (a)\n    b;\n```\nc", "if (a)\n    b;\n\nc");
}

static void
test_markdown_leaves_out_raw_html(void)
{
    assert_markdown("a <b>c</b>\n\n<div>\nd\n</div>\n\ne", "a c\n\ne");
}

static void
test_markdown_knows_entities(void)
{
    assert_markdown("&eacute;&#233;&#xe9;&amp;&nosuch;&#0;", "ééé&&nosuch;\uFFFD");
}

/* --- Word ----------------------------------------------------------------------------- */

static void
assert_docx(GBytes *document, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Writer) writer = writer_new(PLENTY);
    g_autoptr(GBytes) bytes = document;
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    g_assert_true(read_docx(data, length, writer, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(writer_text(writer)->str, ==, expected);
}

static void
assert_docx_refused(GBytes *document, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Writer) writer = writer_new(PLENTY);
    g_autoptr(GBytes) bytes = document;
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    g_assert_false(read_docx(data, length, writer, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_true(g_str_has_prefix(error->message, expected));
}

#define P(text) "<w:p><w:r><w:t xml:space='preserve'>" text "</w:t></w:r></w:p>"

static void
test_docx_paragraphs_have_a_blank_line(void)
{
    assert_docx(make_docx(P("a ") P("b") "<w:p/>" P("c")), "a \n\nb\n\nc");
    assert_docx(make_docx(""), "");
}

static void
test_docx_runs_are_joined(void)
{
    assert_docx(
        make_docx("<w:p><w:r><w:t>a</w:t></w:r><w:hyperlink><w:r><w:t>b</w:t></w:r></w:hyperlink>"
                  "<m:oMath><m:r><m:t>c</m:t></m:r></m:oMath></w:p>"),
        "abc");
}

static void
test_docx_has_tabs_and_breaks(void)
{
    assert_docx(
        make_docx(
            "<w:p><w:pPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr><w:r><w:t>a</w:t>"
            "<w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"),
        "a\tb\nc-d");
}

static void
test_docx_tables_have_rows_and_cells(void)
{
    assert_docx(
        make_docx(P("x") "<w:tbl><w:tr><w:tc>" P("a") P("a") "</w:tc><w:tc>" P(
            "b") "</w:tc></w:tr>"
                 "<w:tr><w:tc>" P("c") "</w:tc><w:tc>" P("d") "</w:tc></w:tr></w:tbl>" P("y")),
        "x\n\na\n\na\tb\nc\td\n\ny");
}

static void
test_docx_text_boxes_come_once(void)
{
    assert_docx(
        make_docx("<w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent>" P(
            "box") "</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>" P("box") "</"
                                                                                       "w:"
                                                                                       "txbxContent"
                                                                                       "></"
                                                                                       "mc:"
                                                                                       "Fallback></"
                                                                                       "mc:"
                                                                                       "AlternateCo"
                                                                                       "ntent></"
                                                                                       "w:r></"
                                                                                       "w:p>" P(
                                                                                           "a")),
        "box\n\na");
}

static void
test_docx_leaves_out_what_is_deleted_or_not_shown(void)
{
    assert_docx(
        make_docx(
            "<w:p><w:del><w:r><w:delText>x</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>y"
            "</w:t></w:r></w:moveFrom><w:r><w:instrText>HYPERLINK</w:instrText></w:r>"
            "<w:r><w:ruby><w:rt><w:r><w:t>kan</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>漢</w:t>"
            "</w:r></w:rubyBase></w:ruby></w:r><w:ins><w:r><w:t>a</w:t></w:r></w:ins></w:p>"),
        "漢a");
}

static void
test_docx_strict_namespaces_do_not_matter(void)
{
    assert_docx(
        make_docx_part("<document xmlns='http://purl.oclc.org/ooxml/wordprocessingml/main'><body>"
                       "<p><r><t>strict</t></r></p></body></document>"),
        "strict");
}

static void
test_docx_has_headers_notes_and_comments(void)
{
    const Member members[] = {
        {"[Content_Types].xml", DOCX_TYPES},
        {"word/document.xml", DOCX_OPEN P("body") DOCX_CLOSE},
        {"word/header1.xml", DOCX_OPEN P("head") DOCX_CLOSE},
        {"word/header2.xml", DOCX_OPEN P("head") DOCX_CLOSE},
        {"word/footer1.xml", DOCX_OPEN P("foot") DOCX_CLOSE},
        {"word/footnotes.xml", DOCX_OPEN P("footnote") DOCX_CLOSE},
        {"word/endnotes.xml", DOCX_OPEN P("endnote") DOCX_CLOSE},
        {"word/comments.xml", DOCX_OPEN P("comment") DOCX_CLOSE},
        {"word/headers.xml", DOCX_OPEN P("other") DOCX_CLOSE},
        {NULL, NULL},
    };
    assert_docx(make_zip(members), "head\n\nbody\n\nfoot\n\nfootnote\n\nendnote\n\ncomment");
}

static void
test_docx_stops_when_the_writer_is_full(void)
{
    const Member members[] = {
        {"word/document.xml", DOCX_OPEN P("b") DOCX_CLOSE},
        {"word/header1.xml", DOCX_OPEN P("a long header") DOCX_CLOSE},
        {NULL, NULL},
    };
    g_autoptr(Writer) writer = writer_new(4);
    g_autoptr(GBytes) bytes = make_zip(members);
    gsize length = 0;
    const char *data = g_bytes_get_data(bytes, &length);
    g_assert_true(read_docx(data, length, writer, NULL));
    g_assert_true(writer_is_full(writer));
}

static void
test_docx_main_part_is_found_by_its_relationship(void)
{
    const Member members[] = {
        {"_rels/.rels", "<Relationships xmlns='urn:r'><Relationship Type='http://x/officeDocument' "
                        "Target='/doc/main.xml'/></Relationships>"},
        {"doc/main.xml", DOCX_OPEN P("main") DOCX_CLOSE},
        {NULL, NULL},
    };
    assert_docx(make_zip(members), "main");
}

static void
test_docx_broken_is_refused(void)
{
    const Member nothing[] = {{"other.xml", "<x/>"}, {NULL, NULL}};
    assert_docx_refused(make_zip(nothing), "broken: ");
    assert_docx_refused(make_docx_part("<w:document><w:p>"), "broken: ");
    assert_docx_refused(g_bytes_new_static("PK\003\004 and no more", 17), "broken: ");
    assert_docx_refused(g_bytes_new_static("", 0), "broken: ");

    g_autoptr(GBytes) good = make_docx(P("a"));
    assert_docx_refused(g_bytes_new_from_bytes(good, 0, g_bytes_get_size(good) / 2), "broken: ");
}

static void
test_docx_doctype_is_refused(void)
{
    assert_docx_refused(
        make_docx_part("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><x>&e;</x>"),
        "broken: word/document.xml: it has a DOCTYPE");
}

static void
test_docx_bomb_is_refused(void)
{
    const size_t length = 20 * 1000 * 1000;
    g_autofree char *spaces = g_malloc(length + 1);
    memset(spaces, ' ', length);
    spaces[length] = '\0';
    assert_docx_refused(make_docx(spaces), "too large: ");
}

static void
test_docx_with_too_many_members_is_refused(void)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree Member *members = g_new0(Member, 10002);
    for (int i = 0; i < 10001; i++)
    {
        g_ptr_array_add(names, g_strdup_printf("%d", i));
        members[i] = (Member){.name = names->pdata[i], .content = ""};
    }
    assert_docx_refused(make_zip(members), "too large: ");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/html/blocks are paragraphs", test_html_blocks_are_paragraphs);
    g_test_add_func("/html/inline elements do not break", test_html_inline_elements_do_not_break);
    g_test_add_func("/html/items and br are lines", test_html_items_and_br_are_lines);
    g_test_add_func(
        "/html/rows are lines and cells have tabs", test_html_rows_are_lines_and_cells_have_tabs);
    g_test_add_func(
        "/html/blocks in cells do not break rows", test_html_blocks_in_cells_do_not_break_rows);
    g_test_add_func("/html/empty cells keep their column", test_html_empty_cells_keep_their_column);
    g_test_add_func("/html/pre is kept", test_html_pre_is_kept);
    g_test_add_func("/html/leaves out what is not text", test_html_leaves_out_what_is_not_text);
    g_test_add_func("/html/has its title once", test_html_has_its_title_once);
    g_test_add_func("/html/keeps header, nav and footer", test_html_keeps_header_nav_and_footer);
    g_test_add_func("/html/is read to its end", test_html_is_read_to_its_end);
    g_test_add_func("/html/stops when the writer is full", test_html_stops_when_the_writer_is_full);
    g_test_add_func("/markdown/loses its marks", test_markdown_loses_its_marks);
    g_test_add_func("/markdown/items are lines", test_markdown_items_are_lines);
    g_test_add_func("/markdown/tables have tabs", test_markdown_tables_have_tabs);
    g_test_add_func("/markdown/code is kept", test_markdown_code_is_kept);
    g_test_add_func("/markdown/leaves out raw HTML", test_markdown_leaves_out_raw_html);
    g_test_add_func("/markdown/knows entities", test_markdown_knows_entities);
    g_test_add_func("/docx/paragraphs have a blank line", test_docx_paragraphs_have_a_blank_line);
    g_test_add_func("/docx/runs are joined", test_docx_runs_are_joined);
    g_test_add_func("/docx/has tabs and breaks", test_docx_has_tabs_and_breaks);
    g_test_add_func("/docx/tables have rows and cells", test_docx_tables_have_rows_and_cells);
    g_test_add_func("/docx/text boxes come once", test_docx_text_boxes_come_once);
    g_test_add_func(
        "/docx/leaves out what is deleted or not shown",
        test_docx_leaves_out_what_is_deleted_or_not_shown);
    g_test_add_func(
        "/docx/strict namespaces do not matter", test_docx_strict_namespaces_do_not_matter);
    g_test_add_func(
        "/docx/has headers, notes and comments", test_docx_has_headers_notes_and_comments);
    g_test_add_func("/docx/stops when the writer is full", test_docx_stops_when_the_writer_is_full);
    g_test_add_func(
        "/docx/main part is found by its relationship",
        test_docx_main_part_is_found_by_its_relationship);
    g_test_add_func("/docx/broken is refused", test_docx_broken_is_refused);
    g_test_add_func("/docx/DOCTYPE is refused", test_docx_doctype_is_refused);
    g_test_add_func("/docx/bomb is refused", test_docx_bomb_is_refused);
    g_test_add_func(
        "/docx/with too many members is refused", test_docx_with_too_many_members_is_refused);
    return g_test_run();
}
