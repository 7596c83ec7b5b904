/*
 * options.h - a command's options, most of which are settings.
 */
#pragma once

#include "cli/command.h"

typedef struct
{
    const char *usage;       /* what follows the command's name: "[PLAN]" */
    const char *summary;     /* the first lines of --help */
    const char *description; /* the last lines of --help; NULL for none */
    const Setting *settings; /* ends with SETTING_COUNT; NULL for none */
    const GOptionEntry *own; /* options that are no settings; NULL for none */
    bool reads_no_file;      /* settings are options only: there is no --config */
} OptionsInfo;

/*
 * Parses the arguments, then reads `--config FILE`, or vecferry.conf when it is in the current
 * folder.  `rest`, unless NULL, gets what is no option (yours); otherwise there must be nothing.
 */
Settings *options_parse(
    const Invocation *invocation, const OptionsInfo *info, char ***rest, GError **error);

/* The settings of groups of commands. */
extern const Setting SETTINGS_OF_A_RUN[];   /* plan, apply */
extern const Setting SETTINGS_OF_A_STORE[]; /* store create */
extern const Setting SETTINGS_OF_VERIFY[];
extern const Setting SETTINGS_OF_ASK[];
extern const Setting SETTINGS_OF_COPY[];
extern const Setting SETTINGS_OF_STATE[]; /* status */
extern const Setting SETTINGS_OF_INIT[];
