/*
 * command.h - what every command has in common.
 *
 * A command is one file: it declares its options, checks them, calls one flow and prints the
 * result.  Results go to stdout, talk to stderr.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"

/* The exit status tells what came of it. */
typedef enum
{
    STATUS_DONE = 0,
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_DIFFERENT = 3, /* stores differ, or the world is not the planned one */
    STATUS_PARTIAL = 4,   /* finished, but some bots failed or were skipped */
    STATUS_INTERRUPTED = 130,
} ExitStatus;

typedef struct
{
    char **arguments; /* from the command's name on; NULL-terminated */
    Cancel *cancel;   /* requested by Ctrl-C */
} Invocation;

/* One command: false with the error set, or true with the status; then an error says what ended it
 * early. */
typedef bool (*CommandFunction)(const Invocation *invocation, ExitStatus *status, GError **error);

bool command_init(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_plan(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_apply(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_status(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_verify(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_ask(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_store(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_copy(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_settings(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_embed(const Invocation *invocation, ExitStatus *status, GError **error);
bool command_fault_points(const Invocation *invocation, ExitStatus *status, GError **error);

/* The status that an error ends the program with. */
ExitStatus status_of_error(const GError *error);
