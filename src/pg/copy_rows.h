/*
 * copy_rows.h - rows in the binary form of COPY (PostgreSQL manual, COPY, Binary Format).
 *
 * A begun buffer holds the header; every row announces its number of fields, then
 * adds each of them; the end adds the trailer.
 */
#pragma once

#include <glib.h>

GByteArray *copy_rows_begin(void);
void copy_rows_row(GByteArray *rows, int fields);
void copy_rows_null(GByteArray *rows);
void copy_rows_text(GByteArray *rows, const char *text);
void copy_rows_bytes(GByteArray *rows, const void *bytes, size_t length);
void copy_rows_int4(GByteArray *rows, gint32 value);
void copy_rows_int8(GByteArray *rows, gint64 value);

/* pgvector's vector: int16 dimensions, int16 zero, float4 each (vector_send of pgvector 0.8). */
void copy_rows_vector(GByteArray *rows, const float *values, int dimensions);

void copy_rows_end(GByteArray *rows);
