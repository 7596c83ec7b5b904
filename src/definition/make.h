/*
 * make.h - makes definitions in the target, each once.
 *
 * What was made is marked in the schema `vecferry` in the transaction that made it, so that a
 * command which was killed goes on where it was.  What stands in the target already is left as it
 * is when it is the same, and refused when it is not.
 */
#pragma once

#include "definition/definition.h"
#include "pg/pg.h"

typedef struct Making Making;

/*
 * Reads the marks of the run.  `existing` is a dump of the target (an array of Definition,
 * borrowed), NULL when there is no telling.
 */
Making *making_new(Pg *target, const char *run, const GPtrArray *existing, GError **error);
void making_free(Making *making);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Making, making_free)

/* True when it stands in the target; VF_ERROR_MISMATCH when something else stands in its place. */
bool making_has(const Making *making, const Definition *definition, bool *there, GError **error);

/* True when this run made it, or found it and has seen to it. */
bool making_is_marked(const Making *making, const Definition *definition);

/*
 * All that comes before the rows, in one transaction.  What a role without superuser's rights may
 * be refused (extensions other than vector, privileges, comments) is told in `notes` instead.
 */
bool making_before_rows(
    Making *making, Pg *target, const GPtrArray *definitions, GPtrArray *notes, GError **error);

/* One definition in a transaction of its own; `text` instead of its own SQL, unless NULL.  From any
 * thread. */
bool making_one(
    const Making *making, Pg *target, const Definition *definition, const char *text,
    GError **error);

/* The same for one that may be refused: told in `notes`. */
bool making_optional(
    const Making *making, Pg *target, const Definition *definition, GPtrArray *notes,
    GError **error);
bool definition_is_optional(const Definition *definition);

/* That everything is made: what a finished run can say. */
bool making_set_complete(const Making *making, Pg *target, GError **error);
bool making_is_complete(const Making *making);
bool making_forget_complete(Making *making, Pg *target, GError **error);

/*
 * Takes away the foreign keys and triggers that this run made, where they would act on copied rows.
 * They come again after the rows.
 */
bool making_silence(
    Making *making, Pg *source, Pg *target, const GPtrArray *definitions, GError **error);

/* Indexes of the target that are not valid: of "schema.name" to quoted name; yours. */
GHashTable *unfinished_indexes(Pg *target, GError **error);
