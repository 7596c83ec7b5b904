#include "flow/copy.h"

#include "base/error.h"
#include "base/fault.h"
#include "base/retry.h"
#include "base/text.h"
#include "flow/copy_definitions.h"
#include "flow/copy_workers.h"
#include "flow/store_address.h"
#include "table/connect.h"
#include "table/cut.h"
#include "table/describe.h"
#include "table/match.h"
#include "table/resume.h"
#include "table/sequences.h"

#include <string.h>

/* The first server with everything that is asked of it. */
#define OLDEST_VERSION 130000

#define MOST_CONNECTIONS_BY_DEFAULT 4

/* How often a snapshot is taken again because a table was rewritten just then. */
#define SNAPSHOT_ATTEMPTS 5

/* After a lost snapshot; one under which rows landed lets the count begin anew. */
static const RetryPolicy ROUNDS = {.attempts = 6, .first_ms = 1000, .longest_ms = 15000};

typedef struct
{
    const Settings *settings;
    const CopyOptions *options;
    PgOptions source;
    PgOptions target;
    CopyNews *news;
    Cancel *cancel;
} Copy;

/* Everything of one snapshot. */
typedef struct
{
    Cancel *stop;
    Snapshot *snapshot;
    Pg *target;             /* for all that is not rows; holds the lock */
    bool as_replica;        /* triggers and foreign keys of the target are silent */
    GPtrArray *tables;      /* of Table, in the source */
    GPtrArray *all_targets; /* of Table, all of the target */
    GPtrArray *targets;     /* of them, one for each of the tables */
    char *origin;           /* what marks say about where rows came from */
    char *run_id;
    CopyRun *run;
    GArray *parts; /* of Part: still to be copied */
    bool moving;   /* it came as far as rows */
    DefinitionPlace place;
    CopyDefinitions *definitions; /* NULL: of rows alone */
} Round;

static void
round_clear(Round *round)
{
    g_clear_pointer(&round->definitions, copy_definitions_free);
    g_clear_pointer(&round->snapshot, snapshot_free);
    g_clear_pointer(&round->target, pg_close);
    g_clear_pointer(&round->targets, g_ptr_array_unref);
    g_clear_pointer(&round->all_targets, g_ptr_array_unref);
    g_clear_pointer(&round->tables, g_ptr_array_unref);
    g_clear_pointer(&round->parts, g_array_unref);
    g_clear_pointer(&round->run, copy_run_free);
    g_clear_pointer(&round->origin, g_free);
    g_clear_pointer(&round->run_id, g_free);
    g_clear_pointer(&round->stop, cancel_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Round, round_clear)

/* --- both ends ----------------------------------------------------------------------------- */

static bool
check_version(Pg *pg, const PgOptions *options, GError **error)
{
    if (pg_server_version(pg) >= OLDEST_VERSION)
        return true;
    g_autofree char *address = pg_address(options->url);
    g_set_error(
        error, VF_ERROR, VF_ERROR_MISMATCH, "%s is PostgreSQL %d; copying needs %d or later",
        address, pg_server_version(pg) / 10000, OLDEST_VERSION / 10000);
    return false;
}

static bool
describe_source(const Copy *copy, Round *round, GError **error)
{
    const CopyOptions *options = copy->options;
    const TableFilter filter = {options->tables, options->schemas, options->excluded};

    round->tables = tables_describe(snapshot_keeper(round->snapshot), &filter, error);
    if (round->tables == NULL)
        g_prefix_error(error, "could not look at the source's tables: ");
    return round->tables != NULL && snapshot_lock(round->snapshot, round->tables, error);
}

static bool
take_snapshot(const Copy *copy, Round *round, GError **error)
{
    round->snapshot = snapshot_take(&copy->source, NULL, copy->cancel, error);
    return round->snapshot != NULL &&
           check_version(snapshot_keeper(round->snapshot), &copy->source, error) &&
           describe_source(copy, round, error);
}

static bool
open_source(const Copy *copy, Round *round, GError **error)
{
    for (int attempt = 1;; attempt++)
    {
        g_autoptr(GError) failure = NULL;
        if (take_snapshot(copy, round, &failure))
            return true;
        if (round->tables == NULL || !retry_is_busy(failure) || attempt == SNAPSHOT_ATTEMPTS)
        {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        g_clear_pointer(&round->tables, g_ptr_array_unref);
        g_clear_pointer(&round->snapshot, snapshot_free);
    }
}

static bool
open_target(const Copy *copy, Round *round, GError **error)
{
    round->target = connect_target(&copy->target, &round->as_replica, copy->cancel, error);
    return round->target != NULL && check_version(round->target, &copy->target, error) &&
           copy_run_lock(round->target, copy->cancel, error);
}

/* A run is the same when source, target and selection are. */
static char *
run_id(const CopyOptions *options, const char *source, const char *target)
{
    char *const *const lists[] = {options->tables, options->schemas, options->excluded};
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    g_checksum_update(sum, (const guchar *) "copy", -1);
    g_checksum_update(sum, (const guchar *) source, (gssize) strlen(source) + 1);
    g_checksum_update(sum, (const guchar *) target, (gssize) strlen(target) + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
    {
        for (char *const *at = lists[i]; at != NULL && *at != NULL; at++)
            g_checksum_update(sum, (const guchar *) *at, (gssize) strlen(*at) + 1);
        g_checksum_update(sum, (const guchar *) "\n", 1);
    }
    return g_strdup_printf("copy-%.16s", g_checksum_get_string(sum));
}

/* A clone has its origin's identity, but began to run at another time. */
static bool
is_same_server(Pg *left, Pg *right, bool *same, GError **error)
{
    static const char BEGAN[] = "SELECT pg_postmaster_start_time()";
    g_autoptr(PGresult) left_began = pg_query(left, BEGAN, 0, NULL, error);
    g_autoptr(PGresult) right_began =
        left_began == NULL ? NULL : pg_query(right, BEGAN, 0, NULL, error);

    if (right_began == NULL)
        return false;
    *same = g_str_equal(pg_text(left_began, 0, 0), pg_text(right_began, 0, 0));
    return true;
}

static bool
identify(const Copy *copy, Round *round, GError **error)
{
    Pg *keeper = snapshot_keeper(round->snapshot);
    g_autofree char *source = database_identity(keeper, copy->source.url, error);
    g_autofree char *target =
        source == NULL ? NULL : database_identity(round->target, copy->target.url, error);
    bool same = g_strcmp0(source, target) == 0;

    if (target == NULL || (same && !is_same_server(keeper, round->target, &same, error)))
        return false;
    if (same)
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "source and target are the same database");
        return false;
    }
    round->origin = g_strdup_printf("%s/%s", source, snapshot_timeline(round->snapshot));
    round->run_id = run_id(copy->options, source, target);
    return true;
}

/* --- definitions --------------------------------------------------------------------------- */

/* What rows need: schemas, types, tables. */
static bool
definitions_before_rows(const Copy *copy, Round *round, GError **error)
{
    const CopyOptions *options = copy->options;

    if (options->data_only)
        return true;
    round->place = (DefinitionPlace){
        .snapshot = round->snapshot,
        .target = round->target,
        .as_replica = round->as_replica,
        .tables = round->tables,
        .only_tables = options->tables != NULL || options->schemas != NULL,
        .keep_indexes = g_str_equal(settings_text(copy->settings, SETTING_COPY_INDEX), "keep"),
        .again = options->replace,
        .run = round->run_id,
        .news = copy->news,
        .cancel = copy->cancel,
    };
    round->definitions = copy_definitions_begin(&round->place, error);
    return round->definitions != NULL;
}

static IndexChoice
index_choice(const Settings *settings)
{
    const char *kind = settings_text(settings, SETTING_COPY_INDEX);

    return (IndexChoice){
        .keep = g_str_equal(kind, "keep"),
        .none = g_str_equal(kind, "none"),
        .memory = settings_count(settings, SETTING_INDEX_MEMORY),
        .wish =
            {
                .kind = g_str_equal(kind, "hnsw") ? INDEX_HNSW : INDEX_IVFFLAT,
                .m = (int) settings_count(settings, SETTING_HNSW_M),
                .ef_construction = (int) settings_count(settings, SETTING_HNSW_EF_CONSTRUCTION),
                .lists = (int) settings_count(settings, SETTING_LISTS),
            },
    };
}

static bool
match_tables(Round *round, GError **error)
{
    round->all_targets = tables_describe(round->target, NULL, error);
    if (round->all_targets == NULL)
    {
        g_prefix_error(error, "could not look at the target's tables: ");
        return false;
    }
    round->targets = tables_match(round->tables, round->all_targets, error);
    return round->targets != NULL &&
           tables_check_writing(round->target, round->targets, round->as_replica, error);
}

/* --- what is there already ----------------------------------------------------------------- */

static ForeignRows
foreign_rows(const CopyOptions *options)
{
    if (options->replace)
        return FOREIGN_ROWS_GO;
    return options->append ? FOREIGN_ROWS_STAY : FOREIGN_ROWS_STOP;
}

static void
forget_progress(CopyNews *news)
{
    g_ptr_array_set_size(copy_news_lock(news)->tables, 0);
    copy_news_unlock(news);
}

static void
note_kept(const Copy *copy, const Table *table, const Kept *kept)
{
    CopyProgress *progress = copy_news_lock(copy->news);
    TableProgress *shown = copy_progress_add(progress, table->quoted);

    shown->expected_rows = table->rows;
    shown->weight = table->bytes;
    shown->rows = kept->rows;
    shown->reused_rows = kept->rows;
    shown->bytes = kept->bytes;
    shown->parts = (guint) kept->parts;
    shown->parts_done = (guint) kept->parts;
    copy_news_unlock(copy->news);
    copy_news_tell(copy->news);
}

static void
note_reuse(const Copy *copy, const Kept *total)
{
    if (total->parts == 0 && total->forgotten == 0)
        return;
    g_autofree char *rows = text_count((double) total->rows);
    g_autofree char *kept = text_count((double) total->parts);
    g_autofree char *forgotten = text_count((double) total->forgotten);
    g_autofree char *note = g_strdup_printf(
        "going on from an earlier attempt: %s rows are there (%s parts); copied again, because the "
        "source has changed: %s parts",
        rows, kept, forgotten);
    copy_news_note(copy->news, note);
}

/* Takes out what no longer holds; `done` gets what does. */
static bool
resume_tables(const Copy *copy, Round *round, GArray *done, GError **error)
{
    const ResumeContext context = {
        .snapshot = round->snapshot,
        .target = round->target,
        .run = round->run,
        .origin = round->origin,
        .foreign = foreign_rows(copy->options),
    };
    g_autoptr(GPtrArray) marks = part_marks_read(round->target, round->run, error);
    Kept total = {0};

    for (guint i = 0; marks != NULL && i < round->tables->len; i++)
    {
        const Table *table = round->tables->pdata[i];
        Kept kept = {0};
        if (!resume_table(&context, i, table, round->targets->pdata[i], marks, done, &kept, error))
            return false;
        note_kept(copy, table, &kept);
        total.parts += kept.parts;
        total.rows += kept.rows;
        total.forgotten += kept.forgotten;
    }
    note_reuse(copy, &total);
    return marks != NULL;
}

/* What lies between a table's whole weight and that of its missing parts is there already. */
static void
note_parts(const Copy *copy, const GArray *parts)
{
    CopyProgress *progress = copy_news_lock(copy->news);

    for (guint i = 0; i < progress->tables->len; i++)
        ((TableProgress *) progress->tables->pdata[i])->weight_done =
            ((TableProgress *) progress->tables->pdata[i])->weight;
    for (guint i = 0; i < parts->len; i++)
    {
        const Part *part = &g_array_index(parts, Part, i);
        TableProgress *table = progress->tables->pdata[part->table];
        table->parts++;
        table->weight_done -= part->bytes;
    }
    copy_news_unlock(copy->news);
}

static bool
find_missing_parts(const Copy *copy, Round *round, GError **error)
{
    g_autoptr(GArray) done = g_array_new(FALSE, FALSE, sizeof(DoneRange));
    const CutRules rules = {
        .part_bytes = settings_count(copy->settings, SETTING_PART_BYTES),
        .version = pg_server_version(snapshot_keeper(round->snapshot)),
    };

    forget_progress(copy->news);
    if (!resume_tables(copy, round, done, error))
        return false;
    round->parts = cut_parts(round->tables, done, &rules);
    note_parts(copy, round->parts);
    return true;
}

/* --- the copy ------------------------------------------------------------------------------ */

static bool
begin_run(const Copy *copy, Round *round, GError **error)
{
    g_autofree char *address = pg_address(copy->source.url);

    if (!copy_run_prepare(round->target, error))
        return false;
    round->run = copy_run_begin(round->target, round->run_id, address, error);
    if (round->run == NULL)
        return false;
    CopyProgress *progress = copy_news_lock(copy->news);
    g_free(progress->run);
    progress->run = g_strdup(round->run->id);
    copy_news_unlock(copy->news);
    return true;
}

static CopyWork
work_of(const Copy *copy, const Round *round)
{
    const gint64 wished = settings_count(copy->settings, SETTING_CONNECTIONS);
    const guint usual = MIN(g_get_num_processors(), MOST_CONNECTIONS_BY_DEFAULT);

    return (CopyWork){
        .snapshot = round->snapshot,
        .target = &copy->target,
        .run = round->run,
        .origin = round->origin,
        .tables = round->tables,
        .targets = round->targets,
        .news = copy->news,
        .connections = wished == 0 ? usual : (guint) wished,
        .stop = round->stop,
        .cancel = copy->cancel,
    };
}

static bool
copy_rows(const Copy *copy, Round *round, GError **error)
{
    const CopyWork work = work_of(copy, round);

    round->moving = true;
    copy_news_phase(copy->news, COPY_MOVING);
    if (!copy_parts(&work, round->parts, error))
        return false;

    /* Only a snapshot that was held to the end has kept the tables as they were. */
    return snapshot_check(round->snapshot, error);
}

static bool
copy_sequences(const Copy *copy, Round *round, GError **error)
{
    const CopyOptions *options = copy->options;
    const bool is_all =
        options->tables == NULL && options->schemas == NULL && options->excluded == NULL;
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);

    if (!sequences_copy(
            snapshot_keeper(round->snapshot), round->target, is_all ? NULL : round->tables,
            options->append, missing, error))
        return false;
    for (guint i = 0; i < missing->len; i++)
    {
        g_autofree char *note = g_strdup_printf(
            "the target has no sequence %s; its value was not set", (char *) missing->pdata[i]);
        copy_news_note(copy->news, note);
    }
    return true;
}

/* What is better made after the rows: keys, indexes, triggers. */
static bool
definitions_after_rows(const Copy *copy, Round *round, GError **error)
{
    const CopyWork work = work_of(copy, round);
    const IndexChoice choice = index_choice(copy->settings);

    g_ptr_array_set_size(copy_news_lock(copy->news)->problems, 0);
    copy_news_unlock(copy->news);
    return round->definitions == NULL ||
           copy_definitions_end(round->definitions, &work, &choice, error);
}

/* One with problems is not finished: the same command makes what is missing. */
static bool
end_run(const Copy *copy, Round *round, GError **error)
{
    const bool finished = copy_news_lock(copy->news)->problems->len == 0;
    copy_news_unlock(copy->news);

    return !finished ||
           (copy_run_set_finished(round->target, round->run, true, error) &&
            (round->definitions == NULL || copy_definitions_complete(round->definitions, error)));
}

/* The source is let go before the target is vacuumed: its own vacuum has waited long enough. */
static bool
finish(const Copy *copy, Round *round, GError **error)
{
    fault_point(FAULT_AFTER_PARTS);
    copy_news_phase(copy->news, COPY_FINISHING);
    if (!definitions_after_rows(copy, round, error) || !copy_sequences(copy, round, error))
        return false;
    g_clear_pointer(&round->snapshot, snapshot_free);

    const CopyWork work = work_of(copy, round);
    return copy_vacuum(&work, error) && end_run(copy, round, error);
}

static bool
was_finished(const Copy *copy, const Round *round)
{
    if (round->run->finished == NULL || copy->options->replace ||
        (round->definitions != NULL && !copy_definitions_were_complete(round->definitions)))
        return false;
    copy_news_lock(copy->news)->finished_before = g_strdup(round->run->finished);
    copy_news_unlock(copy->news);
    return true;
}

static bool
copy_once(const Copy *copy, Round *round, GError **error)
{
    round->stop = cancel_new();
    return open_target(copy, round, error) && open_source(copy, round, error) &&
           identify(copy, round, error) && definitions_before_rows(copy, round, error) &&
           match_tables(round, error) && begin_run(copy, round, error) &&
           (was_finished(copy, round) ||
            (copy_run_set_finished(round->target, round->run, false, error) &&
             find_missing_parts(copy, round, error) && copy_rows(copy, round, error) &&
             finish(copy, round, error)));
}

static bool
has_moved_rows(const Copy *copy)
{
    const TableProgress total = copy_progress_total(copy_news_lock(copy->news));
    copy_news_unlock(copy->news);
    return total.rows > total.reused_rows;
}

/* A lost snapshot, or a lost server that comes back: begins again with what has landed. */
static bool
copy_until_done(const Copy *copy, GError **error)
{
    Retry retry = {.policy = &ROUNDS};
    bool moving = false;

    for (;;)
    {
        g_auto(Round) round = {0};
        g_autoptr(GError) failure = NULL;
        gint64 wait_ms = 0;
        if (copy_once(copy, &round, &failure))
            return true;
        moving = moving || round.moving;
        if (round.moving && has_moved_rows(copy))
            retry.failures = 0;
        if (!moving || !retry_again(&retry, failure, &wait_ms))
        {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        g_autofree char *note =
            g_strdup_printf("%s; beginning again with a new snapshot", failure->message);
        copy_news_note(copy->news, note);
        copy_news_phase(copy->news, COPY_LOOKING);
        round_clear(&round);
        if (!cancel_sleep(copy->cancel, wait_ms))
            return cancel_check(copy->cancel, error);
    }
}

static void
hear_notice(void *data, const char *message)
{
    copy_news_note(data, message);
}

static CopyProgress *
new_progress(const char *source, const char *target)
{
    CopyProgress *progress = copy_progress_new();
    progress->source = pg_address(source);
    progress->target = pg_address(target);
    progress->started_ms = g_get_real_time() / 1000;
    return progress;
}

static bool
find_address(
    StoreAddress *address, const Settings *settings, Setting setting, Cancel *cancel,
    GError **error)
{
    const char *given = settings_require(settings, setting, error);
    return given != NULL && store_address_find(address, settings, given, NULL, cancel, error);
}

CopyProgress *
flow_copy(
    const Settings *settings, const CopyOptions *options, const CopyListener *listener,
    Cancel *cancel, GError **error)
{
    g_auto(StoreAddress) source = {0};
    g_auto(StoreAddress) target = {0};
    if (!find_address(&source, settings, SETTING_SOURCE, cancel, error) ||
        !find_address(&target, settings, SETTING_TARGET, cancel, error))
        return NULL;

    g_autoptr(CopyNews) news = copy_news_new(new_progress(source.url, target.url), listener);
    const Copy copy = {
        .settings = settings,
        .options = options,
        .source =
            {
                .url = source.url,
                .application_name = "vecferry copy (source)",
                .password = store_address_password,
                .password_data = &source,
            },
        .target =
            {
                .url = target.url,
                .application_name = "vecferry copy (target)",
                .password = store_address_password,
                .password_data = &target,
                .notice = hear_notice,
                .notice_data = news,
            },
        .news = news,
        .cancel = cancel,
    };
    const bool done = copy_until_done(&copy, error);
    CopyProgress *progress = copy_news_lock(news);
    progress->ended_ms = g_get_real_time() / 1000;
    progress->phase = done ? COPY_DONE : progress->phase;
    copy_news_unlock(news);
    copy_news_tell(news);
    return done ? copy_news_end(news) : NULL;
}
