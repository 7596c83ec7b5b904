#include "base/error.h"
#include "extract/readers.h"
#include "xml/xml.h"

#include <limits.h>
#include <md4c.h>
#include <string.h>

static bool
is_table_cell(MD_BLOCKTYPE type)
{
    return type == MD_BLOCK_TH || type == MD_BLOCK_TD;
}

static int
on_enter_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    (void) detail;
    Writer *writer = data;
    if (type == MD_BLOCK_TR)
        writer_begin_row(writer);
    else if (is_table_cell(type))
        writer_begin_cell(writer);
    else if (type == MD_BLOCK_LI)
        writer_line(writer);
    else if (type != MD_BLOCK_THEAD && type != MD_BLOCK_TBODY)
        writer_paragraph(writer);
    return 0;
}

static int
on_leave_block(MD_BLOCKTYPE type, void *detail, void *data)
{
    (void) detail;
    Writer *writer = data;
    if (type == MD_BLOCK_TR)
        writer_end_row(writer);
    else if (is_table_cell(type))
        writer_end_cell(writer);
    else if (type == MD_BLOCK_LI)
        writer_line(writer);
    else if (type != MD_BLOCK_THEAD && type != MD_BLOCK_TBODY)
        writer_paragraph(writer);
    return 0;
}

static int
on_span(MD_SPANTYPE type, void *detail, void *data)
{
    (void) type;
    (void) detail;
    (void) data;
    return 0;
}

static gunichar
numeric_entity(const char *digits)
{
    const bool hexadecimal = *digits == 'x' || *digits == 'X';
    const guint64 value = g_ascii_strtoull(digits + hexadecimal, NULL, hexadecimal ? 16 : 10);
    return value > 0 && value <= 0x10FFFF && g_unichar_validate((gunichar) value) ? (gunichar) value
                                                                                  : 0xFFFD;
}

/* `&eacute;`, `&#233;` or `&#xe9;`; an unknown one stays as it is written. */
static void
write_entity(Writer *writer, const char *text, size_t length)
{
    g_autofree char *name = g_strndup(text + 1, length - 2);
    const gunichar character = name[0] == '#' ? numeric_entity(name + 1) : html_entity(name);
    char bytes[6];
    if (character == 0)
        writer_flowing(writer, text, length);
    else
        writer_verbatim(writer, bytes, (size_t) g_unichar_to_utf8(character, bytes));
}

static int
on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE length, void *data)
{
    Writer *writer = data;
    switch (type)
    {
    case MD_TEXT_BR:
        writer_newline(writer);
        break;
    case MD_TEXT_SOFTBR:
        writer_flowing(writer, " ", 1);
        break;
    case MD_TEXT_ENTITY:
        write_entity(writer, text, length);
        break;
    case MD_TEXT_CODE:
        writer_verbatim(writer, text, length);
        break;
    case MD_TEXT_NORMAL:
    case MD_TEXT_LATEXMATH:
        writer_flowing(writer, text, length);
        break;
    case MD_TEXT_HTML:
    case MD_TEXT_NULLCHAR:
        break;
    }
    return writer_is_full(writer) ? 1 : 0;
}

bool
read_markdown(const char *text, size_t length, Writer *writer, GError **error)
{
    static const MD_PARSER parser = {
        .flags = MD_DIALECT_GITHUB,
        .enter_block = on_enter_block,
        .leave_block = on_leave_block,
        .enter_span = on_span,
        .leave_span = on_span,
        .text = on_text,
    };
    const int status = length > UINT_MAX ? -1 : md_parse(text, (MD_SIZE) length, &parser, writer);
    if (status >= 0)
        return true;
    g_set_error_literal(
        error, VF_ERROR, VF_ERROR_BAD_INPUT, "broken: the markdown could not be read");
    return false;
}
