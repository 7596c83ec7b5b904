/*
 * Landlock has no wrapper in the C library, and the kernel's headers of an older system
 * lack the newer half of it; so structure and numbers stand here.
 */
#include "sandbox/landlock.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1

#define FS_EXECUTE (1ULL << 0)
#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIR (1ULL << 3)

typedef struct
{
    uint64_t handled_fs;
    uint64_t handled_net; /* since version 4 */
    uint64_t scoped;      /* since version 6 */
} RulesetAttributes;

typedef struct
{
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed)) PathRule;

static int
landlock_version(void)
{
    return (int) syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
}

/* Everything that this version can refuse. */
static int
create_ruleset(int version)
{
    int fs_bits = 13;
    if (version >= 2)
        fs_bits = 14; /* moving between directories */
    if (version >= 3)
        fs_bits = 15; /* truncating */
    if (version >= 5)
        fs_bits = 16; /* ioctl on devices */

    const RulesetAttributes attributes = {
        .handled_fs = (1ULL << fs_bits) - 1,
        .handled_net = 3, /* TCP: bind, connect */
        .scoped = 3,      /* abstract sockets, signals */
    };
    size_t size = sizeof(attributes.handled_fs);
    if (version >= 4)
        size += sizeof(attributes.handled_net);
    if (version >= 6)
        size += sizeof(attributes.scoped);
    return (int) syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
}

/* True also for a path that does not exist. */
static bool
allow_path(int ruleset, const char *path)
{
    const int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;

    struct stat status;
    PathRule rule = {.allowed = FS_EXECUTE | FS_READ_FILE, .parent_fd = fd};
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        rule.allowed |= FS_READ_DIR;
    const bool allowed = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    close(fd);
    return allowed;
}

int
landlock_rules(const char *const *const *path_lists, size_t n_lists, GError **error)
{
    const int version = landlock_version();
    if (version < 1)
        return -1;

    const int ruleset = create_ruleset(version);
    bool good = ruleset >= 0;
    for (size_t i = 0; i < n_lists; i++)
        for (const char *const *path = path_lists[i]; good && path != NULL && *path != NULL; path++)
            good = allow_path(ruleset, *path);
    if (good)
        return ruleset;

    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not make the file rules: %s", g_strerror(errno));
    if (ruleset >= 0)
        close(ruleset);
    return -1;
}
