#include "base/error.h"
#include "xml/xml.h"

#include <string.h>

/* Writes what it hears: `<name a=value>text</name>`. */
static bool
hear_start(void *data, const char *name, const XmlAttributes *attributes)
{
    g_autofree char *value = xml_attribute(attributes, "a");
    if (value != NULL)
        g_string_append_printf(data, "<%s a=%s>", name, value);
    else
        g_string_append_printf(data, "<%s>", name);
    return strcmp(name, "stop") != 0;
}

static bool
hear_end(void *data, const char *name)
{
    g_string_append_printf(data, "</%s>", name);
    return true;
}

static bool
hear_text(void *data, const char *text, size_t length)
{
    g_string_append_len(data, text, (gssize) length);
    return true;
}

static const XmlHandler HEAR = {.start = hear_start, .end = hear_end, .text = hear_text};

static void
assert_heard(const char *document, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) heard = g_string_new(NULL);
    g_assert_true(xml_parse_bytes(document, strlen(document), &HEAR, heard, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(heard->str, ==, expected);
}

static void
assert_refused(const char *document, const char *heard_at_most)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) heard = g_string_new(NULL);
    g_assert_false(xml_parse_bytes(document, strlen(document), &HEAR, heard, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_cmpstr(heard->str, ==, heard_at_most);
}

static void
test_hears_elements_and_text(void)
{
    assert_heard(
        "<x a='1&amp;2&lt;&#38;amp;'>t<y/>&lt;&#233;<![CDATA[&]]></x>",
        "<x a=1&2<&amp;>t<y></y><é&</x>");
}

static void
test_hears_local_names(void)
{
    assert_heard("<w:x xmlns:w='urn:1' w:a='v'/>", "<x a=v></x>");
}

static void
test_stops_when_told(void)
{
    assert_heard("<x><stop><y/></stop></x>", "<x><stop>");
}

static void
test_refuses_broken_documents(void)
{
    assert_refused("", "");
    assert_refused("no document", "");
    assert_refused("<x><y></x>", "<x><y>");
    assert_refused("<x>&unknown;</x>", "<x>");
}

static void
test_refuses_every_doctype(void)
{
    assert_refused("<!DOCTYPE x><x/>", "");
    assert_refused("<!DOCTYPE x SYSTEM 'http://127.0.0.1:1/x.dtd'><x/>", "");
    assert_refused("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><x>&e;</x>", "");
    assert_refused("<!DOCTYPE x [<!ENTITY % p 'x'> %p;]><x/>", "");
}

static void
test_refuses_billions_of_laughs(void)
{
    assert_refused(
        "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'><!ENTITY c '&b;&b;'>]><x>&c;</x>", "");
}

static void
test_refuses_a_deep_document(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) deep = g_string_new(NULL);
    static const XmlHandler deaf = {.start = NULL};
    for (int i = 0; i < 1000; i++)
        g_string_append(deep, "<x>");
    g_assert_false(xml_parse_bytes(deep->str, deep->len, &deaf, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
    g_assert_nonnull(strstr(error->message, "deep"));
}

static void
test_reads_utf16(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) heard = g_string_new(NULL);
    gsize length = 0;
    g_autofree char *bytes =
        g_convert("\uFEFF<x>é</x>", -1, "UTF-16LE", "UTF-8", NULL, &length, NULL);
    g_assert_true(xml_parse_bytes(bytes, length, &HEAR, heard, &error));
    g_assert_cmpstr(heard->str, ==, "<x>é</x>");
}

static void
assert_page(const char *page, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) heard = g_string_new(NULL);
    g_assert_true(html_parse(page, strlen(page), &HEAR, heard, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(heard->str, ==, expected);
}

static void
test_page_gets_its_missing_ends(void)
{
    assert_page(
        "<P a=v>one<p>two<br>&eacute;",
        "<html><body><p a=v>one</p><p>two<br></br>é</p></body></html>");
    assert_page("", "");
}

static void
test_page_does_not_choose_its_charset(void)
{
    assert_page(
        "<html><head><meta charset=windows-1252></head><body>é</body></html>",
        "<html><head><meta></meta></head><body>é</body></html>");
}

static void
test_page_loads_nothing(void)
{
    assert_page(
        "<!DOCTYPE html [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><p>&e;",
        "<html><body><p>]></p><p>&e;</p></body></html>");
}

/* Each start has its end, whatever the page looks like: readers count on it. */
static bool
count_up(void *data, const char *name, const XmlAttributes *attributes)
{
    (void) name;
    (void) attributes;
    ++*(int *) data;
    return true;
}

static bool
count_down(void *data, const char *name)
{
    (void) name;
    g_assert_cmpint(--*(int *) data, >=, 0);
    return true;
}

static void
test_page_is_balanced(void)
{
    static const XmlHandler counting = {.start = count_up, .end = count_down};
    static const char *const pieces[] = {
        "<p>",        "</p>",       "<table>",    "</table>",     "<td>",    "</tr>",  "<b>",
        "</i>",       "<html>",     "</html>",    "<body>",       "</body>", "<head>", "</head>",
        "<title>",    "<script>",   "</div>",     "<div hidden>", "text",    "<br/>",  "</br>",
        "<template>", "<svg/>",     "<!--",       "-->",          "<li>",    "</ul>",  "<select>",
        "<option>",   "</form>",    "<form>",     "<h1>",         "<",       ">",      "&",
        "</",         "<frameset>", "<noscript>", "</script>",    "<a",
    };
    g_autoptr(GRand) random = g_rand_new_with_seed(7);
    for (int round = 0; round < 3000; round++)
    {
        g_autoptr(GString) page = g_string_new(NULL);
        for (int i = 0; i < 12; i++)
            g_string_append(
                page, pieces[g_rand_int_range(random, 0, (gint32) G_N_ELEMENTS(pieces))]);
        g_string_append(page, ">"); /* but for a tag that is cut off at the very end */
        int open = 0;
        g_assert_true(html_parse(page->str, page->len, &counting, &open, NULL));
        if (open != 0)
            g_error("unbalanced: %s", page->str);
    }
}

static void
test_page_may_be_deep_but_not_absurd(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) deep = g_string_new(NULL);
    static const XmlHandler deaf = {.start = NULL};
    for (int i = 0; i < 5000; i++)
        g_string_append(deep, "<div>");
    g_assert_true(html_parse(deep->str, deep->len, &deaf, NULL, &error));
    for (int i = 0; i < 100000; i++)
        g_string_append(deep, "<div>");
    g_assert_false(html_parse(deep->str, deep->len, &deaf, NULL, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_BAD_INPUT);
}

static void
test_knows_html_entities(void)
{
    g_assert_cmpuint(html_entity("eacute"), ==, 0xE9);
    g_assert_cmpuint(html_entity("none"), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xml/hears elements and text", test_hears_elements_and_text);
    g_test_add_func("/xml/hears local names", test_hears_local_names);
    g_test_add_func("/xml/stops when told", test_stops_when_told);
    g_test_add_func("/xml/refuses broken documents", test_refuses_broken_documents);
    g_test_add_func("/xml/refuses every DOCTYPE", test_refuses_every_doctype);
    g_test_add_func("/xml/refuses billions of laughs", test_refuses_billions_of_laughs);
    g_test_add_func("/xml/refuses a deep document", test_refuses_a_deep_document);
    g_test_add_func("/xml/reads UTF-16", test_reads_utf16);
    g_test_add_func("/html/a page gets its missing ends", test_page_gets_its_missing_ends);
    g_test_add_func(
        "/html/a page does not choose its charset", test_page_does_not_choose_its_charset);
    g_test_add_func("/html/a page loads nothing", test_page_loads_nothing);
    g_test_add_func("/html/a page is balanced", test_page_is_balanced);
    g_test_add_func(
        "/html/a page may be deep but not absurd", test_page_may_be_deep_but_not_absurd);
    g_test_add_func("/html/knows entities", test_knows_html_entities);
    return g_test_run();
}
