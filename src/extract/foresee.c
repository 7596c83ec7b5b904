#include "extract/foresee.h"

#include "base/error.h"
#include "extract/kind.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES 4096

typedef struct
{
    size_t offset;
    const char *bytes;
    size_t length;
    const char *type;
} Signature;

#define AT(offset, bytes, type)                                                                    \
    {                                                                                              \
        offset, bytes, sizeof(bytes) - 1, type                                                     \
    }

/* Of files that people put beside their documents. */
static const Signature SIGNATURES[] = {
    AT(0, "\x89PNG\r\n\x1A\n", "image/png"),
    AT(0, "\xFF\xD8\xFF", "image/jpeg"),
    AT(0, "GIF87a", "image/gif"),
    AT(0, "GIF89a", "image/gif"),
    AT(0, "II*\0", "image/tiff"),
    AT(0, "MM\0*", "image/tiff"),
    AT(8, "WEBP", "image/webp"),
    AT(8, "WAVE", "audio/wav"),
    AT(8, "AVI ", "video/avi"),
    AT(0, "ID3", "audio/mpeg"),
    AT(0, "OggS", "audio/ogg"),
    AT(0, "fLaC", "audio/flac"),
    AT(4, "ftyp", "video/mp4"),
    AT(0, "\x1A\x45\xDF\xA3", "video/webm"),
    AT(0, "\x1F\x8B\x08", "application/gzip"),
    AT(0, "BZh", "application/x-bzip2"),
    AT(0, "\xFD\x37zXZ\0", "application/x-xz"),
    AT(0, "\x28\xB5\x2F\xFD", "application/zstd"),
    AT(0, "7z\xBC\xAF\x27\x1C", "application/x-7z-compressed"),
    AT(0, "Rar!\x1A\x07", "application/x-rar"),
    AT(0, "SQLite format 3\0", "application/x-sqlite3"),
    AT(0,
       "\x7F"
       "ELF",
       "application/x-executable"),
};

/* Archives by their members; what their names end with says it, too. */
static const struct
{
    const char *ending;
    const char *type;
} ARCHIVES[] = {
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ppsx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xlsm", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"epub", "application/epub+zip"},
    {"zip", "application/zip"},
};

static bool G_GNUC_PRINTF(3, 4) refuse(GError **error, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GError *problem = g_error_new_valist(VF_ERROR, VF_ERROR_BAD_INPUT, format, args);
    va_end(args);
    g_propagate_error(error, problem);
    vf_error_hint(error, "%s", remedy);
    return false;
}

static const char *
type_by_signature(const char *head, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(SIGNATURES); i++)
    {
        const Signature *signature = &SIGNATURES[i];
        if (length >= signature->offset + signature->length &&
            memcmp(head + signature->offset, signature->bytes, signature->length) == 0)
            return signature->type;
    }
    return NULL;
}

static bool
holds(const char *head, size_t length, const char *word)
{
    return memmem(head, length, word, strlen(word)) != NULL;
}

/* Unless it may be a Word document by another name. */
static const char *
type_by_ending(const char *head, size_t length, const char *ending)
{
    if (holds(head, length, "word/") ||
        (strcmp(ending, "zip") == 0 && holds(head, length, "[Content_Types].xml")))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(ARCHIVES); i++)
        if (strcmp(ARCHIVES[i].ending, ending) == 0)
            return ARCHIVES[i].type;
    return NULL;
}

/* The media type of what is not read; NULL for all that may be. */
static const char *
unsupported_type(const char *head, size_t length, const ExtractRequest *request)
{
    const char *other = NULL;

    switch (kind_of_bytes(head, length, request))
    {
    case KIND_OTHER:
        return type_by_signature(head, length);
    case KIND_ARCHIVE:
        return type_by_ending(head, length, request->ending);
    case KIND_TEXT:
        kind_of_text(head, length, request, &other);
        return g_strcmp0(other, "text/rtf") == 0 ? other : NULL;
    case KIND_MARKDOWN:
    case KIND_HTML:
    case KIND_PDF:
    case KIND_PROTECTED:
        return NULL;
    }
    g_assert_not_reached();
}

/* In UTF-16 a character of ASCII takes two bytes, and one as text of ours. */
static bool
is_plain_text(const char *head, size_t length, const ExtractRequest *request)
{
    const char *other = NULL;
    const bool marked =
        length >= 2 && (memcmp(head, "\xFF\xFE", 2) == 0 || memcmp(head, "\xFE\xFF", 2) == 0);

    return !marked && memchr(head, '\0', length) == NULL && strcmp(request->ending, "txt") == 0 &&
           kind_of_bytes(head, length, request) == KIND_TEXT &&
           kind_of_text(head, length, request, &other) == KIND_TEXT;
}

static char *
ending_of(const char *name)
{
    const char *dot = name == NULL ? NULL : strrchr(name, '.');
    return g_ascii_strdown(dot == NULL ? "" : dot + 1, -1);
}

bool
extract_foresee(const Document *document, const ExtractOptions *options, GError **error)
{
    char head[HEAD_BYTES];
    struct stat status;
    const ssize_t length = pread(document->fd, head, sizeof head, 0);

    /* The reader will say what is wrong. */
    if (length < 0 || fstat(document->fd, &status) != 0)
        return true;
    if (status.st_size == 0)
        return refuse(
            error, "upload it again, or take it out of the bot's knowledge",
            "empty: it has no bytes");

    g_autofree char *ending = ending_of(document->name);
    const ExtractRequest request = {.ending = ending, .type = "", .charset = "", .pdftotext = ""};
    const char *type = unsupported_type(head, (size_t) length, &request);
    if (type != NULL)
        return refuse(
            error,
            "what is read: txt, md, html, pdf, docx; convert it, or take it out of the bot's "
            "knowledge",
            "unsupported: a document of type %s", type);
    if (status.st_size > options->max_text_bytes && is_plain_text(head, (size_t) length, &request))
        return refuse(
            error, "--max-text-bytes permits more",
            "too large: it has %" G_GINT64_FORMAT " bytes of text, more than %" G_GINT64_FORMAT,
            (gint64) status.st_size, options->max_text_bytes);
    return true;
}
