/*
 * init.h - a settings file from what a stack of Bedrock Chat tells.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"

#include <glib.h>

typedef struct
{
    const char *stack; /* its name or ARN */
    const char *path;  /* of the file to write */
    bool force;        /* over one that is there */
} InitOptions;

typedef struct
{
    char *stack; /* its name */
    char *region;
    char *version;    /* of the application, as far as can be seen */
    GPtrArray *notes; /* of char *: what a person should know */
} Init;

/*
 * Writes the file, for its owner's eyes only though there is no secret in it.  Settings that are
 * given stay; what the stack tells is added to them.
 */
Init *flow_init(Settings *settings, const InitOptions *options, Cancel *cancel, GError **error);
void init_free(Init *init);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Init, init_free)
