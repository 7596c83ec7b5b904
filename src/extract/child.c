/*
 * The child's side, one process for each document.  It looks at a PDF only far enough to know that
 * it is one, then becomes pdftotext; for everything else it seals itself first.
 */
#include "base/error.h"
#include "extract/charset.h"
#include "extract/extract.h"
#include "extract/kind.h"
#include "extract/protocol.h"
#include "extract/readers.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
    const char *bytes;
    size_t length;
} Input;

static void say(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void
say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *with_end = g_strconcat(g_strdelimit(line, "\n", ' '), "\n", NULL);
    if (write(STDERR_FILENO, with_end, strlen(with_end)) < 0)
        return; /* nobody listens any more */
}

static bool
map_input(Input *input, GError **error)
{
    struct stat status;
    void *bytes = MAP_FAILED;
    if (fstat(STDIN_FILENO, &status) == 0 && status.st_size > 0)
        bytes = mmap(NULL, (size_t) status.st_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (bytes == MAP_FAILED)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not read the document: %s", g_strerror(errno));
        return false;
    }
    *input = (Input){.bytes = bytes, .length = (size_t) status.st_size};
    return true;
}

static bool
write_all(const GString *text, GError **error)
{
    size_t done = 0;
    while (done < text->len)
    {
        const ssize_t wrote = write(STDOUT_FILENO, text->str + done, text->len - done);
        if (wrote < 0 && errno != EINTR)
        {
            g_set_error(
                error, VF_ERROR, VF_ERROR_FAILED, "could not hand on the text: %s",
                g_strerror(errno));
            return false;
        }
        done += wrote < 0 ? 0 : (size_t) wrote;
    }
    return true;
}

static bool
refuse(GError **error, const char *type)
{
    g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "unsupported: a document of type %s", type);
    return false;
}

static bool
seal(const ExtractRequest *request, GError **error)
{
    return !request->seal || sandbox_seal(error);
}

static bool
read_archive(const Input *input, const ExtractRequest *request, Writer *writer, GError **error)
{
    if (!seal(request, error))
        return false;

    GError *problem = NULL;
    g_autofree char *type = kind_of_archive(input->bytes, input->length, &problem);
    if (problem != NULL)
    {
        g_propagate_error(error, problem);
        return false;
    }
    say("kind: %s", type == NULL ? kind_name(KIND_ARCHIVE) : type);
    return type == NULL ? read_docx(input->bytes, input->length, writer, error)
                        : refuse(error, type);
}

static bool
read_other(const Input *input, const ExtractRequest *request, GError **error)
{
    g_autoptr(KindMagic) magic = kind_magic_load();
    if (!seal(request, error))
        return false;
    g_autofree char *type = kind_ask_magic(magic, input->bytes, input->length);
    say("kind: %s", type);
    return refuse(error, type);
}

/* A charset declared outside (HTTP) is nearer to the truth than one inside. */
static GString *
as_utf8(const Input *input, const ExtractRequest *request)
{
    g_autofree char *inside = charset_declared(input->bytes, input->length);
    const char *declared = *request->charset != '\0' ? request->charset : inside;
    g_autofree char *charset = charset_of(input->bytes, input->length, declared);
    return charset_decode(input->bytes, input->length, charset);
}

static bool
read_some_text(const Input *input, const ExtractRequest *request, Writer *writer, GError **error)
{
    if (!seal(request, error))
        return false;

    GString *text = as_utf8(input, request);
    const char *other = NULL;
    const Kind kind = kind_of_text(text->str, text->len, request, &other);
    say("kind: %s", kind == KIND_OTHER ? other : kind_name(kind));

    bool good = true;
    if (kind == KIND_HTML)
        good = read_html(text->str, text->len, writer, error);
    else if (kind == KIND_MARKDOWN)
        good = read_markdown(text->str, text->len, writer, error);
    else if (kind == KIND_OTHER)
        good = refuse(error, other);
    else
        read_text(text->str, text->len, writer);
    g_string_free(text, TRUE);
    return good;
}

/* Does not return when it worked. */
static int
become_pdftotext(const ExtractRequest *request)
{
    say("kind: %s", kind_name(KIND_PDF));
    if (*request->pdftotext != '\0')
        execl(request->pdftotext, "pdftotext", "-enc", "UTF-8", "-", "-", NULL);
    say("could not run pdftotext: %s",
        *request->pdftotext == '\0' ? "it is not installed" : g_strerror(errno));
    return EXTRACT_NO_PDFTOTEXT;
}

static bool
refuse_protected(GError **error)
{
    g_set_error_literal(error, VF_ERROR, VF_ERROR_BAD_INPUT, "encrypted: it opens with a password");
    return false;
}

static bool
read_kind(
    Kind kind, const Input *input, const ExtractRequest *request, Writer *writer, GError **error)
{
    if (kind == KIND_PROTECTED)
        return refuse_protected(error);
    if (kind == KIND_ARCHIVE)
        return read_archive(input, request, writer, error);
    if (kind == KIND_OTHER)
        return read_other(input, request, error);
    return read_some_text(input, request, writer, error);
}

static bool
read_document(const Input *input, const ExtractRequest *request, Kind kind, GError **error)
{
    g_autoptr(Writer) writer = writer_new(request->max_text_bytes);
    if (!read_kind(kind, input, request, writer, error))
        return false;
    if (!writer_is_full(writer))
        return write_all(writer_text(writer), error);

    g_autofree char *limit = extract_size(request->max_text_bytes);
    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT, "too large: it has more than %s of text", limit);
    return false;
}

static int
answer_request(char **arguments)
{
    ExtractRequest request;
    Input input;
    g_autoptr(GError) error = NULL;

    if (!extract_request_parse(&request, arguments))
    {
        say("this command is not for people");
        return EXTRACT_FAILED;
    }
    if (!map_input(&input, &error))
    {
        say("%s", error->message);
        return EXTRACT_FAILED;
    }
    const Kind kind = kind_of_bytes(input.bytes, input.length, &request);
    if (kind == KIND_PDF)
        return become_pdftotext(&request);
    if (read_document(&input, &request, kind, &error))
        return EXTRACT_DONE;
    say("%s", error->message);
    return error->code == VF_ERROR_BAD_INPUT ? EXTRACT_BAD_INPUT : EXTRACT_FAILED;
}

int
extract_child_main(void)
{
    g_auto(GStrv) arguments = sandbox_serve();
    if (arguments == NULL)
        return EXTRACT_DONE;
    _exit(answer_request(arguments)); /* fifty libraries would tidy up what is gone at once */
}
