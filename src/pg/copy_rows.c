#include "pg/copy_rows.h"

#include <string.h>

static const guint8 HEADER[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

static void
add(GByteArray *rows, const void *bytes, size_t length)
{
    g_byte_array_append(rows, bytes, (guint) length);
}

static void
add_int16(GByteArray *rows, gint16 value)
{
    const guint16 wire = g_htons((guint16) value);
    add(rows, &wire, sizeof wire);
}

static void
add_int32(GByteArray *rows, gint32 value)
{
    const guint32 wire = g_htonl((guint32) value);
    add(rows, &wire, sizeof wire);
}

GByteArray *
copy_rows_begin(void)
{
    GByteArray *rows = g_byte_array_new();
    add(rows, HEADER, sizeof HEADER - 1); /* signature (11), flags (4), extension length (4) */
    return rows;
}

void
copy_rows_row(GByteArray *rows, int fields)
{
    add_int16(rows, (gint16) fields);
}

void
copy_rows_null(GByteArray *rows)
{
    add_int32(rows, -1);
}

void
copy_rows_bytes(GByteArray *rows, const void *bytes, size_t length)
{
    add_int32(rows, (gint32) length);
    add(rows, bytes, length);
}

void
copy_rows_text(GByteArray *rows, const char *text)
{
    copy_rows_bytes(rows, text, strlen(text));
}

void
copy_rows_int4(GByteArray *rows, gint32 value)
{
    add_int32(rows, sizeof value);
    add_int32(rows, value);
}

void
copy_rows_int8(GByteArray *rows, gint64 value)
{
    const guint64 wire = GUINT64_TO_BE((guint64) value);
    copy_rows_bytes(rows, &wire, sizeof wire);
}

void
copy_rows_vector(GByteArray *rows, const float *values, int dimensions)
{
    add_int32(rows, 4 + 4 * dimensions);
    add_int16(rows, (gint16) dimensions);
    add_int16(rows, 0);
    for (int i = 0; i < dimensions; i++)
    {
        guint32 bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        bits = g_htonl(bits);
        add(rows, &bits, sizeof bits);
    }
}

void
copy_rows_end(GByteArray *rows)
{
    add_int16(rows, -1);
}
