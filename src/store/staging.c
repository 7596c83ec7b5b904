#include "store/staging.h"

#include "base/error.h"
#include "base/fault.h"
#include "pg/copy_rows.h"
#include "pg/sql.h"
#include "store/adopt.sql.h"
#include "store/bot_facts.h"
#include "store/columns.h"
#include "store/copy_staged.sql.h"
#include "store/delete_rows.sql.h"
#include "store/forget_numbers.sql.h"
#include "store/kept.h"
#include "store/lock_bot.sql.h"
#include "store/mark.sql.h"
#include "store/replace.sql.h"
#include "store/staged_hashes.sql.h"
#include "store/trim.sql.h"
#include "store/try_row.sql.h"
#include "store/ulid.h"

#include <string.h>

/* How long the replacement waits for other writers before it lets them pass and tries again. */
#define LOCK_TIMEOUT "5s"

/* With the table's lock in hand, everybody waits behind us: who holds a row then is not waited for
 * that long. */
#define ROW_TIMEOUT "500ms"

struct Staging
{
    Store *store;
    char *bot;
    char *space;
    int dimensions;
    bool any_known; /* something was staged before this session */
};

/* Sixteen bytes that stand for a label in the key: labels can be longer than a key may. */
typedef struct
{
    guint8 bytes[16];
} LabelHash;

static void
sha256(const char *text, guint8 *bytes, size_t length)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize filled = length;

    g_assert(length == 32);
    g_checksum_update(checksum, (const guchar *) text, -1);
    g_checksum_get_digest(checksum, bytes, &filled);
}

TextHash
text_hash(const char *text)
{
    TextHash hash = {{0}};
    sha256(text, hash.bytes, sizeof hash.bytes);
    return hash;
}

static LabelHash
label_hash(const char *label)
{
    const TextHash whole = text_hash(label);
    LabelHash hash;
    memcpy(hash.bytes, whole.bytes, sizeof hash.bytes);
    return hash;
}

/* bytea's hex form, for a parameter. */
static char *
label_parameter(const char *label)
{
    const LabelHash hash = label_hash(label);
    GString *text = g_string_new("\\x");
    for (size_t i = 0; i < sizeof hash.bytes; i++)
        g_string_append_printf(text, "%02x", (guint) hash.bytes[i]);
    return g_string_free(text, FALSE);
}

Staging *
staging_begin(Store *store, const char *bot, const char *space, int dimensions, GError **error)
{
    const char *parameters[] = {store->oid, bot};
    g_autoptr(PGresult) result = pg_query(store->pg, SQL_LOCK_BOT, 2, parameters, error);

    if (result == NULL)
        return NULL;
    if (*pg_text(result, 0, 0) != 't')
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_BUSY, "another worker is at bot \"%s\" in %s", bot,
            store->address);
        return NULL;
    }
    Staging *staging = g_new0(Staging, 1);
    staging->store = store;
    staging->bot = g_strdup(bot);
    staging->space = g_strdup(space);
    staging->dimensions = dimensions;
    return staging;
}

void
staging_free(Staging *staging)
{
    if (staging == NULL)
        return;
    g_free(staging->bot);
    g_free(staging->space);
    g_free(staging);
}

void
staging_expect_rows(Staging *staging)
{
    staging->any_known = true;
}

static bool
insert_made_up_row(Staging *staging, const char *source, GError **error)
{
    const Ulid id = ulid_now();
    g_autofree char *columns = NULL;
    g_autofree char *values = NULL;

    if (!columns_for_insert(staging->store, &columns, &values, error))
        return false;
    g_autofree char *sql = sql_fill(
        SQL_TRY_ROW, "table", staging->store->table, "columns", columns, "values", values, "vector",
        staging->store->vector_type, NULL);
    g_autofree char *dimensions = g_strdup_printf("%d", staging->dimensions);
    const char *parameters[] = {id.text, staging->bot, source, dimensions};
    return pg_change(staging->store->pg, sql, 4, parameters, NULL, error);
}

bool
staging_try(Staging *staging, const char *source, GError **error)
{
    if (!pg_run(staging->store->pg, "BEGIN", error))
        return false;
    g_autoptr(GError) problem = NULL;
    const bool fits = insert_made_up_row(staging, source, &problem);
    pg_rollback(staging->store->pg);
    if (fits)
        return true;

    /* The table's refusal is about this bot; a lost session or a missing privilege is not. */
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_FAILED))
        problem->code = VF_ERROR_BAD_INPUT;
    g_propagate_prefixed_error(
        error, g_steal_pointer(&problem),
        "%s in %s takes no rows of bot \"%s\": ", staging->store->table, staging->store->address,
        staging->bot);
    return false;
}

static int
hex_digit(char digit)
{
    return g_ascii_xdigit_value(digit);
}

static TextHash
hash_from_hex(const char *hex)
{
    TextHash hash = {{0}};
    if (strlen(hex) != 2 + 2 * sizeof hash.bytes)
        return hash;
    for (size_t i = 0; i < sizeof hash.bytes; i++)
        hash.bytes[i] = (guint8) (hex_digit(hex[2 + 2 * i]) << 4 | hex_digit(hex[3 + 2 * i]));
    return hash;
}

GArray *
staging_known(Staging *staging, const char *source, GError **error)
{
    g_autofree char *label = label_parameter(source);
    const char *parameters[] = {staging->store->oid, staging->bot, staging->space, label};
    g_autoptr(PGresult) result =
        pg_query(staging->store->pg, SQL_STAGED_HASHES, 4, parameters, error);
    if (result == NULL)
    {
        g_prefix_error(error, "could not read what is staged in %s: ", staging->store->address);
        return NULL;
    }

    GArray *known = g_array_new(FALSE, TRUE, sizeof(TextHash));
    for (int row = 0; row < PQntuples(result); row++)
    {
        const guint number = (guint) pg_number(result, row, 0);
        if (number >= known->len)
            g_array_set_size(known, number + 1);
        g_array_index(known, TextHash, number) = hash_from_hex(pg_text(result, row, 1));
        staging->any_known = true;
    }
    return known;
}

/* Rows of the same numbers that no longer fit make room. */
static bool
forget_numbers(Staging *staging, const StagedRow *rows, size_t count, GError **error)
{
    GString *labels = g_string_new("{");
    GString *numbers = g_string_new("{");
    for (size_t i = 0; i < count; i++)
    {
        g_autofree char *label = label_parameter(rows[i].source);
        g_string_append_printf(labels, "%s\"\\%s\"", i == 0 ? "" : ",", label);
        g_string_append_printf(numbers, "%s%d", i == 0 ? "" : ",", rows[i].number);
    }
    g_string_append_c(labels, '}');
    g_string_append_c(numbers, '}');
    g_autofree char *label_array = g_string_free(labels, FALSE);
    g_autofree char *number_array = g_string_free(numbers, FALSE);

    const char *parameters[] = {
        staging->store->oid, staging->bot, staging->space, label_array, number_array};
    return pg_change(staging->store->pg, SQL_FORGET_NUMBERS, 5, parameters, NULL, error);
}

static GByteArray *
encode_rows(const Staging *staging, const StagedRow *rows, size_t count)
{
    const gint32 target = (gint32) g_ascii_strtoull(staging->store->oid, NULL, 10);
    GByteArray *data = copy_rows_begin();

    for (size_t i = 0; i < count; i++)
    {
        const LabelHash label = label_hash(rows[i].source);
        const TextHash text = text_hash(rows[i].text);
        const Ulid id = ulid_now();

        copy_rows_row(data, 10);
        copy_rows_int4(data, target);
        copy_rows_text(data, staging->bot);
        copy_rows_bytes(data, label.bytes, sizeof label.bytes);
        copy_rows_int4(data, rows[i].number);
        copy_rows_text(data, staging->space);
        copy_rows_bytes(data, text.bytes, sizeof text.bytes);
        copy_rows_text(data, id.text);
        copy_rows_text(data, rows[i].source);
        copy_rows_text(data, rows[i].text);
        copy_rows_vector(data, rows[i].vector, staging->dimensions);
    }
    copy_rows_end(data);
    return data;
}

static bool
copy_rows(Staging *staging, const StagedRow *rows, size_t count, GError **error)
{
    g_autoptr(GByteArray) data = encode_rows(staging, rows, count);
    return pg_copy_in(staging->store->pg, SQL_COPY_STAGED, data, NULL, error);
}

static bool
replace_numbers(Staging *staging, const StagedRow *rows, size_t count, GError **error)
{
    Pg *pg = staging->store->pg;

    if (pg_run(pg, "BEGIN", error) && forget_numbers(staging, rows, count, error) &&
        copy_rows(staging, rows, count, error) && pg_run(pg, "COMMIT", error))
        return true;
    pg_rollback(pg);
    return false;
}

bool
staging_add(Staging *staging, const StagedRow *rows, size_t count, GError **error)
{
    const bool added = staging->any_known ? replace_numbers(staging, rows, count, error)
                                          : copy_rows(staging, rows, count, error);
    if (!added)
        g_prefix_error(error, "could not stage %zu rows in %s: ", count, staging->store->address);
    return added;
}

bool
staging_trim(Staging *staging, const char *source, int count, GError **error)
{
    g_autofree char *label = label_parameter(source);
    g_autofree char *from = g_strdup_printf("%d", count);
    const char *parameters[] = {staging->store->oid, staging->bot, staging->space, label, from};

    if (!staging->any_known)
        return true;
    return pg_change(staging->store->pg, SQL_TRIM, 5, parameters, NULL, error);
}

/*
 * Holds off every writer, ours or not: SHARE ROW EXCLUSIVE conflicts with the lock of any
 * INSERT or DELETE, so one that is under way is waited for and its rows are seen by our DELETE,
 * and one that comes sees ours.  A program that deletes a bot's rows and inserts new ones without
 * any lock therefore never leaves both sets.  Readers are not touched.  The timeout holds for the
 * whole transaction, and is shorter once we have it: who has locked a row of ours (SELECT … FOR
 * UPDATE) must not make all others wait behind us.
 */
bool
staging_lock_table(Store *store, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SET LOCAL lock_timeout = '" LOCK_TIMEOUT "'; "
        "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE; "
        "SET LOCAL lock_timeout = '" ROW_TIMEOUT "'",
        store->table);
    if (pg_run(store->pg, sql, error))
        return true;
    g_prefix_error(error, "could not lock %s against other writers: ", store->table);
    return false;
}

/* Somebody may have written since they were counted. */
static bool
kept_rows_stand(Staging *staging, const Replacement *wish, GError **error)
{
    if (wish->kept[0] == NULL)
        return true;
    const gint64 rows = kept_count(staging->store, staging->bot, wish->kept, wish->kept_xids, error);
    if (rows >= 0 && rows != wish->kept_rows)
        g_set_error_literal(
            error, VF_ERROR, VF_ERROR_FAILED,
            "another program changed rows of sources that had not changed");
    return rows == wish->kept_rows;
}

static char *
labels_that_stay(const Replacement *wish)
{
    g_autoptr(GPtrArray) labels = g_ptr_array_new_null_terminated(1, NULL, true);
    for (size_t i = 0; wish->failed[i] != NULL; i++)
        g_ptr_array_add(labels, wish->failed[i]);
    for (size_t i = 0; wish->kept[i] != NULL; i++)
        g_ptr_array_add(labels, wish->kept[i]);
    return sql_text_array((char *const *) labels->pdata);
}

static bool
delete_rows(Staging *staging, const Replacement *wish, GError **error)
{
    const Store *store = staging->store;
    g_autofree char *bot = pg_quote_name(store->map->bot);
    g_autofree char *source = pg_quote_name(store->map->source);
    g_autofree char *labels = labels_that_stay(wish);
    g_autofree char *sql =
        sql_fill(SQL_DELETE_ROWS, "table", store->table, "bot", bot, "source", source, NULL);
    const char *parameters[] = {staging->bot, labels, store->oid, staging->bot, staging->space};
    return pg_change(store->pg, sql, 5, parameters, NULL, error);
}

static bool
insert_rows(Staging *staging, char *const *sources, gint64 rows, GError **error)
{
    g_autofree char *columns = NULL;
    g_autofree char *values = NULL;
    gint64 inserted = 0;

    if (!columns_for_insert(staging->store, &columns, &values, error))
        return false;
    g_autofree char *labels = sql_text_array(sources);
    g_autofree char *sql = sql_fill(
        SQL_REPLACE, "table", staging->store->table, "columns", columns, "values", values, NULL);
    const char *parameters[] = {staging->store->oid, staging->bot, staging->space, labels};
    if (!pg_change(staging->store->pg, sql, 4, parameters, &inserted, error))
        return false;
    if (inserted == rows)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED,
        "%" G_GINT64_FORMAT " rows are staged instead of %" G_GINT64_FORMAT, inserted, rows);
    return false;
}

static bool
write_mark(Staging *staging, gint64 rows, const MarkFacts *facts, GError **error)
{
    g_autofree char *count = g_strdup_printf("%" G_GINT64_FORMAT, rows);
    const char *parameters[] = {staging->store->oid, staging->bot,   facts->run,
                                facts->worker,       staging->space, facts->splitter,
                                facts->fingerprint,  count,          facts->complete ? "t" : "f",
                                facts->outcome};
    return pg_change(
        staging->store->pg, SQL_MARK, G_N_ELEMENTS(parameters), parameters, NULL, error);
}

bool
staging_adopt(
    Staging *staging, const MarkFacts *facts, gint64 after_ms, bool *adopted, GError **error)
{
    g_autofree char *after = g_strdup_printf("%" G_GINT64_FORMAT, after_ms);
    g_autofree char *bot = pg_quote_name(staging->store->map->bot);
    g_autofree char *sql = sql_fill(SQL_ADOPT, "table", staging->store->table, "bot", bot, NULL);
    const char *parameters[] = {
        staging->store->oid, staging->bot,       facts->worker, staging->space,
        facts->splitter,     facts->fingerprint, after,         staging->bot};
    gint64 marks = 0;

    if (!pg_change(staging->store->pg, sql, G_N_ELEMENTS(parameters), parameters, &marks, error))
        return false;
    *adopted = marks > 0;
    return true;
}

static bool
forget_bot(Staging *staging, GError **error)
{
    const char *parameters[] = {staging->store->oid, staging->bot, staging->space};
    return pg_change(
        staging->store->pg,
        "DELETE FROM vecferry.staged WHERE target = $1::oid AND bot = $2 AND space = $3", 3,
        parameters, NULL, error);
}

static bool
replace_in_transaction(
    Staging *staging, const Replacement *wish, const MarkFacts *facts, GError **error)
{
    Pg *pg = staging->store->pg;

    if (!pg_run(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", error) ||
        !staging_lock_table(staging->store, error) || !kept_rows_stand(staging, wish, error) ||
        !delete_rows(staging, wish, error))
        return false;
    fault_point(FAULT_INSIDE_REPLACE);
    if (!insert_rows(staging, wish->sources, wish->rows, error))
        return false;
    const gint64 rows = store_count_rows(staging->store, staging->bot, error);
    return rows >= 0 && write_mark(staging, rows, facts, error) &&
           (!facts->complete || forget_bot(staging, error)) && pg_run(pg, "COMMIT", error);
}

bool
staging_replace(Staging *staging, const Replacement *wish, const MarkFacts *facts, GError **error)
{
    if (replace_in_transaction(staging, wish, facts, error))
        return true;
    pg_rollback(staging->store->pg);
    g_prefix_error(
        error, "could not replace the rows of bot \"%s\" in %s: ", staging->bot,
        staging->store->address);
    return false;
}
