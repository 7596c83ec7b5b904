/*
 * copy_definitions.h - makes in the target what the source's tables are: what rows need before
 * them, what is better made when they are there after them.
 *
 * After the rows come keys and ordinary indexes, several at a time; then what builds on them, in
 * its order (foreign keys, triggers, views); then materialised views are filled; then vector
 * indexes, which take longest, several at a time.  One that fails is told as a problem of the copy
 * and stops only what builds on it.
 */
#pragma once

#include "flow/copy_workers.h"
#include "index/describe.h"

typedef struct CopyDefinitions CopyDefinitions;

typedef struct
{
    Snapshot *snapshot;
    Pg *target;
    bool as_replica;         /* triggers and foreign keys of the target are silent */
    const GPtrArray *tables; /* of Table: those that are copied */
    bool only_tables;        /* tables or schemas were named */
    bool keep_indexes;       /* vector indexes shall be as they are in the source */
    bool again;              /* a finished copy is to be made again */
    const char *run;
    CopyNews *news;
    Cancel *cancel;
} DefinitionPlace;

/* Makes what rows need.  The place is borrowed as long as the result lives; NULL with the error. */
CopyDefinitions *copy_definitions_begin(const DefinitionPlace *place, GError **error);
void copy_definitions_free(CopyDefinitions *definitions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyDefinitions, copy_definitions_free)

/* What becomes of the source's vector indexes. */
typedef struct
{
    bool keep; /* as they are */
    bool none; /* not made */
    IndexWish wish;
    gint64 memory; /* for all builds together; 0: by what the server says */
} IndexChoice;

/* Makes the rest.  Problems stand in the progress; false only for what stops a copy. */
bool copy_definitions_end(
    CopyDefinitions *definitions, const CopyWork *work, const IndexChoice *choice, GError **error);

/* Writes down that nothing is missing; to be asked by the next command. */
bool copy_definitions_complete(CopyDefinitions *definitions, GError **error);
bool copy_definitions_were_complete(const CopyDefinitions *definitions);
