#include "aws/profile.h"

#include "aws/ini.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE_BYTES (1024 * 1024)

struct AwsFiles
{
    char *paths[2]; /* by AwsFile, as is the next */
    AwsIni *files[2];
};

/* ------------------------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------------------------ */

static char *
home_folder(void)
{
    const char *home = g_getenv("HOME");
    return g_strdup(home != NULL && *home != '\0' ? home : g_get_home_dir());
}

/* The path that the variable names, "~" standing for the home folder; else the usual one. */
static char *
path_of(const char *variable, const char *name)
{
    const char *path = g_getenv(variable);
    g_autofree char *home = home_folder();

    if (path == NULL || *path == '\0')
        return g_build_filename(home, ".aws", name, NULL);
    return g_str_has_prefix(path, "~/") ? g_build_filename(home, path + 2, NULL) : g_strdup(path);
}

/* Reads until the end, or fills the buffer; bytes got, -1 for a failure. */
static ssize_t
read_all(int fd, char *bytes, size_t size)
{
    size_t length = 0;

    while (length < size)
    {
        const ssize_t got = read(fd, bytes + length, size - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        length += (size_t) got;
    }
    return (ssize_t) length;
}

/* One who need not exist. */
static AwsIni *
read_file(const char *path, GError **error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return aws_ini_read("", 0, path, error);

    g_autofree char *bytes = g_malloc(MAX_FILE_BYTES + 1);
    const ssize_t length = fd >= 0 ? read_all(fd, bytes, MAX_FILE_BYTES + 1) : -1;
    const int problem = errno;
    AwsIni *ini = NULL;
    if (fd >= 0)
        close(fd);
    if (length < 0)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "could not read %s: %s", path, g_strerror(problem));
    else if (length > MAX_FILE_BYTES)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "%s is larger than %d bytes", path, MAX_FILE_BYTES);
    else
        ini = aws_ini_read(bytes, (size_t) length, path, error);
    if (length > 0)
        explicit_bzero(bytes, (size_t) length);
    return ini;
}

AwsFiles *
aws_files_read(GError **error)
{
    g_autoptr(AwsFiles) files = g_new0(AwsFiles, 1);

    files->paths[AWS_CREDENTIALS_FILE] = path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    files->paths[AWS_CONFIG_FILE] = path_of("AWS_CONFIG_FILE", "config");
    for (size_t i = 0; i < G_N_ELEMENTS(files->files); i++)
    {
        files->files[i] = read_file(files->paths[i], error);
        if (files->files[i] == NULL)
            return NULL;
    }
    return g_steal_pointer(&files);
}

void
aws_files_free(AwsFiles *files)
{
    if (files == NULL)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(files->files); i++)
    {
        g_free(files->paths[i]);
        aws_ini_free(files->files[i]);
    }
    g_free(files);
}

/* ------------------------------------------------------------------------------------------
 * Looking up
 * ------------------------------------------------------------------------------------------ */

const char *
aws_default_profile(void)
{
    static const char *const VARIABLES[] = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"};

    for (size_t i = 0; i < G_N_ELEMENTS(VARIABLES); i++)
    {
        const char *profile = g_getenv(VARIABLES[i]);
        if (profile != NULL && *profile != '\0')
            return profile;
    }
    return "default";
}

const char *
aws_file_path(const AwsFiles *files, AwsFile file)
{
    return files->paths[file];
}

/* The config file calls it [profile NAME], and the default one also [default]. */
static char *
section_of(const AwsFiles *files, AwsFile file, const char *profile)
{
    g_autofree char *long_name = g_strconcat("profile ", profile, NULL);

    if (file == AWS_CREDENTIALS_FILE)
        return g_strdup(profile);
    if (strcmp(profile, "default") == 0 && !aws_ini_has(files->files[file], long_name))
        return g_strdup(profile);
    return g_steal_pointer(&long_name);
}

static const char *
value_in_file(const AwsFiles *files, AwsFile file, const char *profile, const char *name)
{
    g_autofree char *section = section_of(files, file, profile);
    return aws_ini_value(files->files[file], section, name);
}

bool
aws_has_profile(const AwsFiles *files, const char *profile)
{
    g_autofree char *section = section_of(files, AWS_CONFIG_FILE, profile);
    return aws_ini_has(files->files[AWS_CREDENTIALS_FILE], profile) ||
           aws_ini_has(files->files[AWS_CONFIG_FILE], section);
}

const char *
aws_profile_value(const AwsFiles *files, const char *profile, const char *name)
{
    const char *value = value_in_file(files, AWS_CREDENTIALS_FILE, profile, name);
    return value != NULL ? value : value_in_file(files, AWS_CONFIG_FILE, profile, name);
}

AwsKeys *
aws_profile_keys(const AwsFiles *files, AwsFile file, const char *profile, GError **error)
{
    const char *access_key = value_in_file(files, file, profile, "aws_access_key_id");
    const char *secret_key = value_in_file(files, file, profile, "aws_secret_access_key");

    if (access_key != NULL && secret_key != NULL)
        return aws_keys_new(
            access_key, secret_key, value_in_file(files, file, profile, "aws_session_token"),
            G_MAXINT64);
    if (access_key != NULL || secret_key != NULL)
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "profile \"%s\" in %s has no %s", profile,
            files->paths[file], access_key != NULL ? "aws_secret_access_key" : "aws_access_key_id");
    return NULL;
}

const char *
aws_section_value(const AwsFiles *files, const char *kind, const char *section, const char *name)
{
    g_autofree char *full = g_strdup_printf("%s %s", kind, section);
    return aws_ini_value(files->files[AWS_CONFIG_FILE], full, name);
}

const char *
aws_nested_value(
    const AwsFiles *files, const char *kind, const char *section, const char *group,
    const char *name)
{
    g_autofree char *full = g_strdup_printf("%s %s", kind, section);
    return aws_ini_nested(files->files[AWS_CONFIG_FILE], full, group, name);
}
