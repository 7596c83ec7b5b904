/*
 * store.h - one session with a store, and what its table looks like.
 *
 * A store is a table of chunks and vectors in a PostgreSQL database with pgvector.
 * Everything vecferry keeps for itself there stands in the schema `vecferry`.
 */
#pragma once

#include "model/answer.h"
#include "model/observation.h"
#include "model/store_map.h"
#include "pg/pg.h"

typedef struct
{
    Pg *pg;
    const StoreMap *map;
    char *identity; /* "SYSTEM/DATABASE/TABLE" */
    char *address;

    char *table;            /* quoted, with its schema; NULL while there is no table */
    char *oid;              /* of the table, as text */
    char *vector_type;      /* quoted, with its schema: what staging uses */
    char *extension_schema; /* quoted; NULL without pgvector */
    char *column_type;      /* "vector" or "halfvec" */
    char *pgvector;         /* its version */
    int dimensions;         /* of the vector column; 0 when it takes any */
    bool made_by_us;        /* `store create` made the table */
    bool has_vector_index;
} Store;

/* Connects, and looks at the table; that one is missing is not an error yet. */
Store *store_open(const PgOptions *options, const StoreMap *map, Cancel *cancel, GError **error);
void store_close(Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_close)

/*
 * Says whether rows can go into the store: extension, table, columns and privileges are
 * there and the vector column takes `dimensions`.  VF_ERROR_USAGE, _DENIED or _MISMATCH with
 * the remedy otherwise.
 */
bool store_check(Store *store, int dimensions, GError **error);

/* The same for those who only read: a role that may SELECT is enough, and columns that nothing
 * fills are nobody's business. */
bool store_check_reading(Store *store, int dimensions, GError **error);

/* Makes the schema `vecferry` with its tables where it is missing. */
bool store_prepare(Store *store, GError **error);

/* Everything that planning needs: rows by bot and source, and our marks.  Yours. */
Observation *store_observe(Store *store, GError **error);

/* Whether store_create() could begin: VF_ERROR_MISMATCH when the table is there. */
bool store_may_create(const Store *store, GError **error);

/* The guide's schema in a database without the table; without the vector index, which comes after
 * the rows.  VF_ERROR_MISMATCH when the table is there. */
bool store_create(Store *store, int dimensions, GError **error);

/*
 * The vector index after the rows; `kind` is "ivfflat" or "hnsw".  Does nothing when a valid one is
 * there; an invalid one is built again.  `advice` gets what the user should still do (yours), or
 * NULL.
 */
bool store_build_index(Store *store, const char *kind, char **advice, GError **error);

/* The application's own query: the bot's rows nearest to the vector.  An array of Answer, yours. */
GPtrArray *store_ask(
    Store *store, const char *bot, const float *vector, int dimensions, int limit, GError **error);
