#include "sandbox/bubblewrap.h"

#include "base/error.h"

static void add(GPtrArray *argv, const char *first, ...) G_GNUC_NULL_TERMINATED;

static void
add(GPtrArray *argv, const char *first, ...)
{
    va_list rest;
    va_start(rest, first);
    for (const char *argument = first; argument != NULL; argument = va_arg(rest, const char *))
        g_ptr_array_add(argv, g_strdup(argument));
    va_end(rest);
}

/* /lib and its like are links into /usr on a merged system, directories elsewhere. */
static void
add_system_directory(GPtrArray *argv, const char *path)
{
    g_autofree char *target = g_file_read_link(path, NULL);
    if (target != NULL)
        add(argv, "--symlink", target, path, NULL);
    else
        add(argv, "--ro-bind-try", path, path, NULL);
}

static void
add_environment(GPtrArray *argv, const char *const *environment)
{
    for (; environment != NULL && *environment != NULL; environment++)
    {
        g_auto(GStrv) pair = g_strsplit(*environment, "=", 2);
        if (g_strv_length(pair) == 2)
            add(argv, "--setenv", pair[0], pair[1], NULL);
    }
}

char *
bubblewrap_path(void)
{
    g_autofree char *path = g_find_program_in_path("bwrap");
    return path != NULL && g_path_is_absolute(path) ? g_steal_pointer(&path) : NULL;
}

char **
bubblewrap_argv(const char *program, const SandboxJob *job)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    add(argv, "bwrap", "--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", NULL);
    add(argv, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv", NULL);
    add_environment(argv, job->environment);

    add(argv, "--ro-bind", "/usr", "/usr", NULL);
    add_system_directory(argv, "/lib");
    add_system_directory(argv, "/lib64");
    add(argv, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", NULL);
    add(argv, "--ro-bind", program, program, NULL);
    for (const char *const *path = job->readable; path != NULL && *path != NULL; path++)
        add(argv, "--ro-bind-try", *path, *path, NULL);
    if (job->proc)
        add(argv, "--proc", "/proc", NULL);
    add(argv, "--remount-ro", "/", "--chdir", "/", NULL);

    g_autofree char *filter_fd = g_strdup_printf("%d", BUBBLEWRAP_FILTER_FD);
    add(argv, "--seccomp", filter_fd, "--", program, NULL);
    for (const char *const *argument = job->argv + 1; *argument != NULL; argument++)
        add(argv, *argument, NULL);
    g_ptr_array_add(argv, NULL);
    return (char **) g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

bool
bubblewrap_complains(const char *talk)
{
    return g_str_has_prefix(talk, "bwrap: ");
}

void
bubblewrap_set_error(GError **error, const char *program, const char *talk)
{
    g_autofree char *valid = g_utf8_make_valid(talk, -1);
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not run %s in the sandbox \"bubblewrap\": %s",
        program, g_strdelimit(g_strchomp(valid), "\n", ' '));
}
