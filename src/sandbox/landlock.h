/*
 * landlock.h - which files a program may read, on kernels that know Landlock.
 */
#pragma once

#include <glib.h>

/*
 * A descriptor of the rules: the paths (and what is below them) may be read and run,
 * everything else may not be touched; TCP and signals to others are refused as well when
 * the kernel can.  Paths that do not exist are passed over.  -1 without an error when
 * the kernel has no Landlock; -1 with one when it has and refused.
 */
int landlock_rules(const char *const *const *path_lists, size_t n_lists, GError **error);
