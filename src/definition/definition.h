/*
 * definition.h - one thing that pg_dump knows how to make: a table, an index, a privilege.
 *
 * Numbers are those of one dump; `class` and `oid` are the thing's own in the database that was
 * dumped, and 0 for what has none (a comment, a privilege).
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct
{
    guint number;
    guint32 class; /* the oid of its catalogue */
    guint32 oid;
    char *type;      /* "TABLE", "FK CONSTRAINT", as pg_dump says it */
    char *schema;    /* "-" for none */
    char *name;      /* as pg_dump says it: "items items_pkey" */
    char *text;      /* the SQL */
    GArray *needs;   /* of guint: the numbers of what it builds on */
    bool after_rows; /* better made when the rows are there */
    bool left_out;
} Definition;

void definition_free(Definition *definition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Definition, definition_free)

bool definition_is(const Definition *definition, const char *type);
bool definition_needs(const Definition *definition, guint number);

/* For people: "index public.items_embedding_idx".  Yours. */
char *definition_title(const Definition *definition);

/* "public.items_embedding_idx".  Yours. */
char *definition_place(const Definition *definition);

/* What stands for it in marks, and finds its like in another dump.  Yours. */
char *definition_key(const Definition *definition);
