/*
 * copy.h - whole tables from one database to another, row for row, and can be interrupted
 * anywhere.
 *
 * What has landed is known by the target alone, so the same command goes on from any
 * machine: parts whose rows are still the same in the source stay, the others are copied
 * again.  The source is only read.  Definitions come with the rows, unless only rows are wanted
 * (flow/copy_definitions.h); those that could not be made stand in the progress as problems.
 */
#pragma once

#include "base/cancel.h"
#include "base/settings.h"
#include "flow/copy_news.h"

/* The lists are patterns (table/pattern.h), NULL or NULL-terminated. */
typedef struct
{
    char *const *tables;
    char *const *schemas;
    char *const *excluded;
    bool replace;   /* tables with rows of others are emptied first */
    bool append;    /* rows of others stay */
    bool data_only; /* no definitions: all tables are there */
} CopyOptions;

/*
 * The copy as it ended, yours; `finished_before` is set when an earlier command had done all of it
 * and nothing was done now.  NULL with the error otherwise; then the same command goes on.
 */
CopyProgress *flow_copy(
    const Settings *settings, const CopyOptions *options, const CopyListener *listener,
    Cancel *cancel, GError **error);
