#include "state/ledger.h"

#include "base/error.h"
#include "state/bot_task.sql.h"
#include "state/count_attempt.sql.h"
#include "state/database.h"
#include "state/end_run.sql.h"
#include "state/ledger.sql.h"
#include "state/meter.h"
#include "state/put_bot.sql.h"
#include "state/put_run.sql.h"
#include "state/read_bots.sql.h"
#include "state/read_run.sql.h"
#include "state/update_bot.sql.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* `status` holds the lock for an instant when it looks; that is no reason to give up. */
#define LOCK_TRIES 20
#define LOCK_PAUSE_US 50000

struct Ledger
{
    sqlite3 *database;
    char *run;
    int lock;     /* held for the ledger's life */
    gint64 shift; /* this process's row in `shift`; 0 before ledger_begin() */
};

static gint64
now_ms(void)
{
    return g_get_real_time() / 1000;
}

char *
ledger_folder(const char *setting)
{
    return setting != NULL ? g_strdup(setting)
                           : g_build_filename(g_get_user_state_dir(), "vecferry", NULL);
}

static char *
file_of_run(const char *folder, const char *run, const char *ending)
{
    g_autofree char *name = g_strconcat(run, ending, NULL);
    return g_build_filename(folder, name, NULL);
}

char *
ledger_path(const char *folder, const char *run)
{
    return file_of_run(folder, run, ".db");
}

char *
ledger_meter_path(const char *folder, const char *run)
{
    return file_of_run(folder, run, ".meter");
}

/* The lock's descriptor; -1 with the error when it cannot be had. */
static int
take_lock(const char *folder, const char *run, GError **error)
{
    g_autofree char *path = file_of_run(folder, run, ".lock");
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_FAILED, "could not write \"%s\": %s", path,
            g_strerror(errno));
        vf_error_hint(error, "choose another folder with --state");
        return -1;
    }
    /* `status` shares it; what cannot be shared belongs to another run, and is not waited for. */
    for (int i = 0; i < LOCK_TRIES && flock(fd, LOCK_SH | LOCK_NB) == 0; i++)
    {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        g_usleep(LOCK_PAUSE_US);
    }
    close(fd);
    g_set_error(error, VF_ERROR, VF_ERROR_BUSY, "another vecferry works at run %s", run);
    vf_error_hint(error, "look at it with `vecferry status %s --watch`", run);
    return -1;
}

static bool
is_locked(const char *folder, const char *run)
{
    g_autofree char *path = file_of_run(folder, run, ".lock");
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0;
    close(fd);
    return locked;
}

static bool
make_folder(const char *folder, GError **error)
{
    /* Its path goes into orders and messages, which are UTF-8. */
    if (!g_utf8_validate(folder, -1, NULL))
    {
        g_set_error(
            error, VF_ERROR, VF_ERROR_USAGE, "the name of the state folder should be UTF-8");
        vf_error_hint(error, "choose another folder with --state");
        return false;
    }
    if (g_mkdir_with_parents(folder, 0700) == 0)
        return true;
    g_set_error(
        error, VF_ERROR, VF_ERROR_FAILED, "could not make the state folder \"%s\": %s", folder,
        g_strerror(errno));
    vf_error_hint(error, "choose another folder with --state");
    return false;
}

Ledger *
ledger_open(const char *folder, const char *run, GError **error)
{
    g_autofree char *path = ledger_path(folder, run);

    if (!make_folder(folder, error))
        return NULL;
    const int lock = take_lock(folder, run, error);
    if (lock < 0)
        return NULL;

    Ledger *ledger = g_new0(Ledger, 1);
    ledger->lock = lock;
    ledger->run = g_strdup(run);
    ledger->database = database_open(path, true, error);
    if (ledger->database == NULL || !database_run(ledger->database, SQL_LEDGER, error))
    {
        ledger_close(ledger);
        return NULL;
    }
    return ledger;
}

void
ledger_close(Ledger *ledger)
{
    if (ledger == NULL)
        return;
    sqlite3_close(ledger->database);
    close(ledger->lock);
    g_free(ledger->run);
    g_free(ledger);
}

/* Its maker was killed before the first table was there. */
static bool
is_empty(sqlite3 *database)
{
    g_autoptr(sqlite3_stmt) row = database_prepare(
        database, NULL, "SELECT count(*) FROM sqlite_master WHERE name = 'run'", "");
    return row != NULL && database_step(database, row, NULL) && sqlite3_column_int64(row, 0) == 0;
}

/*
 * Of the bots that are in the run.  The plan that expected most may have had others, and the one
 * that expected these may not have been the first.
 */
static double
expected_usd(sqlite3_stmt *row)
{
    const double most = sqlite3_column_double(row, 5);
    const double others = sqlite3_column_double(row, 12);
    const double these = sqlite3_column_double(row, 13);
    return most < 0 ? most : MAX(most - others, these);
}

static bool
read_run(sqlite3 *database, RunProgress *run, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(sqlite3_stmt) row =
        is_empty(database) ? NULL : database_prepare(database, &problem, SQL_READ_RUN, "");
    if (row == NULL || !database_step(database, row, &problem))
    {
        if (problem == NULL)
            g_set_error(&problem, VF_ERROR, VF_ERROR_USAGE, "the run was planned, but never begun");
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    g_autofree char *state = database_text(row, 4);
    run->id = database_text(row, 0);
    run->kind = database_text(row, 1);
    run->store = database_text(row, 2);
    run->embedder = database_text(row, 3);
    run->state = g_str_equal(state, "done")     ? RUN_DONE
                 : g_str_equal(state, "failed") ? RUN_FAILED
                                                : RUN_INTERRUPTED;
    run->expected_usd = expected_usd(row);
    run->other_tokens = sqlite3_column_int64(row, 11);
    run->usd_per_token = sqlite3_column_double(row, 6);
    run->created_ms = sqlite3_column_int64(row, 7);
    run->ended_ms = sqlite3_column_int64(row, 8);
    run->worked_ms = sqlite3_column_int64(row, 9);
    run->stop = database_text_or_null(row, 10);
    return true;
}

static bool
read_bots(sqlite3 *database, bool everybody, RunProgress *run, GError **error)
{
    g_autoptr(GError) problem = NULL;
    g_autoptr(sqlite3_stmt) row =
        database_prepare(database, error, SQL_READ_BOTS, "i", (gint64) (everybody ? 1 : 0));
    if (row == NULL)
        return false;
    while (database_step(database, row, &problem))
    {
        g_autofree char *user = database_text(row, 0);
        g_autofree char *id = database_text(row, 1);
        g_autofree char *title = database_text(row, 2);
        g_autofree char *state = database_text(row, 3);
        g_autofree char *evidence = database_text(row, 4);
        BotProgress *bot = bot_progress_new(user, id, title);
        bot->state = bot_state_from_name(state);
        bot->evidence = evidence_from_name(evidence);
        bot->attempts = sqlite3_column_int(row, 5);
        bot->task = database_text_or_null(row, 6);
        bot->chunks = sqlite3_column_int64(row, 7);
        bot->reused = sqlite3_column_int64(row, 8);
        bot->tokens = sqlite3_column_int64(row, 9);
        bot->expected_chunks = sqlite3_column_int64(row, 10);
        bot->expected_usd = sqlite3_column_double(row, 11);
        bot->code = database_text_or_null(row, 12);
        bot->reason = database_text_or_null(row, 13);
        bot->started_ms = sqlite3_column_int64(row, 14);
        bot->ended_ms = sqlite3_column_int64(row, 15);
        g_ptr_array_add(run->bots, bot);
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static void
note_time(const Ledger *ledger)
{
    futimens(ledger->lock, NULL);
}

/* A change is one transaction: all of it or nothing, and one wait for the disk. */
static bool
begin_change(Ledger *ledger, GError **error)
{
    return database_run(ledger->database, "BEGIN IMMEDIATE", error);
}

static bool
end_change(Ledger *ledger, bool well, GError **error)
{
    if (well && database_run(ledger->database, "COMMIT", error))
        return true;
    database_run(ledger->database, "ROLLBACK", NULL);
    return false;
}

static bool
put_run(Ledger *ledger, const RunProgress *run, GError **error)
{
    return database_change(
        ledger->database, error, SQL_PUT_RUN, "ssssddi", run->id, run->kind, run->store,
        run->embedder, run->expected_usd, run->usd_per_token, now_ms());
}

static bool
put_bot(Ledger *ledger, const BotProgress *bot, gint64 position, GError **error)
{
    return database_change(
        ledger->database, error, SQL_PUT_BOT, "ssisssidssi", bot->user, bot->bot, position,
        bot->title, bot_state_name(bot->state), evidence_name(bot->evidence), bot->expected_chunks,
        bot->expected_usd, bot->code, bot->reason, bot->chunks);
}

static bool
begin_shift(Ledger *ledger, GError **error)
{
    if (!database_change(
            ledger->database, error, "INSERT INTO shift (began, seen) VALUES (?1, ?1)", "i",
            now_ms()))
        return false;
    ledger->shift = sqlite3_last_insert_rowid(ledger->database);
    return true;
}

static bool
is_same_bot(const BotProgress *one, const BotProgress *other)
{
    return g_str_equal(one->user, other->user) && g_str_equal(one->bot, other->bot);
}

/* What earlier shifts did at a bot that is in the run again. */
static void
recall_bot(BotProgress *bot, BotProgress *before)
{
    bot->attempts = before->attempts;
    bot->task = g_steal_pointer(&before->task);
    bot->reused = before->reused;
    bot->tokens = before->tokens;
    bot->expected_chunks = before->expected_chunks;
    bot->expected_usd = before->expected_usd;
    bot->started_ms = before->started_ms;
    bot->ended_ms = before->ended_ms;
}

/* Reads the run as it was just put: its own bots, in its own order. */
static bool
recall(Ledger *ledger, RunProgress *run, GError **error)
{
    g_autoptr(RunProgress) before = run_progress_new();

    if (!read_run(ledger->database, before, error) || !read_bots(ledger->database, false, before, error))
        return false;
    run->created_ms = before->created_ms;
    run->worked_ms = before->worked_ms;
    run->expected_usd = before->expected_usd;
    run->other_tokens = before->other_tokens;
    for (guint i = 0, next = 0; i < run->bots->len && next < before->bots->len; i++)
        if (is_same_bot(run->bots->pdata[i], before->bots->pdata[next]))
            recall_bot(run->bots->pdata[i], before->bots->pdata[next++]);
    return true;
}

bool
ledger_begin(Ledger *ledger, RunProgress *run, GError **error)
{
    note_time(ledger);
    if (!begin_change(ledger, error))
        return false;
    bool well = put_run(ledger, run, error) && begin_shift(ledger, error) &&
                database_run(ledger->database, "UPDATE bot SET position = NULL", error);
    for (guint i = 0; well && i < run->bots->len; i++)
        well = put_bot(ledger, run->bots->pdata[i], (gint64) i, error);
    well = well && recall(ledger, run, error);
    return end_change(ledger, well, error);
}

char *
ledger_agreed(Ledger *ledger, GError **error)
{
    g_autoptr(sqlite3_stmt) row =
        database_prepare(ledger->database, error, "SELECT agreed FROM run", "");
    if (row == NULL || !database_step(ledger->database, row, error))
        return NULL;
    return database_text_or_null(row, 0);
}

bool
ledger_all_succeeded(Ledger *ledger, bool *all, GError **error)
{
    g_autoptr(sqlite3_stmt) row = database_prepare(
        ledger->database, error, "SELECT count(*) FROM bot WHERE state <> ?1", "s",
        bot_state_name(BOT_SUCCEEDED));
    if (row == NULL || !database_step(ledger->database, row, error))
        return false;
    *all = sqlite3_column_int64(row, 0) == 0;
    return true;
}

bool
ledger_agree(Ledger *ledger, const char *bots, GError **error)
{
    return database_change(ledger->database, error, "UPDATE run SET agreed = ?1", "s", bots);
}

static bool
count_attempt(Ledger *ledger, const char *user, const char *bot, GError **error)
{
    return database_change(ledger->database, error, SQL_COUNT_ATTEMPT, "ssi", user, bot, now_ms());
}

bool
ledger_intend(Ledger *ledger, const char *user, const char *bot, Intent *intent, GError **error)
{
    if (!begin_change(ledger, error))
        return false;
    bool well =
        count_attempt(ledger, user, bot, error) &&
        database_change(
            ledger->database, error, "INSERT INTO intent (user, bot, intended) VALUES (?1, ?2, ?3)",
            "ssi", user, bot, now_ms());
    intent->id = sqlite3_last_insert_rowid(ledger->database);
    g_snprintf(
        intent->name, sizeof intent->name, "vecferry-%s-%" G_GINT64_FORMAT, ledger->run,
        intent->id);
    well = well && database_change(
                       ledger->database, error, "UPDATE intent SET name = ?1 WHERE id = ?2", "si",
                       intent->name, intent->id);
    return end_change(ledger, well, error);
}

bool
ledger_launched(Ledger *ledger, const Intent *intent, const char *task, GError **error)
{
    if (!begin_change(ledger, error))
        return false;
    const bool well =
        database_change(
            ledger->database, error, "UPDATE intent SET task = ?1, launched = ?2 WHERE id = ?3",
            "sii", task, now_ms(), intent->id) &&
        database_change(ledger->database, error, SQL_BOT_TASK, "si", task, intent->id);
    return end_change(ledger, well, error);
}

bool
ledger_update(Ledger *ledger, const BotProgress *bot, GError **error)
{
    note_time(ledger);
    if (!begin_change(ledger, error))
        return false;
    const bool well =
        database_change(
            ledger->database, error, SQL_UPDATE_BOT, "ssssiiissii", bot->user, bot->bot,
            bot_state_name(bot->state), evidence_name(bot->evidence), bot->chunks, bot->reused,
            bot->tokens, bot->code, bot->reason, bot->started_ms, bot->ended_ms) &&
        database_change(
            ledger->database, error, "UPDATE shift SET seen = ?1 WHERE id = ?2", "ii", now_ms(),
            ledger->shift);
    return end_change(ledger, well, error);
}

bool
ledger_end(Ledger *ledger, RunState state, const char *stop, GError **error)
{
    note_time(ledger);
    return database_change(
        ledger->database, error, SQL_END_RUN, "sis", run_state_name(state),
        state == RUN_INTERRUPTED ? (gint64) 0 : now_ms(), stop);
}

typedef struct
{
    char *run;
    gint64 changed;
} RunFile;

static int
later_first(const void *a, const void *b)
{
    const RunFile *first = a;
    const RunFile *second = b;
    return first->changed < second->changed ? 1 : first->changed > second->changed ? -1 : 0;
}

/*
 * When somebody last worked at the run.  The lock's time tells: the database's own files are also
 * changed by those who only read.
 */
static gint64
last_change(const char *folder, const char *run)
{
    g_autofree char *path = file_of_run(folder, run, ".lock");
    struct stat facts;

    if (stat(path, &facts) != 0)
        return 0;
    return (gint64) facts.st_mtim.tv_sec * 1000000000 + facts.st_mtim.tv_nsec;
}

char **
ledger_runs(const char *folder)
{
    g_autoptr(GArray) files = g_array_new(FALSE, FALSE, sizeof(RunFile));
    g_autoptr(GDir) listing = g_dir_open(folder, 0, NULL);

    for (const char *name; listing != NULL && (name = g_dir_read_name(listing)) != NULL;)
    {
        if (!g_str_has_suffix(name, ".db"))
            continue;
        RunFile file = {.run = g_strndup(name, strlen(name) - strlen(".db"))};
        file.changed = last_change(folder, file.run);
        g_array_append_val(files, file);
    }
    g_array_sort(files, later_first);

    char **runs = g_new0(char *, files->len + 1);
    for (guint i = 0; i < files->len; i++)
        runs[i] = g_array_index(files, RunFile, i).run;
    return runs;
}

/* Workers do not outlive their run, which had no time to write that down. */
static void
forget_workers(RunProgress *run)
{
    for (guint i = 0; i < run->bots->len; i++)
    {
        BotProgress *bot = run->bots->pdata[i];
        if (!bot_state_is_final(bot->state))
            bot->state = BOT_PENDING;
    }
}

static RunProgress *
read_ledger(const char *folder, const char *run, bool everybody, GError **error)
{
    g_autofree char *path = ledger_path(folder, run);
    g_autofree char *meter = ledger_meter_path(folder, run);
    g_autoptr(RunProgress) progress = run_progress_new();

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
    {
        g_set_error(error, VF_ERROR, VF_ERROR_USAGE, "there is no run \"%s\" in %s", run, folder);
        vf_error_hint(error, "`vecferry status` without a name shows the latest");
        return NULL;
    }
    g_autoptr(sqlite3) database = database_open_read_only(path, error);
    if (database == NULL || !read_run(database, progress, error) ||
        !read_bots(database, everybody, progress, error))
        return NULL;

    const MeterTotals totals = meter_read(meter);
    run_progress_set_spent(progress, totals.tokens, totals.usd);
    if (is_locked(folder, run) && progress->state == RUN_INTERRUPTED)
        progress->state = RUN_RUNNING;
    if (progress->state == RUN_INTERRUPTED)
        forget_workers(progress);
    return g_steal_pointer(&progress);
}

RunProgress *
ledger_read(const char *folder, const char *run, GError **error)
{
    return read_ledger(folder, run, false, error);
}

RunProgress *
ledger_read_all(const char *folder, const char *run, GError **error)
{
    return read_ledger(folder, run, true, error);
}
