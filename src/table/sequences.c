#include "table/sequences.h"

#include "table/read_sequences.sql.h"
#include "table/set_sequence.sql.h"

/* The columns of read_sequences.sql. */
enum
{
    QUOTED,
    SCHEMA,
    NAME,
    OWNER_TABLE,
    OWNER_COLUMN,
    COUNTS_UP,
};

static char *
oid_list(const GPtrArray *tables)
{
    if (tables == NULL)
        return NULL;
    GString *list = g_string_new("{");
    for (guint i = 0; i < tables->len; i++)
        g_string_append_printf(
            list, "%s%u", i == 0 ? "" : ",", ((const Table *) tables->pdata[i])->oid);
    g_string_append_c(list, '}');
    return g_string_free(list, FALSE);
}

static const char *
text_or_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : pg_text(result, row, column);
}

/* Where the sequence stands and whether that number was given out; the catalogue's views do not
 * tell of one that was set to begin somewhere. */
static PGresult *
read_position(Pg *source, const char *name, GError **error)
{
    g_autofree char *sql = g_strdup_printf("SELECT last_value, is_called FROM %s", name);
    PGresult *position = pg_query(source, sql, 0, NULL, error);

    if (position == NULL)
        g_prefix_error(error, "could not read the sequence %s: ", name);
    return position;
}

static bool
set_sequence(
    Pg *source, Pg *target, const PGresult *sequences, int row, bool only_forward,
    GPtrArray *missing, GError **error)
{
    const char *name = pg_text(sequences, row, QUOTED);
    g_autoptr(PGresult) position = read_position(source, name, error);
    if (position == NULL)
        return false;
    const char *parameters[] = {
        pg_text(sequences, row, SCHEMA),
        text_or_null(sequences, row, OWNER_TABLE),
        text_or_null(sequences, row, OWNER_COLUMN),
        pg_text(sequences, row, NAME),
        pg_text(position, 0, 0),
        pg_text(position, 0, 1),
        only_forward ? "t" : "f",
        pg_text(sequences, row, COUNTS_UP),
    };
    g_autoptr(PGresult) set =
        pg_query(target, SQL_SET_SEQUENCE, G_N_ELEMENTS(parameters), parameters, error);
    if (set == NULL)
    {
        g_prefix_error(error, "could not set the sequence %s: ", name);
        return false;
    }
    if (PQntuples(set) == 0)
        g_ptr_array_add(missing, g_strdup(name));
    return true;
}

bool
sequences_copy(
    Pg *source, Pg *target, const GPtrArray *tables, bool only_forward, GPtrArray *missing,
    GError **error)
{
    g_autofree char *oids = oid_list(tables);
    const char *parameters[] = {oids};
    g_autoptr(PGresult) sequences = pg_query(source, SQL_READ_SEQUENCES, 1, parameters, error);
    if (sequences == NULL)
    {
        g_prefix_error(error, "could not read the source's sequences: ");
        return false;
    }
    for (int row = 0; row < PQntuples(sequences); row++)
        if (!set_sequence(source, target, sequences, row, only_forward, missing, error))
            return false;
    return true;
}
