#include "extract/package.h"

#include "base/error.h"

#include <string.h>
#include <zip.h>

#define MAX_MEMBERS 10000
#define MAX_PART_BYTES (200LL * 1000 * 1000)
#define MAX_TOTAL_BYTES (500LL * 1000 * 1000)
#define FREE_BYTES (1000LL * 1000)
#define MAX_RATIO 100

struct Package
{
    zip_t *zip;
    gint64 archive_bytes;
    gint64 inflated_bytes; /* of all parts read so far */
};

/* One part being read. */
typedef struct
{
    Package *package;
    zip_file_t *file;
    gint64 bytes;
    bool too_large;
    bool damaged;
} Part;

static void
set_broken(GError **error, const char *what, const char *why)
{
    g_set_error(error, VF_ERROR, VF_ERROR_BAD_INPUT, "broken: %s: %s", what, why);
}

static zip_t *
open_zip(const char *bytes, size_t length, GError **error)
{
    zip_error_t problem;
    zip_error_init(&problem);
    zip_source_t *source = zip_source_buffer_create(bytes, length, 0, &problem);
    zip_t *zip = source == NULL ? NULL : zip_open_from_source(source, ZIP_RDONLY, &problem);
    if (zip == NULL)
    {
        set_broken(error, "not a readable zip archive", zip_error_strerror(&problem));
        zip_source_free(source);
    }
    zip_error_fini(&problem);
    return zip;
}

Package *
package_open(const char *bytes, size_t length, GError **error)
{
    zip_t *zip = open_zip(bytes, length, error);
    if (zip == NULL)
        return NULL;

    Package *package = g_new0(Package, 1);
    package->zip = zip;
    package->archive_bytes = (gint64) length;
    const zip_int64_t members = zip_get_num_entries(zip, 0);
    if (members <= MAX_MEMBERS)
        return package;

    g_set_error(
        error, VF_ERROR, VF_ERROR_BAD_INPUT,
        "too large: its archive has %" G_GINT64_FORMAT " members, more than %d", (gint64) members,
        MAX_MEMBERS);
    package_free(package);
    return NULL;
}

void
package_free(Package *package)
{
    if (package == NULL)
        return;
    zip_discard(package->zip);
    g_free(package);
}

bool
package_has(Package *package, const char *name)
{
    return zip_name_locate(package->zip, name, 0) >= 0;
}

static bool
is_numbered(const char *name, const char *prefix, const char *suffix)
{
    if (!g_str_has_prefix(name, prefix))
        return false;
    const char *rest = name + strlen(prefix);
    return strcmp(rest + strspn(rest, "0123456789"), suffix) == 0;
}

GPtrArray *
package_numbered(Package *package, const char *prefix, const char *suffix)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const zip_int64_t members = zip_get_num_entries(package->zip, 0);
    for (zip_int64_t i = 0; i < members; i++)
    {
        const char *name = zip_get_name(package->zip, (zip_uint64_t) i, 0);
        if (name != NULL && is_numbered(name, prefix, suffix))
            g_ptr_array_add(names, g_strdup(name));
    }
    return names;
}

static bool
exceeds(const Part *part)
{
    const gint64 inflated = part->package->inflated_bytes;
    return part->bytes > MAX_PART_BYTES || inflated > MAX_TOTAL_BYTES ||
           (inflated > FREE_BYTES && inflated > MAX_RATIO * part->package->archive_bytes);
}

static int
read_part(void *data, char *buffer, int size)
{
    Part *part = data;
    const zip_int64_t got = zip_fread(part->file, buffer, (zip_uint64_t) size);
    if (got < 0)
    {
        part->damaged = true;
        return -1;
    }
    part->bytes += got;
    part->package->inflated_bytes += got;
    if (exceeds(part))
    {
        part->too_large = true;
        return -1;
    }
    return (int) got;
}

static zip_file_t *
open_part(Package *package, const char *name, GError **error)
{
    zip_stat_t facts;
    if (zip_stat(package->zip, name, 0, &facts) == 0 &&
        (facts.valid & ZIP_STAT_ENCRYPTION_METHOD) && facts.encryption_method != ZIP_EM_NONE)
    {
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_BAD_INPUT, "encrypted: its archive opens with a password");
        return NULL;
    }
    zip_file_t *file = zip_fopen(package->zip, name, 0);
    if (file == NULL)
        set_broken(error, name, zip_strerror(package->zip));
    return file;
}

char *
package_beginning(Package *package, const char *name, size_t max_bytes)
{
    zip_file_t *file = open_part(package, name, NULL);
    if (file == NULL)
        return NULL;

    Part part = {.package = package, .file = file};
    g_autofree char *beginning = g_malloc0(max_bytes + 1);
    const int got = read_part(&part, beginning, (int) max_bytes);
    zip_fclose(file);
    return got < 0 ? NULL : g_steal_pointer(&beginning);
}

/* What stopped the reading is the cause, what the parser said of it a consequence. */
static bool
judge(const Part *part, const char *name, bool parsed, GError *problem, GError **error)
{
    g_autoptr(GError) parser_problem = problem;
    if (part->too_large)
        g_set_error(
            error, VF_ERROR, VF_ERROR_BAD_INPUT,
            "too large: its %" G_GINT64_FORMAT " bytes unfold to more than %" G_GINT64_FORMAT,
            part->package->archive_bytes, part->package->inflated_bytes);
    else if (part->damaged)
        set_broken(error, name, "its data are damaged");
    else if (!parsed)
        set_broken(error, name, parser_problem->message);
    else
        return true;
    return false;
}

bool
package_parse(
    Package *package, const char *name, const XmlHandler *handler, void *data, GError **error)
{
    zip_file_t *file = open_part(package, name, error);
    if (file == NULL)
        return false;

    GError *problem = NULL;
    Part part = {.package = package, .file = file};
    const bool parsed = xml_parse(read_part, &part, handler, data, &problem);
    zip_fclose(file);
    return judge(&part, name, parsed, problem, error);
}
