#include "extract/kind.h"

#include "base/error.h"
#include "extract/charset.h"
#include "extract/package.h"

#include <magic.h>
#include <string.h>

#define MAGIC_DATABASE "/usr/share/misc/magic.mgc"

/* PDF readers accept a header that far in. */
#define PDF_HEADER_BYTES 1024

#define CONTENT_TYPES "[Content_Types].xml"
#define UNKNOWN_TYPE "application/octet-stream"

static const char *const NAMES[] = {
    [KIND_TEXT] = "text",   [KIND_MARKDOWN] = "markdown", [KIND_HTML] = "html",
    [KIND_PDF] = "pdf",     [KIND_ARCHIVE] = "docx",      [KIND_PROTECTED] = "protected",
    [KIND_OTHER] = "other",
};

const char *
kind_name(Kind kind)
{
    return NAMES[kind];
}

static bool
begins_with(const char *bytes, size_t length, const char *mark)
{
    const size_t mark_length = strlen(mark);
    return length >= mark_length && memcmp(bytes, mark, mark_length) == 0;
}

static bool
is_named(const ExtractRequest *request, const char *ending, const char *type)
{
    return strcmp(request->ending, ending) == 0 || strcmp(request->type, type) == 0;
}

static bool
is_pdf(const char *bytes, size_t length, const ExtractRequest *request)
{
    if (begins_with(bytes, length, "%PDF-"))
        return true;
    const size_t head = MIN(length, PDF_HEADER_BYTES);
    return memmem(bytes, head, "%PDF-", 5) != NULL &&
           (is_named(request, "pdf", "application/pdf") || charset_is_binary(bytes, length));
}

/* The name of the stream, in UTF-16, that holds an encrypted package. */
static bool
is_protected(const char *bytes, size_t length)
{
    static const char signature[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    static const char stream[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    return begins_with(bytes, length, signature) &&
           memmem(bytes, length, stream, sizeof(stream) - 1) != NULL;
}

Kind
kind_of_bytes(const char *bytes, size_t length, const ExtractRequest *request)
{
    if (is_pdf(bytes, length, request))
        return KIND_PDF;
    if (begins_with(bytes, length, "PK\003\004"))
        return KIND_ARCHIVE;
    if (is_protected(bytes, length))
        return KIND_PROTECTED;
    return charset_is_binary(bytes, length) ? KIND_OTHER : KIND_TEXT;
}

/* --- archives ---------------------------------------------------------------------------- */

typedef struct
{
    const char *mark; /* in the list of content types */
    const char *type; /* NULL: this is what we read */
} OfficeKind;

static const OfficeKind OFFICE_KINDS[] = {
    {"wordprocessingml.document.main+xml", NULL},
    {"wordprocessingml.template.main+xml", NULL},
    {"ms-word.document.macroEnabled.main+xml", NULL},
    {"ms-word.template.macroEnabledTemplate.main+xml", NULL},
    {"spreadsheetml.sheet.main+xml",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"ms-excel.sheet", "application/vnd.ms-excel"},
    {"presentationml.presentation.main+xml",
     "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ms-powerpoint.presentation", "application/vnd.ms-powerpoint"},
};

/* OpenDocument and EPUB begin with a member that holds their type. */
static char *
stated_type(Package *package)
{
    g_autofree char *type = package_beginning(package, "mimetype", 100);
    if (type == NULL || g_strstrip(type)[0] == '\0')
        return g_strdup("application/zip");
    return g_steal_pointer(&type);
}

char *
kind_of_archive(const char *bytes, size_t length, GError **error)
{
    g_autoptr(Package) package = package_open(bytes, length, error);
    if (package == NULL)
        return NULL;

    g_autofree char *types = package_beginning(package, CONTENT_TYPES, (size_t) 256 * 1024);
    for (size_t i = 0; types != NULL && i < G_N_ELEMENTS(OFFICE_KINDS); i++)
        if (strstr(types, OFFICE_KINDS[i].mark) != NULL)
            return g_strdup(OFFICE_KINDS[i].type);
    return package_has(package, "word/document.xml") ? NULL : stated_type(package);
}

/* --- texts --------------------------------------------------------------------------------- */

static const char *
after_spaces(const char *text, const char *end)
{
    while (text < end && g_ascii_isspace(*text))
        text++;
    return text;
}

/* Past white space, comments and an XML prolog. */
static const char *
after_prolog(const char *text, size_t length)
{
    const char *end = text + length;
    const char *next = after_spaces(text, end);
    while (next < end)
    {
        const char *close = NULL;
        if (begins_with(next, (size_t) (end - next), "<!--"))
            close = "-->";
        else if (begins_with(next, (size_t) (end - next), "<?"))
            close = "?>";
        if (close == NULL)
            break;
        const char *closed = g_strstr_len(next, end - next, close);
        if (closed == NULL)
            break;
        next = after_spaces(closed + strlen(close), end);
    }
    return next;
}

static bool
begins_with_tag(const char *text, size_t length, const char *tag)
{
    return length >= strlen(tag) && g_ascii_strncasecmp(text, tag, strlen(tag)) == 0;
}

static bool
is_one_of(const char *word, const char *const *words)
{
    return g_strv_contains(words, word);
}

Kind
kind_of_text(const char *text, size_t length, const ExtractRequest *request, const char **other)
{
    static const char *const html_types[] = {"text/html", "application/xhtml+xml", NULL};
    static const char *const html_endings[] = {"html", "htm", "xhtml", "xht", NULL};
    static const char *const markdown_types[] = {"text/markdown", "text/x-markdown", NULL};
    static const char *const markdown_endings[] = {"md", "markdown", "mdown", "mkd", NULL};

    const char *root = after_prolog(text, length);
    const size_t left = length - (size_t) (root - text);
    if (begins_with_tag(root, left, "<!doctype html") || begins_with_tag(root, left, "<html"))
        return KIND_HTML;

    *other = NULL;
    if (begins_with(text, length, "{\\rtf"))
        *other = "text/rtf";
    else if (begins_with(text, length, "%!PS"))
        *other = "application/postscript";
    else if (begins_with(text, length, "<?xml"))
        *other = "text/xml";
    else if (is_named(request, "eml", "message/rfc822"))
        *other = "message/rfc822";
    if (*other != NULL)
        return KIND_OTHER;

    if (is_one_of(request->type, html_types))
        return KIND_HTML;
    if (is_one_of(request->type, markdown_types) || is_one_of(request->ending, markdown_endings))
        return KIND_MARKDOWN;
    return is_one_of(request->ending, html_endings) ? KIND_HTML : KIND_TEXT;
}

/* --- libmagic ------------------------------------------------------------------------------ */

struct KindMagic
{
    magic_t cookie;
};

KindMagic *
kind_magic_load(void)
{
    KindMagic *magic = g_new0(KindMagic, 1);
    magic->cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_COMPRESS);
    if (magic->cookie != NULL && magic_load(magic->cookie, MAGIC_DATABASE) != 0 &&
        magic_load(magic->cookie, NULL) != 0)
    {
        magic_close(magic->cookie);
        magic->cookie = NULL;
    }
    return magic;
}

char *
kind_ask_magic(KindMagic *magic, const char *bytes, size_t length)
{
    const char *type = magic->cookie == NULL ? NULL : magic_buffer(magic->cookie, bytes, length);
    return g_strdup(type == NULL ? UNKNOWN_TYPE : type);
}

void
kind_magic_free(KindMagic *magic)
{
    if (magic == NULL)
        return;
    if (magic->cookie != NULL)
        magic_close(magic->cookie);
    g_free(magic);
}
