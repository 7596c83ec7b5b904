/*
 * The parts of a Word document are alike, so one reader serves them all.  Only local
 * names are compared: the strict variant has other namespaces.
 */
#include "base/error.h"
#include "extract/package.h"
#include "extract/readers.h"

#include <string.h>

#define MAIN_PART "word/document.xml"

typedef struct
{
    Writer *writer;
    int skipping; /* open elements from the first skipped one on */
    int in_run;   /* open runs; a tab elsewhere is a tab stop's definition */
    int in_text;  /* open w:t, m:t, a:t */
} Part;

/*
 * Fallback repeats a text box for old programs, rt is the reading above a Japanese word,
 * moveFrom where moved text was.
 */
static bool
is_skipped(const char *name)
{
    static const char *const skipped[] = {"Fallback", "rt", "moveFrom", "del", NULL};
    return g_strv_contains(skipped, name);
}

static bool
is_block(const char *name)
{
    static const char *const blocks[] = {"p",       "tbl",     "txbxContent", "footnote",
                                         "endnote", "comment", NULL};
    return g_strv_contains(blocks, name);
}

static void
start_in_run(Part *part, const char *name)
{
    if (strcmp(name, "tab") == 0 || strcmp(name, "ptab") == 0)
        writer_verbatim(part->writer, "\t", 1);
    else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0)
        writer_newline(part->writer);
    else if (strcmp(name, "noBreakHyphen") == 0)
        writer_verbatim(part->writer, "-", 1);
}

static bool
on_start(void *data, const char *name, const XmlAttributes *attributes)
{
    (void) attributes;
    Part *part = data;

    if (part->skipping > 0 || is_skipped(name))
        part->skipping++;
    else if (strcmp(name, "t") == 0)
        part->in_text++;
    else if (strcmp(name, "r") == 0)
        part->in_run++;
    else if (strcmp(name, "tr") == 0)
        writer_begin_row(part->writer);
    else if (strcmp(name, "tc") == 0)
        writer_begin_cell(part->writer);
    else if (is_block(name))
        writer_paragraph(part->writer);
    else if (part->in_run > 0)
        start_in_run(part, name);
    return true;
}

static bool
on_end(void *data, const char *name)
{
    Part *part = data;

    if (part->skipping > 0)
        part->skipping--;
    else if (strcmp(name, "t") == 0)
        part->in_text--;
    else if (strcmp(name, "r") == 0)
        part->in_run--;
    else if (strcmp(name, "tr") == 0)
        writer_end_row(part->writer);
    else if (strcmp(name, "tc") == 0)
        writer_end_cell(part->writer);
    else if (is_block(name))
        writer_paragraph(part->writer);
    return true;
}

static bool
on_text(void *data, const char *text, size_t length)
{
    Part *part = data;
    if (part->in_text > 0 && part->skipping == 0)
        writer_verbatim(part->writer, text, length);
    return !writer_is_full(part->writer);
}

static const XmlHandler PART_HANDLER = {.start = on_start, .end = on_end, .text = on_text};

static bool
read_part(Package *package, const char *name, Writer *writer, GError **error)
{
    Part part = {.writer = writer};
    writer_paragraph(writer);
    return writer_is_full(writer) || package_parse(package, name, &PART_HANDLER, &part, error);
}

/* Relationships of the package: the main part need not be called document.xml. */
static bool
on_relationship(void *data, const char *name, const XmlAttributes *attributes)
{
    char **main_part = data;
    if (strcmp(name, "Relationship") != 0)
        return true;

    g_autofree char *type = xml_attribute(attributes, "Type");
    g_autofree char *target = xml_attribute(attributes, "Target");
    if (type == NULL || target == NULL || !g_str_has_suffix(type, "/officeDocument"))
        return true;
    *main_part = g_strdup(*target == '/' ? target + 1 : target);
    return false;
}

static char *
main_part_name(Package *package)
{
    static const XmlHandler handler = {.start = on_relationship};
    char *name = NULL;
    if (package_has(package, "_rels/.rels"))
        package_parse(package, "_rels/.rels", &handler, &name, NULL);
    return name != NULL ? name : g_strdup(MAIN_PART);
}

/* Headers (or footers) of sections and of first, even and odd pages often say the same:
 * each text is taken once. */
static bool
read_distinct(Package *package, const char *prefix, Writer *writer, GError **error)
{
    g_autoptr(GPtrArray) names = package_numbered(package, prefix, ".xml");
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; i < names->len; i++)
    {
        g_autoptr(Writer) part = writer_new_like(writer);
        if (!read_part(package, names->pdata[i], part, error))
            return false;
        if (g_hash_table_add(seen, g_strdup(writer_text(part)->str)))
            writer_append(writer, part);
    }
    return true;
}

static bool
read_notes(Package *package, const char *directory, Writer *writer, GError **error)
{
    static const char *const notes[] = {"footnotes.xml", "endnotes.xml", "comments.xml"};
    for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
    {
        g_autofree char *name = g_strconcat(directory, notes[i], NULL);
        if (package_has(package, name) && !read_part(package, name, writer, error))
            return false;
    }
    return true;
}

bool
read_docx(const char *bytes, size_t length, Writer *writer, GError **error)
{
    g_autoptr(Package) package = package_open(bytes, length, error);
    if (package == NULL)
        return false;

    g_autofree char *main_part = main_part_name(package);
    const char *slash = strrchr(main_part, '/');
    const int prefix = slash == NULL ? 0 : (int) (slash - main_part) + 1;
    g_autofree char *directory = g_strndup(main_part, (gsize) prefix);
    g_autofree char *headers = g_strconcat(directory, "header", NULL);
    g_autofree char *footers = g_strconcat(directory, "footer", NULL);

    return read_distinct(package, headers, writer, error) &&
           read_part(package, main_part, writer, error) &&
           read_distinct(package, footers, writer, error) &&
           read_notes(package, directory, writer, error);
}
