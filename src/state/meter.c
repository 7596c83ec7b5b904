#include "state/meter.h"

#include "base/error.h"
#include "state/begin_period.sql.h"
#include "state/charge_owner.sql.h"
#include "state/correct_tokens.sql.h"
#include "state/database.h"
#include "state/hear_limits.sql.h"
#include "state/meter.sql.h"
#include "state/new_clock.sql.h"
#include "state/read_meter.sql.h"
#include "state/spend.sql.h"
#include "state/totals.sql.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Money is counted in millionths of a millionth of a dollar, so that sums are exact. */
#define PICO 1e12

/* Four million dollars: nothing is counted beyond, and no sum of two exceeds an integer. */
#define MOST_MONEY G_GINT64_CONSTANT(4000000000000000000)

/*
 * A second longer than the provider's: what leaves here evenly arrives less evenly, and must not
 * be too much for the minute in which it arrives.
 */
#define MINUTE_US 61000000.0

/* The common pause: the first is this long, each further one twice that, up to the most. */
#define FIRST_PAUSE_MS 200
#define LONGEST_PAUSE_MS 60000

/* A wish beyond this is no pause but a standstill; asking again costs one refused call. */
#define LONGEST_WISH_MS 600000

/* How often a call that waits for others' reservations looks again. */
#define SETTLE_POLL_MS 50

#define SPECIAL_TOKENS 8

struct Meter
{
    pthread_mutex_t lock; /* one transaction at a time in this process */
    sqlite3 *database;
    MeterLimits limits;
    char *owner; /* this process: boot, pid and its start, so that no other is taken for it */
    bool synced; /* commits survive a power cut */
};

/* The one row of the meter. */
typedef struct
{
    gint64 spent; /* of what the cap is for */
    gint64 next_request;
    gint64 next_token;
    gint64 cool_until;
    gint64 pauses;
    gint64 told_requests;
    gint64 told_tokens;
} State;

/* A clock that all processes of the machine share; it begins anew with a boot. */
static gint64
clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (gint64) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static char *
boot_id(void)
{
    char *text = NULL;
    if (!g_file_get_contents("/proc/sys/kernel/random/boot_id", &text, NULL, NULL))
        return g_strdup("unknown");
    return g_strstrip(text);
}

/*
 * When a process started, in ticks since the boot (proc(5), stat, field 22); NULL if there is none.
 * One that has ended is none, even while it is listed: in a container, the first process may never
 * wait for those that it inherits.
 */
static char *
process_start(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int) pid);
    g_autofree char *stat = NULL;

    if (!g_file_get_contents(path, &stat, NULL, NULL))
        return NULL;
    const char *after_name = strrchr(stat, ')');
    if (after_name == NULL)
        return NULL;
    g_auto(GStrv) fields = g_strsplit(after_name + 2, " ", 22);
    if (g_strv_length(fields) < 21 || strchr("ZX", *fields[0]) != NULL)
        return NULL;
    return g_strdup(fields[19]);
}

static char *
owner_name(pid_t pid)
{
    g_autofree char *boot = boot_id();
    g_autofree char *start = process_start(pid);
    return g_strdup_printf("%s %d %s", boot, (int) pid, start == NULL ? "" : start);
}

static bool
owner_lives(const char *owner)
{
    g_auto(GStrv) parts = g_strsplit(owner, " ", 3);
    if (g_strv_length(parts) != 3)
        return false;
    g_autofree char *now = owner_name((pid_t) g_ascii_strtoll(parts[1], NULL, 10));
    return g_str_equal(now, owner);
}

/* After a boot the clock is another one: times of the old one mean nothing. */
static bool
forget_old_clock(sqlite3 *database, GError **error)
{
    g_autofree char *boot = boot_id();
    return database_change(
               database, error, "DELETE FROM passed WHERE (SELECT boot FROM meter) <> ?1", "s",
               boot) &&
           database_change(database, error, SQL_NEW_CLOCK, "s", boot);
}

Meter *
meter_open(const char *path, const MeterLimits *limits, GError **error)
{
    g_autoptr(sqlite3) database = database_open(path, false, error);
    if (database == NULL || !database_run(database, SQL_METER, error) ||
        !forget_old_clock(database, error) ||
        !database_change(
            database, error, "UPDATE meter SET priced = ?1", "i",
            (gint64) (limits->usd_per_token >= 0)))
        return NULL;

    Meter *meter = g_new0(Meter, 1);
    pthread_mutex_init(&meter->lock, NULL);
    meter->database = g_steal_pointer(&database);
    meter->limits = *limits;
    meter->owner = owner_name(getpid());
    return meter;
}

void
meter_free(Meter *meter)
{
    if (meter == NULL)
        return;
    sqlite3_close(meter->database);
    pthread_mutex_destroy(&meter->lock);
    g_free(meter->owner);
    g_free(meter);
}

static bool
set_synced(Meter *meter, bool synced, GError **error)
{
    if (synced == meter->synced)
        return true;
    if (!database_run(
            meter->database, synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
            error))
        return false;
    meter->synced = synced;
    return true;
}

static bool
begin_transaction(Meter *meter, bool synced, GError **error)
{
    pthread_mutex_lock(&meter->lock);
    if (set_synced(meter, synced, error) && database_run(meter->database, "BEGIN IMMEDIATE", error))
        return true;
    pthread_mutex_unlock(&meter->lock);
    return false;
}

/*
 * A change that a power cut may take back, as it takes back all that came after it: a settlement
 * that is lost leaves its reservation, which counts as spent.
 */
static bool
begin(Meter *meter, GError **error)
{
    return begin_transaction(meter, false, error);
}

/* A change that is on the disk when it is committed, if there is a cap to be kept. */
static bool
begin_to_spend(Meter *meter, GError **error)
{
    return begin_transaction(meter, meter->limits.max_usd >= 0, error);
}

/* Ends what begin() or begin_to_spend() began: kept when all went well. */
static bool
finish(Meter *meter, bool well, GError **error)
{
    bool kept = well && database_run(meter->database, "COMMIT", error);
    if (!kept)
        database_run(meter->database, "ROLLBACK", NULL);
    pthread_mutex_unlock(&meter->lock);
    return kept;
}

static bool
read_state(Meter *meter, State *state, GError **error)
{
    g_autoptr(sqlite3_stmt) row = database_prepare(meter->database, error, SQL_READ_METER, "");
    if (row == NULL || !database_step(meter->database, row, error))
        return false;
    *state = (State){
        .spent = sqlite3_column_int64(row, 0),
        .next_request = sqlite3_column_int64(row, 1),
        .next_token = sqlite3_column_int64(row, 2),
        .cool_until = sqlite3_column_int64(row, 3),
        .pauses = sqlite3_column_int64(row, 4),
        .told_requests = sqlite3_column_int64(row, 5),
        .told_tokens = sqlite3_column_int64(row, 6),
    };
    return true;
}

static gint64
money(double pico)
{
    return pico < (double) MOST_MONEY ? (gint64) pico : MOST_MONEY;
}

static gint64
cost_of(const Meter *meter, gint64 tokens)
{
    if (meter->limits.usd_per_token <= 0 || tokens <= 0)
        return 0;
    return money(ceil((double) tokens * meter->limits.usd_per_token * PICO));
}

/* Reservations of dead processes become spending: nobody will ever settle them. */
static bool
charge_the_dead(Meter *meter, GError **error)
{
    g_autoptr(GPtrArray) dead = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = NULL;
    g_autoptr(sqlite3_stmt) owners = database_prepare(
        meter->database, error, "SELECT DISTINCT owner FROM reservation WHERE owner <> ?1", "s",
        meter->owner);
    if (owners == NULL)
        return false;
    while (database_step(meter->database, owners, &problem))
    {
        char *owner = database_text(owners, 0);
        if (owner_lives(owner))
            g_free(owner);
        else
            g_ptr_array_add(dead, owner);
    }
    if (problem != NULL)
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    for (guint i = 0; i < dead->len; i++)
        if (!database_change(
                meter->database, error, SQL_CHARGE_OWNER, "si", (char *) dead->pdata[i],
                MOST_MONEY) ||
            !database_change(
                meter->database, error, "DELETE FROM reservation WHERE owner = ?1", "s",
                (char *) dead->pdata[i]))
            return false;
    return true;
}

static bool
read_reserved(Meter *meter, gint64 *reserved, GError **error)
{
    g_autoptr(sqlite3_stmt) sum = database_prepare(
        meter->database, error, "SELECT coalesce(sum(cost), 0) FROM reservation", "");
    if (sum == NULL || !database_step(meter->database, sum, error))
        return false;
    *reserved = sqlite3_column_int64(sum, 0);
    return true;
}

/* A call's place among all others. */
typedef struct
{
    gint64 ticket;
    gint64 slot;   /* when the call may be made */
    bool reserved; /* its money, too */
} Turn;

typedef enum
{
    FUNDED,   /* the worst case fits under the cap */
    WAIT,     /* it may fit once calls in flight are settled */
    TOO_MUCH, /* it never fits */
    BROKEN,   /* the error is set */
} Funding;

static Funding
look_at_cap(Meter *meter, const State *state, gint64 cost, GError **error)
{
    if (meter->limits.max_usd < 0)
        return FUNDED;

    const gint64 cap = money(floor(meter->limits.max_usd * PICO));
    gint64 reserved = 0;
    if (!read_reserved(meter, &reserved, error))
        return BROKEN;
    if (cost <= cap - state->spent - reserved)
        return FUNDED;
    if (reserved > 0)
        return WAIT;
    g_set_error(
        error, VF_ERROR, VF_ERROR_DENIED,
        "the spend cap of $%.6g is reached: $%.6g are spent, and the next call may cost $%.6g",
        (double) cap / PICO, (double) state->spent / PICO, (double) cost / PICO);
    vf_error_hint(error, "raise --max-usd and run the same command again; nothing is lost");
    return TOO_MUCH;
}

/*
 * The first moment from `slot` on at which the minute behind it has room for these tokens.  Even
 * pacing alone lets one call too many into a minute: the last one's tokens are waited for only
 * after it.
 */
static bool
find_room(Meter *meter, gint64 limit, gint64 tokens, gint64 *slot, GError **error)
{
    const gint64 begin = *slot - (gint64) MINUTE_US;
    g_autoptr(sqlite3_stmt) sum = database_prepare(
        meter->database, error, "SELECT coalesce(sum(tokens), 0) FROM passed WHERE slot > ?1", "i",
        begin);
    if (sum == NULL || !database_step(meter->database, sum, error))
        return false;
    gint64 used = sqlite3_column_int64(sum, 0);
    if (used + tokens <= limit)
        return true;

    g_autoptr(GError) problem = NULL;
    g_autoptr(sqlite3_stmt) calls = database_prepare(
        meter->database, error, "SELECT slot, tokens FROM passed WHERE slot > ?1 ORDER BY slot",
        "i", begin);
    if (calls == NULL)
        return false;
    while (used + tokens > limit && database_step(meter->database, calls, &problem))
    {
        used -= sqlite3_column_int64(calls, 1);
        *slot = MAX(*slot, sqlite3_column_int64(calls, 0) + (gint64) MINUTE_US);
    }
    if (problem == NULL)
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* The slot of this call on both clocks of the rate; the next caller gets the one behind it. */
static bool
take_slot(Meter *meter, State *state, gint64 expected_tokens, gint64 *taken, GError **error)
{
    const gint64 now = clock_us();
    const gint64 requests = meter->limits.requests_per_minute > 0
                                ? meter->limits.requests_per_minute
                                : state->told_requests;
    const gint64 tokens =
        meter->limits.tokens_per_minute > 0 ? meter->limits.tokens_per_minute : state->told_tokens;
    gint64 slot = MAX(now, state->cool_until);

    if (requests > 0)
        slot = MAX(slot, state->next_request);
    if (tokens > 0)
        slot = MAX(slot, state->next_token);
    if (tokens > 0 && !find_room(meter, tokens, expected_tokens, &slot, error))
        return false;
    if (requests > 0)
        state->next_request = slot + (gint64) (MINUTE_US / (double) requests);
    if (tokens > 0)
        state->next_token =
            slot + (gint64) (MINUTE_US * (double) expected_tokens / (double) tokens);
    *taken = slot;
    return true;
}

/* Remembers the call for as long as its minute lasts. */
static bool
note_call(Meter *meter, gint64 ticket, gint64 slot, gint64 tokens, GError **error)
{
    const gint64 past = clock_us() - (gint64) (2 * MINUTE_US);
    return database_change(
               meter->database, error, "DELETE FROM passed WHERE slot < ?1", "i", past) &&
           database_change(
               meter->database, error, "INSERT INTO passed VALUES (?1, ?2, ?3)", "iii", ticket,
               slot, tokens);
}

static bool
write_slots(Meter *meter, const State *state, GError **error)
{
    return database_change(
        meter->database, error, "UPDATE meter SET next_request = ?1, next_token = ?2", "ii",
        state->next_request, state->next_token);
}

/* What calls under way leave of the cap, in a transaction that has begun. */
static Funding
look_for_money(Meter *meter, State *state, gint64 cost, GError **error)
{
    if (!charge_the_dead(meter, error) || !read_state(meter, state, error))
        return BROKEN;
    return look_at_cap(meter, state, cost, error);
}

/*
 * A place in the queue, if there may be money at its end; `turn` is when the call may be made.
 * Nothing is reserved while it waits: who dies then has cost nothing.  One that need not wait gets
 * its money here.
 */
static Funding
queue_up(Meter *meter, gint64 expected, gint64 cost, Turn *turn, GError **error)
{
    State state = {0};

    if (!begin_to_spend(meter, error))
        return BROKEN;
    const Funding funding = look_for_money(meter, &state, cost, error);
    bool well = funding != BROKEN;
    if (funding == FUNDED)
    {
        well = take_slot(meter, &state, expected, &turn->slot, error) &&
               write_slots(meter, &state, error);
        turn->reserved = turn->slot <= clock_us();
        well = well && database_change(
                           meter->database, error,
                           "INSERT INTO reservation (owner, cost, expected) VALUES (?1, ?2, ?3)",
                           "sii", meter->owner, turn->reserved ? cost : 0, expected);
        turn->ticket = sqlite3_last_insert_rowid(meter->database);
        well = well && note_call(meter, turn->ticket, turn->slot, expected, error);
    }
    return finish(meter, well, error) ? funding : BROKEN;
}

/* The call's turn has come: its worst case is reserved, or another call was faster. */
static Funding
reserve_money(Meter *meter, gint64 ticket, gint64 cost, GError **error)
{
    State state = {0};

    if (!begin_to_spend(meter, error))
        return BROKEN;
    const Funding funding = look_for_money(meter, &state, cost, error);
    const bool well = funding == FUNDED ? database_change(
                                              meter->database, error,
                                              "UPDATE reservation SET cost = ?1 WHERE ticket = ?2",
                                              "ii", cost, ticket)
                                        : funding != BROKEN;
    return finish(meter, well, error) ? funding : BROKEN;
}

/* The call is not made: its place is another's. */
static bool
leave_queue(Meter *meter, gint64 ticket, GError **error)
{
    if (!begin(meter, error))
        return false;
    const bool well =
        database_change(
            meter->database, error, "DELETE FROM passed WHERE ticket = ?1", "i", ticket) &&
        database_change(
            meter->database, error, "DELETE FROM reservation WHERE ticket = ?1", "i", ticket);
    return finish(meter, well, error);
}

static bool
read_cool_until(Meter *meter, gint64 *until, GError **error)
{
    State state = {0};
    pthread_mutex_lock(&meter->lock);
    const bool well = read_state(meter, &state, error);
    pthread_mutex_unlock(&meter->lock);
    *until = state.cool_until;
    return well;
}

static bool
take_another_slot(Meter *meter, gint64 ticket, gint64 expected_tokens, gint64 *slot, GError **error)
{
    State state = {0};

    if (!begin(meter, error))
        return false;
    const bool well =
        read_state(meter, &state, error) &&
        database_change(
            meter->database, error, "DELETE FROM passed WHERE ticket = ?1", "i", ticket) &&
        take_slot(meter, &state, expected_tokens, slot, error) &&
        write_slots(meter, &state, error) &&
        note_call(meter, ticket, *slot, expected_tokens, error);
    return finish(meter, well, error);
}

/*
 * Sleeps until the slot.  One that falls into a pause is lost, and another taken: at the end of
 * the pause the calls go one after the other again, and not all that waited at once.
 */
static bool
wait_for_slot(
    Meter *meter, gint64 ticket, gint64 slot, gint64 expected_tokens, Cancel *cancel,
    GError **error)
{
    for (;;)
    {
        const gint64 left_us = slot - clock_us();
        if (left_us > 0 && !cancel_sleep(cancel, (left_us + 999) / 1000))
            return cancel_check(cancel, error);
        gint64 cool_until = 0;
        if (!read_cool_until(meter, &cool_until, error))
            return false;
        if (cool_until <= clock_us())
            return true;
        if (!take_another_slot(meter, ticket, expected_tokens, &slot, error))
            return false;
    }
}

/* From the end of the queue to the reservation. */
static Funding
wait_for_turn(
    Meter *meter, gint64 expected_tokens, gint64 cost, Cancel *cancel, gint64 *ticket,
    GError **error)
{
    Turn turn = {0};
    Funding funding = queue_up(meter, expected_tokens, cost, &turn, error);

    *ticket = turn.ticket;
    if (funding != FUNDED || turn.reserved)
        return funding;
    funding = wait_for_slot(meter, turn.ticket, turn.slot, expected_tokens, cancel, error)
                  ? reserve_money(meter, turn.ticket, cost, error)
                  : BROKEN;
    if (funding != FUNDED && !leave_queue(meter, turn.ticket, funding == WAIT ? error : NULL))
        return BROKEN;
    return funding;
}

bool
meter_reserve(
    Meter *meter, gint64 expected_tokens, gint64 most_tokens, Cancel *cancel, gint64 *ticket,
    GError **error)
{
    const gint64 cost = cost_of(meter, most_tokens);

    for (;;)
    {
        switch (wait_for_turn(meter, expected_tokens, cost, cancel, ticket, error))
        {
        case FUNDED:
            return true;
        case TOO_MUCH:
        case BROKEN:
            return false;
        case WAIT:
            break;
        }
        if (!cancel_sleep(cancel, SETTLE_POLL_MS))
            return cancel_check(cancel, error);
    }
}

/* Moves the token clock by what the estimate was wrong. */
static bool
correct_token_clock(Meter *meter, gint64 ticket, gint64 tokens, GError **error)
{
    State state = {0};
    if (!read_state(meter, &state, error))
        return false;
    const gint64 limit =
        meter->limits.tokens_per_minute > 0 ? meter->limits.tokens_per_minute : state.told_tokens;
    if (limit <= 0 || tokens <= 0)
        return true;
    return database_change(
        meter->database, error, SQL_CORRECT_TOKENS, "iid", tokens, ticket,
        MINUTE_US / (double) limit);
}

bool
meter_settle(Meter *meter, gint64 ticket, gint64 tokens, GError **error)
{
    if (!begin(meter, error))
        return false;
    const bool well =
        correct_token_clock(meter, ticket, tokens, error) &&
        database_change(
            meter->database, error, "UPDATE passed SET tokens = ?1 WHERE ticket = ?2", "ii", tokens,
            ticket) &&
        database_change(
            meter->database, error, SQL_SPEND, "iii", tokens, cost_of(meter, tokens), MOST_MONEY) &&
        database_change(
            meter->database, error, "DELETE FROM reservation WHERE ticket = ?1", "i", ticket);
    return finish(meter, well, error);
}

/* Who died before has spent for what is done. */
bool
meter_begin_period(Meter *meter, GError **error)
{
    if (!begin_to_spend(meter, error))
        return false;
    return finish(
        meter,
        charge_the_dead(meter, error) && database_run(meter->database, SQL_BEGIN_PERIOD, error),
        error);
}

bool
meter_end_period(Meter *meter, GError **error)
{
    if (!begin(meter, error))
        return false;
    return finish(meter, database_run(meter->database, "UPDATE period SET over = 1", error), error);
}

bool
meter_keep_dimensions(Meter *meter, int dimensions, GError **error)
{
    if (!begin(meter, error))
        return false;
    return finish(
        meter,
        database_change(
            meter->database, error, "INSERT OR REPLACE INTO model VALUES (1, ?1)", "i",
            (gint64) dimensions),
        error);
}

bool
meter_kept_dimensions(Meter *meter, int *dimensions, GError **error)
{
    pthread_mutex_lock(&meter->lock);
    g_autoptr(sqlite3_stmt) row = database_prepare(
        meter->database, error, "SELECT coalesce(max(dimensions), 0) FROM model", "");
    const bool well = row != NULL && database_step(meter->database, row, error);
    if (well)
        *dimensions = sqlite3_column_int(row, 0);
    pthread_mutex_unlock(&meter->lock);
    return well;
}

bool
meter_cool_down(Meter *meter, gint64 wish_ms, gint64 *pause_ms, GError **error)
{
    State state = {0};

    if (!begin(meter, error))
        return false;
    bool well = read_state(meter, &state, error);
    if (well)
    {
        const gint64 now = clock_us();
        /* Many calls in flight are throttled together: that is one throttling. */
        const gint64 pauses = state.cool_until > now ? MAX(state.pauses, 1) : state.pauses + 1;
        const gint64 doubled = FIRST_PAUSE_MS << MIN(pauses - 1, 12);
        const double own_ms =
            (double) MIN(doubled, LONGEST_PAUSE_MS) * g_random_double_range(0.5, 1.0);
        const gint64 own_or_wish_ms =
            wish_ms >= 0 ? MIN(wish_ms, LONGEST_WISH_MS) : (gint64) own_ms;
        const gint64 until = now + 1000 * own_or_wish_ms;

        well = database_change(
            meter->database, error,
            "UPDATE meter SET cool_until = max(cool_until, ?1), pauses = ?2", "ii", until, pauses);
        if (pause_ms != NULL)
            *pause_ms = (MAX(until, state.cool_until) - now) / 1000;
    }
    return finish(meter, well, error);
}

bool
meter_praise(Meter *meter, GError **error)
{
    if (!begin(meter, error))
        return false;
    return finish(
        meter,
        database_change(
            meter->database, error, "UPDATE meter SET pauses = 0 WHERE pauses <> 0", ""),
        error);
}

bool
meter_hear_limits(
    Meter *meter, gint64 requests_per_minute, gint64 tokens_per_minute, GError **error)
{
    if (requests_per_minute <= 0 && tokens_per_minute <= 0)
        return true;
    if (!begin(meter, error))
        return false;
    return finish(
        meter,
        database_change(
            meter->database, error, SQL_HEAR_LIMITS, "ii", requests_per_minute, tokens_per_minute),
        error);
}

static bool
read_totals(sqlite3 *database, MeterTotals *totals, GError **error)
{
    g_autoptr(sqlite3_stmt) row = database_prepare(database, error, SQL_TOTALS, "");
    if (row == NULL || !database_step(database, row, error))
        return false;
    totals->tokens = sqlite3_column_int64(row, 0);
    totals->calls = sqlite3_column_int64(row, 1);
    totals->reserved_usd = (double) sqlite3_column_int64(row, 4) / PICO;
    totals->usd = sqlite3_column_int64(row, 3)
                      ? (double) sqlite3_column_int64(row, 2) / PICO + totals->reserved_usd
                      : -1;
    return true;
}

bool
meter_totals(Meter *meter, MeterTotals *totals, GError **error)
{
    pthread_mutex_lock(&meter->lock);
    const bool well = read_totals(meter->database, totals, error);
    pthread_mutex_unlock(&meter->lock);
    return well;
}

MeterTotals
meter_read(const char *path)
{
    MeterTotals totals = {.usd = -1};
    g_autoptr(sqlite3) database = NULL;

    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return totals;
    database = database_open_read_only(path, NULL);
    if (database != NULL)
        read_totals(database, &totals, NULL);
    return totals;
}

gint64
meter_most_tokens(const char *text)
{
    return (gint64) strlen(text) + SPECIAL_TOKENS;
}
