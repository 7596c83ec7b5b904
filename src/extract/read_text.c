#include "extract/readers.h"

void
read_text(const char *text, size_t length, Writer *writer)
{
    writer_verbatim(writer, text, length);
}
