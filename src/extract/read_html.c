#include "base/error.h"
#include "extract/readers.h"
#include "xml/xml.h"

#include <string.h>

typedef struct
{
    Writer *writer;
    int skipping;        /* open elements from the first skipped one on */
    int verbatim;        /* open <pre> elements */
    bool fresh_verbatim; /* a newline right after <pre> does not count */
    int titles;
} Page;

typedef enum
{
    INLINE,
    PARAGRAPH,
    LINE,
    NEWLINE,
    ROW,
    CELL,
    PRE,
    TITLE,
    SKIPPED,
} Role;

typedef struct
{
    const char *name;
    Role role;
} Element;

/* Sorted by name; all others are inline. */
static const Element ELEMENTS[] = {
    {"address", PARAGRAPH},
    {"article", PARAGRAPH},
    {"aside", PARAGRAPH},
    {"blockquote", PARAGRAPH},
    {"body", PARAGRAPH},
    {"br", NEWLINE},
    {"caption", PARAGRAPH},
    {"center", PARAGRAPH},
    {"dd", LINE},
    {"details", PARAGRAPH},
    {"dialog", PARAGRAPH},
    {"dir", PARAGRAPH},
    {"div", PARAGRAPH},
    {"dl", PARAGRAPH},
    {"dt", LINE},
    {"fieldset", PARAGRAPH},
    {"figcaption", PARAGRAPH},
    {"figure", PARAGRAPH},
    {"footer", PARAGRAPH},
    {"form", PARAGRAPH},
    {"h1", PARAGRAPH},
    {"h2", PARAGRAPH},
    {"h3", PARAGRAPH},
    {"h4", PARAGRAPH},
    {"h5", PARAGRAPH},
    {"h6", PARAGRAPH},
    {"header", PARAGRAPH},
    {"hgroup", PARAGRAPH},
    {"hr", PARAGRAPH},
    {"iframe", SKIPPED},
    {"legend", PARAGRAPH},
    {"li", LINE},
    {"main", PARAGRAPH},
    {"menu", PARAGRAPH},
    {"nav", PARAGRAPH},
    {"noscript", SKIPPED},
    {"ol", PARAGRAPH},
    {"optgroup", LINE},
    {"option", LINE},
    {"p", PARAGRAPH},
    {"pre", PRE},
    {"script", SKIPPED},
    {"section", PARAGRAPH},
    {"style", SKIPPED},
    {"summary", PARAGRAPH},
    {"svg", SKIPPED},
    {"table", PARAGRAPH},
    {"td", CELL},
    {"template", SKIPPED},
    {"th", CELL},
    {"title", TITLE},
    {"tr", ROW},
    {"ul", PARAGRAPH},
};

static int
compare_names(const void *key, const void *element)
{
    return strcmp(key, ((const Element *) element)->name);
}

static Role
role_of(const char *name)
{
    const Element *found =
        bsearch(name, ELEMENTS, G_N_ELEMENTS(ELEMENTS), sizeof(ELEMENTS[0]), compare_names);
    return found == NULL ? INLINE : found->role;
}

static bool
is_hidden(const XmlAttributes *attributes)
{
    g_autofree char *hidden = xml_attribute(attributes, "hidden");
    return hidden != NULL;
}

static void
begin_title(Page *page)
{
    writer_paragraph(page->writer);
    if (++page->titles > 1)
        page->skipping = 1;
}

static bool
on_start(void *data, const char *name, const XmlAttributes *attributes)
{
    Page *page = data;
    const Role role = role_of(name);

    if (page->skipping > 0 || role == SKIPPED || is_hidden(attributes))
    {
        page->skipping++;
        return true;
    }
    switch (role)
    {
    case PARAGRAPH:
        writer_paragraph(page->writer);
        break;
    case LINE:
        writer_line(page->writer);
        break;
    case NEWLINE:
        writer_newline(page->writer);
        break;
    case ROW:
        writer_begin_row(page->writer);
        break;
    case CELL:
        writer_begin_cell(page->writer);
        break;
    case PRE:
        writer_paragraph(page->writer);
        page->verbatim++;
        page->fresh_verbatim = true;
        break;
    case TITLE:
        begin_title(page);
        break;
    case INLINE:
    case SKIPPED:
        break;
    }
    return true;
}

static bool
on_end(void *data, const char *name)
{
    Page *page = data;
    if (page->skipping > 0)
    {
        page->skipping--;
        return true;
    }
    switch (role_of(name))
    {
    case PARAGRAPH:
    case TITLE:
        writer_paragraph(page->writer);
        break;
    case LINE:
        writer_line(page->writer);
        break;
    case ROW:
        writer_end_row(page->writer);
        break;
    case CELL:
        writer_end_cell(page->writer);
        break;
    case PRE:
        page->verbatim -= page->verbatim > 0;
        writer_paragraph(page->writer);
        break;
    case NEWLINE:
    case INLINE:
    case SKIPPED:
        break;
    }
    return true;
}

static bool
on_text(void *data, const char *text, size_t length)
{
    Page *page = data;
    if (page->skipping > 0)
        return true;
    if (page->verbatim == 0)
        writer_flowing(page->writer, text, length);
    else if (page->fresh_verbatim && text[0] == '\n')
        writer_verbatim(page->writer, text + 1, length - 1);
    else
        writer_verbatim(page->writer, text, length);
    page->fresh_verbatim = false;
    return !writer_is_full(page->writer);
}

bool
read_html(const char *text, size_t length, Writer *writer, GError **error)
{
    static const XmlHandler handler = {.start = on_start, .end = on_end, .text = on_text};
    Page page = {.writer = writer};

    if (html_parse(text, length, &handler, &page, error))
        return true;
    g_prefix_error(error, "broken: ");
    return false;
}
