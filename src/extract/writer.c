/*
 * Breaks are only remembered, and written when text follows them: so nothing has to be
 * trimmed afterwards, and of several breaks the strongest wins.
 */
#include "extract/writer.h"

struct Writer
{
    GString *text;
    gint64 max_bytes;
    bool full;

    /* between the last text and the next */
    bool space;
    int newlines; /* at most two */
    int tabs;     /* follow the newlines */

    bool first_cell; /* the row has no cell yet */
    bool fresh_cell; /* the cell has no text yet */
};

Writer *
writer_new(gint64 max_bytes)
{
    Writer *writer = g_new0(Writer, 1);
    writer->text = g_string_new(NULL);
    writer->max_bytes = max_bytes;
    return writer;
}

Writer *
writer_new_like(const Writer *writer)
{
    return writer_new(writer->max_bytes);
}

void
writer_free(Writer *writer)
{
    if (writer == NULL)
        return;
    g_string_free(writer->text, TRUE);
    g_free(writer);
}

static void
append(Writer *writer, const char *text, size_t length)
{
    if (writer->full || (gint64) writer->text->len + (gint64) length > writer->max_bytes)
        writer->full = true;
    else
        g_string_append_len(writer->text, text, (gssize) length);
}

static bool
ends_with(const Writer *writer, char c)
{
    const GString *text = writer->text;
    return text->len > 0 && text->str[text->len - 1] == c;
}

/* Verbatim text may have made a part of them already. */
static int
missing_newlines(const Writer *writer)
{
    const GString *text = writer->text;
    int missing = text->len == 0 ? 0 : writer->newlines;
    for (gsize end = text->len; missing > 0 && end > 0 && text->str[end - 1] == '\n'; end--)
        missing--;
    return missing;
}

static void
write_breaks(Writer *writer)
{
    const bool begins_line =
        writer->text->len == 0 || ends_with(writer, '\n') || ends_with(writer, '\t');

    if (writer->space && writer->newlines == 0 && writer->tabs == 0 && !begins_line)
        append(writer, " ", 1);
    for (int missing = missing_newlines(writer); missing > 0; missing--)
        append(writer, "\n", 1);
    for (; writer->tabs > 0 && !writer->full; writer->tabs--)
        append(writer, "\t", 1);
    writer->space = false;
    writer->newlines = 0;
    writer->tabs = 0;
    writer->fresh_cell = false;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void
writer_flowing(Writer *writer, const char *text, size_t length)
{
    size_t i = 0;
    while (i < length && !writer->full)
    {
        const size_t begin = i;
        while (i < length && !is_space(text[i]))
            i++;
        if (i > begin)
        {
            write_breaks(writer);
            append(writer, text + begin, i - begin);
        }
        while (i < length && is_space(text[i]))
        {
            writer->space = true;
            i++;
        }
    }
}

void
writer_verbatim(Writer *writer, const char *text, size_t length)
{
    if (length == 0)
        return;
    write_breaks(writer);
    append(writer, text, length);
}

void
writer_newline(Writer *writer)
{
    if (writer->newlines < 2)
        writer->newlines++;
}

/* A break that the cell's own beginning or end makes already. */
static bool
is_within_fresh_cell(const Writer *writer)
{
    return writer->fresh_cell || writer->tabs > 0;
}

void
writer_line(Writer *writer)
{
    if (!is_within_fresh_cell(writer))
        writer->newlines = MAX(writer->newlines, 1);
}

void
writer_paragraph(Writer *writer)
{
    if (!is_within_fresh_cell(writer))
        writer->newlines = 2;
}

void
writer_begin_row(Writer *writer)
{
    writer_end_row(writer);
    writer->first_cell = true;
}

/* Empty cells at its end leave no tabs. */
void
writer_end_row(Writer *writer)
{
    writer->tabs = 0;
    writer->fresh_cell = false;
    writer->newlines = MAX(writer->newlines, 1);
}

void
writer_begin_cell(Writer *writer)
{
    if (!writer->first_cell)
        writer->tabs++;
    writer->first_cell = false;
    writer->fresh_cell = true;
}

void
writer_end_cell(Writer *writer)
{
    /* What was said in the cell; before it nothing is pending if it had text. */
    if (!writer->fresh_cell)
        writer->newlines = 0;
    writer->fresh_cell = false;
}

void
writer_append(Writer *writer, const Writer *part)
{
    writer_paragraph(writer);
    writer_verbatim(writer, part->text->str, part->text->len);
    writer_paragraph(writer);
    writer->full = writer->full || part->full;
}

bool
writer_is_full(const Writer *writer)
{
    return writer->full;
}

const GString *
writer_text(const Writer *writer)
{
    return writer->text;
}
