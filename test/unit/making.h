/*
 * making.h - small documents, made for a test.
 */
#pragma once

#include <glib.h>
#include <string.h>
#include <zip.h>

typedef struct
{
    const char *name;
    const char *content;
} Member;

/* An archive of the members, ended by one without a name. */
static inline GBytes *
make_zip(const Member *members)
{
    zip_error_t problem;
    zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &problem);
    zip_source_keep(target);
    zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, &problem);
    g_assert_nonnull(zip);
    for (; members->name != NULL; members++)
    {
        zip_source_t *content =
            zip_source_buffer(zip, members->content, strlen(members->content), 0);
        g_assert_cmpint(zip_file_add(zip, members->name, content, ZIP_FL_ENC_UTF_8), >=, 0);
    }
    g_assert_cmpint(zip_close(zip), ==, 0);

    zip_stat_t facts;
    g_assert_cmpint(zip_source_stat(target, &facts), ==, 0);
    char *bytes = g_malloc(facts.size);
    g_assert_cmpint(zip_source_open(target), ==, 0);
    g_assert_cmpint(zip_source_read(target, bytes, facts.size), ==, (zip_int64_t) facts.size);
    zip_source_close(target);
    zip_source_free(target);
    return g_bytes_new_take(bytes, facts.size);
}

#define DOCX_TYPES                                                                                 \
    "<Types xmlns='urn:t'><Override PartName='/word/document.xml' ContentType='application/"       \
    "vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>"

/* A Word document whose document.xml is that. */
static inline GBytes *
make_docx_part(const char *document)
{
    const Member members[] = {
        {"[Content_Types].xml", DOCX_TYPES}, {"word/document.xml", document}, {NULL, NULL}};
    return make_zip(members);
}

#define DOCX_OPEN "<w:document xmlns:w='urn:w' xmlns:mc='urn:mc' xmlns:m='urn:m'><w:body>"
#define DOCX_CLOSE "</w:body></w:document>"

/* A Word document with that in its body. */
static inline GBytes *
make_docx(const char *body)
{
    g_autofree char *document = g_strconcat(DOCX_OPEN, body, DOCX_CLOSE, NULL);
    return make_docx_part(document);
}
