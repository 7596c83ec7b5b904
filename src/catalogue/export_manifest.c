#include "catalogue/export_manifest.h"

#include "base/error.h"
#include "base/json.h"
#include "catalogue/byte_stream.h"
#include "catalogue/file_list.h"

#include <string.h>

enum
{
    MAX_MANIFEST_BYTES = 16 * 1024 * 1024,
    READ_BYTES = 64 * 1024,
};

static const char FILES_MANIFEST[] = "manifest-files.json";
static const char SUMMARY_MANIFEST[] = "manifest-summary.json";

bool
export_manifest_is(const char *file_name)
{
    return strcmp(file_name, FILES_MANIFEST) == 0 || strcmp(file_name, SUMMARY_MANIFEST) == 0;
}

static char *
read_text(const char *path, GError **error)
{
    const int fd = file_list_open(path, error);
    if (fd < 0)
        return NULL;

    g_autoptr(ByteStream) bytes = byte_stream_new(fd);
    GString *text = g_string_new(NULL);
    g_autofree char *buffer = g_malloc(READ_BYTES);
    ssize_t got = 0;
    while ((got = byte_stream_read(bytes, buffer, READ_BYTES, error)) > 0 &&
           text->len <= MAX_MANIFEST_BYTES)
        g_string_append_len(text, buffer, got);

    if (got > 0)
        g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "it is too large");
    return g_string_free(text, got != 0);
}

/* One line: the key in S3 of a data file, of which the last part is the file's name. */
static ListedFile *
read_line(const char *folder, const char *line)
{
    g_autoptr(Json) json = json_loads(line, 0, NULL);
    const Json *items = json_object_get(json, "itemCount");
    const char *key = json_text(json, "dataFileS3Key");

    if (key == NULL || !json_is_integer(items) || json_integer_value(items) < 0)
        return NULL;
    const char *slash = strrchr(key, '/');
    const char *name = slash != NULL ? slash + 1 : key;
    if (*name == '\0' || *name == '.')
        return NULL;
    g_autofree char *path = g_build_filename(folder, "data", name, NULL);
    return listed_file_new(path, json_integer_value(items));
}

static GPtrArray *
read_lines(const char *folder, const char *text, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify) listed_file_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i] != NULL; i++)
    {
        if (*g_strstrip(lines[i]) == '\0')
            continue;
        ListedFile *file = read_line(folder, lines[i]);
        if (file == NULL)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_BAD_INPUT,
                "line %u: no \"itemCount\" and \"dataFileS3Key\" of a full export", i + 1);
            return NULL;
        }
        g_ptr_array_add(files, file);
    }
    return g_steal_pointer(&files);
}

GPtrArray *
export_manifest_read(const char *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder, FILES_MANIFEST, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NULL;

    g_autofree char *text = read_text(path, error);
    GPtrArray *files = text != NULL ? read_lines(folder, text, error) : NULL;
    if (files == NULL)
        g_prefix_error(error, "could not read the export's manifest \"%s\": ", path);
    return files;
}
