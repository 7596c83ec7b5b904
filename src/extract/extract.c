/*
 * The parent's side.  It never looks into a document: it runs the child, believes how the
 * child ended, and normalises what the child wrote, which is foreign text like any other.
 */
#include "extract/extract.h"

#include "base/error.h"
#include "extract/normalise.h"
#include "extract/protocol.h"
#include "sandbox/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unicode/uchar.h>
#include <unistd.h>

#define MEGABYTE (1000LL * 1000)

/* A line of the child's in a message of ours. */
#define MAX_QUOTED_CHARACTERS 200

/*
 * A program that watches its memory maps the whole address space and looks at /proc, and
 * cannot trace itself for leaks in a sandbox.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

void
extract_options_init(ExtractOptions *options)
{
    *options = (ExtractOptions){
        .program = "/proc/self/exe",
        .max_input_bytes = 50 * MEGABYTE,
        .max_text_bytes = 20 * MEGABYTE,
        .timeout_s = 60,
        .max_memory_bytes = 512LL * 1024 * 1024,
        .sandbox = "auto",
    };
}

struct Extractor
{
    ExtractOptions options;
    SandboxMode mode;
    char *pdftotext;
    SandboxHost *host; /* NULL before the first document */
};

Extractor *
extractor_new(const ExtractOptions *options)
{
    Extractor *extractor = g_new0(Extractor, 1);
    extractor->options = *options;
    return extractor;
}

void
extractor_free(Extractor *extractor)
{
    if (extractor == NULL)
        return;
    sandbox_host_free(extractor->host);
    g_free(extractor->pdftotext);
    g_free(extractor);
}

static bool set_bad_input(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
set_bad_input(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GError *problem = g_error_new_valist(VF_ERROR, VF_ERROR_BAD_INPUT, format, args);
    va_end(args);
    g_propagate_error(error, problem);
    return false;
}

/* --- what is asked ------------------------------------------------------------------------ */

/* Names and types are hostile text; a ps listing need not show a document's name either. */
static char *
safe_word(const char *word, size_t max_length, const char *also)
{
    if (word == NULL || strlen(word) > max_length)
        return g_strdup("");
    for (const char *c = word; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr(also, *c) == NULL)
            return g_strdup("");
    return g_ascii_strdown(word, -1);
}

static char *
ending_of(const char *name)
{
    const char *dot = name == NULL ? NULL : strrchr(name, '.');
    return safe_word(dot == NULL ? NULL : dot + 1, 10, "");
}

/* Absolute, because the child is elsewhere; "" when it is not installed. */
static char *
find_pdftotext(void)
{
    g_autofree char *path = g_find_program_in_path("pdftotext");
    return g_strdup(path != NULL && g_path_is_absolute(path) ? path : "");
}

static bool
check_size(const Document *document, const ExtractOptions *options, GError **error)
{
    struct stat status;
    if (fstat(document->fd, &status) != 0 || lseek(document->fd, 0, SEEK_SET) != 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not read the document: %s", g_strerror(errno));
        return false;
    }
    if (status.st_size == 0)
        return set_bad_input(error, "empty: it has no bytes");
    if (status.st_size <= options->max_input_bytes)
        return true;

    g_autofree char *size = extract_size(status.st_size);
    g_autofree char *limit = extract_size(options->max_input_bytes);
    return set_bad_input(error, "too large: it has %s, more than %s", size, limit);
}

static bool
prepare_host(Extractor *extractor, GError **error)
{
    if (extractor->host != NULL)
        return true;
    if (!sandbox_choose(extractor->options.sandbox, &extractor->mode, error))
        return false;

    extractor->pdftotext = find_pdftotext();
    const char *const no_leak_check[] = {"ASAN_OPTIONS=detect_leaks=0", NULL};
    const char *const tools[] = {*extractor->pdftotext == '\0' ? NULL : extractor->pdftotext, NULL};
    const SandboxJob program = {
        .argv = (const char *const[]){extractor->options.program, EXTRACT_COMMAND, NULL},
        .environment = IS_SANITIZED ? no_leak_check : NULL,
        .readable = tools,
        .proc = IS_SANITIZED,
    };
    extractor->host = sandbox_host_new(extractor->mode, &program);
    return true;
}

static SandboxResult *
run_child(const Extractor *extractor, const Document *document, Cancel *cancel, GError **error)
{
    const ExtractOptions *options = &extractor->options;
    g_autofree char *ending = ending_of(document->name);
    g_autofree char *type = safe_word(document->content_type, 100, "/+-.");
    g_autofree char *charset = safe_word(document->charset, 40, "-_.:");
    const ExtractRequest request = {
        .seal = extractor->mode != SANDBOX_OFF,
        .max_text_bytes = options->max_text_bytes,
        .ending = ending,
        .type = type,
        .charset = charset,
        .pdftotext = extractor->pdftotext,
    };
    g_auto(GStrv) arguments = extract_request_argv(&request);
    const SandboxJob job = {
        .argv = (const char *const *) arguments,
        .input_fd = document->fd,
        .max_output_bytes = options->max_text_bytes,
        .max_memory_bytes = IS_SANITIZED ? 0 : options->max_memory_bytes,
        .timeout_s = options->timeout_s,
    };
    return sandbox_host_run(extractor->host, &job, cancel, error);
}

/* --- what came of it ------------------------------------------------------------------------ */

static bool
is_pdf(const SandboxResult *result)
{
    return g_str_has_prefix(result->talk->str, "kind: pdf\n");
}

/* A line that is fit for a message. */
static char *
quotable(const char *line)
{
    g_autofree char *valid = g_utf8_make_valid(line, -1);
    GString *text = g_string_new(NULL);
    glong characters = 0;
    for (const char *c = valid; *c != '\0' && characters < MAX_QUOTED_CHARACTERS;
         c += g_utf8_skip[(guchar) *c], characters++)
    {
        const gunichar character = g_utf8_get_char(c);
        if (g_unichar_isprint(character))
            g_string_append_unichar(text, character);
        else
            g_string_append_c(text, ' ');
    }
    return g_strstrip(g_string_free(text, FALSE));
}

static bool
is_kind_line(const char *line)
{
    return g_str_has_prefix(line, "kind: ");
}

/* The last thing that the child itself said. */
static char *
last_line(const SandboxResult *result)
{
    g_auto(GStrv) lines = g_strsplit(result->talk->str, "\n", -1);
    const char *chosen = "it did not say why";
    for (char **line = lines; *line != NULL; line++)
        if (**line != '\0' && !is_kind_line(*line))
            chosen = *line;
    return quotable(chosen);
}

/* pdftotext says much; its first error explains the others. */
static char *
first_error(const SandboxResult *result)
{
    g_auto(GStrv) lines = g_strsplit(result->talk->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (strstr(*line, "Error") != NULL)
            return quotable(*line);
    return last_line(result);
}

static bool
said(const SandboxResult *result, const char *words)
{
    return strstr(result->talk->str, words) != NULL;
}

static bool
ran_out_of_memory(const SandboxResult *result)
{
    return said(result, "failed to allocate") || said(result, "Out of memory") ||
           said(result, "bad_alloc") || said(result, "not enough memory");
}

static bool
set_too_much_memory(const ExtractOptions *options, GError **error)
{
    g_autofree char *limit = extract_size(options->max_memory_bytes);
    return set_bad_input(error, "too large: reading it needs more than %s of memory", limit);
}

static bool
is_blank(const char *text)
{
    for (const char *c = text; *c != '\0'; c += g_utf8_skip[(guchar) *c])
        if (!u_isUWhiteSpace((UChar32) g_utf8_get_char(c)))
            return false;
    return true;
}

/* Text decides: pdftotext fails also for damage that cost nothing. */
static bool
judge_pdf(const SandboxResult *result, const char *text, GError **error)
{
    if (!is_blank(text))
        return true;
    if (said(result, "Incorrect password"))
        return set_bad_input(error, "encrypted: it opens with a password");
    if (result->status == 0)
        return set_bad_input(
            error, "empty: there is no text in it, only images? OCR is not supported");
    g_autofree char *why = first_error(result);
    return set_bad_input(error, "broken: %s", why);
}

static bool
set_no_pdftotext(const SandboxResult *result, GError **error)
{
    g_autofree char *why = last_line(result);
    g_set_error_literal(error, VF_ERROR, VF_ERROR_FAILED, why);
    vf_error_hint(error, "install poppler-utils");
    return false;
}

/* Of a child that ended by itself. */
static bool
judge_exit(const SandboxResult *result, const char *text, GError **error)
{
    if (result->status == EXTRACT_NO_PDFTOTEXT)
        return set_no_pdftotext(result, error);
    if (is_pdf(result))
        return judge_pdf(result, text, error);
    if (result->status == EXTRACT_DONE)
        return !is_blank(text) || set_bad_input(error, "empty: there is no text in it");

    g_autofree char *why = last_line(result);
    if (result->status == EXTRACT_BAD_INPUT)
        return set_bad_input(error, "%s", why);
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "the extractor did not work (exit status %d): %s",
        result->status, why);
    return false;
}

static bool
judge(const SandboxResult *result, const char *text, const ExtractOptions *options, GError **error)
{
    g_autofree char *text_limit = extract_size(options->max_text_bytes);
    switch (result->end)
    {
    case SANDBOX_TIMED_OUT:
        return set_bad_input(error, "took too long: more than %d s", options->timeout_s);
    case SANDBOX_OUTPUT_TOO_LARGE:
        return set_bad_input(error, "too large: it has more than %s of text", text_limit);
    case SANDBOX_SIGNALLED:
        return ran_out_of_memory(result)
                   ? set_too_much_memory(options, error)
                   : set_bad_input(error, "broken: reading it crashed (signal %d)", result->status);
    case SANDBOX_EXITED:
        break;
    }
    if (result->status != EXTRACT_DONE && ran_out_of_memory(result))
        return set_too_much_memory(options, error);
    if ((gint64) strlen(text) > options->max_text_bytes)
        return set_bad_input(error, "too large: it has more than %s of text", text_limit);
    return judge_exit(result, text, error);
}

char *
extractor_text(Extractor *extractor, const Document *document, Cancel *cancel, GError **error)
{
    const ExtractOptions *options = &extractor->options;
    if (!check_size(document, options, error) || !prepare_host(extractor, error))
        return NULL;
    g_autoptr(SandboxResult) result = run_child(extractor, document, cancel, error);
    if (result == NULL)
        return NULL;

    g_autofree char *text = normalise_text(result->output->str, result->output->len);
    return judge(result, text, options, error) ? g_steal_pointer(&text) : NULL;
}
