/*
 * secret.h - keeps passwords out of sight.
 */
#pragma once

#include <stdbool.h>

/*
 * Overwrites the password of a connection address, `postgresql://user:PASSWORD@…` or
 * `password=PASSWORD`, in place; for arguments that ps would show.  True when there was one.
 */
bool secret_hide_password(char *url);

/* A copy of a text, yours, in which every address that stands among other words has lost its
 * password. */
char *secret_hidden(const char *text);
