/*
 * A Word document: the bytes as the archive itself and, because a fuzzer does not find
 * checksums, as the main part of a good one.
 */
#include "extract/kind.h"
#include "extract/readers.h"

#include <stdint.h>
#include <string.h>
#include <zip.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_archive(const char *bytes, size_t length)
{
    g_autoptr(Writer) writer = writer_new(100000);
    g_autofree char *type = kind_of_archive(bytes, length, NULL);
    read_docx(bytes, length, writer, NULL);
    g_assert_cmpuint(writer_text(writer)->len, <=, 100000);
}

static void
read_as_part(const uint8_t *data, size_t size)
{
    zip_error_t problem;
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &problem);
    zip_source_keep(target);
    zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, &problem);
    const zip_int64_t part = zip_file_add(
        zip, "word/document.xml", zip_source_buffer(zip, data, size, 0), ZIP_FL_ENC_UTF_8);
    zip_set_file_compression(zip, (zip_uint64_t) part, ZIP_CM_STORE, 0);

    zip_stat_t facts;
    if (zip_close(zip) == 0 && zip_source_stat(target, &facts) == 0 && zip_source_open(target) == 0)
    {
        g_autofree char *bytes = g_malloc(facts.size);
        zip_source_read(target, bytes, facts.size);
        zip_source_close(target);
        read_archive(bytes, facts.size);
    }
    zip_source_free(target);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_archive((const char *) data, size);
    read_as_part(data, size);
    return 0;
}
