#include "base/error.h"
#include "other_process.h"
#include "state/database.h"
#include "state/meter.h"

#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

/* Token for token this is exact in binary. */
#define PRICE 0.125

static const MeterLimits UNLIMITED = {.usd_per_token = PRICE, .max_usd = -1};

typedef struct
{
    char *folder;
    char *path;
} Fixture;

static void
set_up(Fixture *fixture, const void *data)
{
    (void) data;
    fixture->folder = g_dir_make_tmp("meter-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "run.meter", NULL);
}

static void
tear_down(Fixture *fixture, const void *data)
{
    static const char *const ENDINGS[] = {"", "-wal", "-shm"};
    (void) data;
    for (guint i = 0; i < G_N_ELEMENTS(ENDINGS); i++)
    {
        g_autofree char *path = g_strconcat(fixture->path, ENDINGS[i], NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->folder);
}

static Meter *
opened(const char *path, MeterLimits limits)
{
    g_autoptr(GError) error = NULL;
    Meter *meter = meter_open(path, &limits, &error);
    g_assert_no_error(error);
    return meter;
}

static gint64
reserve(Meter *meter, gint64 expected, gint64 most)
{
    g_autoptr(GError) error = NULL;
    gint64 ticket = 0;
    g_assert_true(meter_reserve(meter, expected, most, NULL, &ticket, &error));
    g_assert_no_error(error);
    return ticket;
}

static void
settle(Meter *meter, gint64 ticket, gint64 tokens)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(meter_settle(meter, ticket, tokens, &error));
    g_assert_no_error(error);
}

static void
assert_denied(Meter *meter, gint64 tokens)
{
    g_autoptr(GError) error = NULL;
    gint64 ticket = 0;
    g_assert_false(meter_reserve(meter, tokens, tokens, NULL, &ticket, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
}

static MeterTotals
totals_of(Meter *meter)
{
    MeterTotals totals = {0};
    g_assert_true(meter_totals(meter, &totals, NULL));
    return totals;
}

static double
ms_since(gint64 begin)
{
    return (double) (g_get_monotonic_time() - begin) / 1000;
}

/* How long the next call has to wait. */
static double
wait_ms(Meter *meter, gint64 expected_tokens)
{
    const gint64 begin = g_get_monotonic_time();
    const gint64 ticket = reserve(meter, expected_tokens, expected_tokens);
    const double waited = ms_since(begin);
    settle(meter, ticket, expected_tokens);
    return waited;
}

/* Machines of tests are busy: late is allowed, early never. */
#define BUSY_MS 1500
#define ASSERT_WAITED(waited, least)                                                               \
    do                                                                                             \
    {                                                                                              \
        const double ms_ = (waited);                                                               \
        g_assert_cmpfloat(ms_, >=, least);                                                         \
        g_assert_cmpfloat(ms_, <, (least) + BUSY_MS);                                              \
    } while (false)

/* --- money --------------------------------------------------------------------------------- */

static void
test_no_cap_and_no_cost_is_too_large_to_count(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits dear = {.usd_per_token = 1, .max_usd = 1e15};
    g_autoptr(Meter) meter = opened(fixture->path, dear);

    settle(meter, reserve(meter, 1, 1000), 1000);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 1000);
    assert_denied(meter, G_MAXINT64);

    /* What was spent beyond all counting leaves nothing under any cap. */
    settle(meter, reserve(meter, 1, 1), G_MAXINT64 / 4);
    settle(meter, reserve(meter, 1, 0), G_MAXINT64 / 4);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 4e6);
    assert_denied(meter, 1);
}

static void
test_the_cap_begins_anew_only_after_an_end(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = PRICE, .max_usd = 8 * PRICE};
    g_autoptr(Meter) meter = opened(fixture->path, limits);

    settle(meter, reserve(meter, 8, 8), 8);
    g_assert_true(meter_begin_period(meter, NULL));
    assert_denied(meter, 1);
    g_assert_true(meter_end_period(meter, NULL));
    assert_denied(meter, 1);

    g_assert_true(meter_begin_period(meter, NULL));
    settle(meter, reserve(meter, 6, 6), 6);
    g_assert_true(meter_begin_period(meter, NULL));
    assert_denied(meter, 3);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 14 * PRICE);
}

static void
test_counts_what_is_settled_and_what_is_reserved(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    const gint64 first = reserve(meter, 4, 8);
    const gint64 second = reserve(meter, 4, 16);

    MeterTotals totals = totals_of(meter);
    g_assert_cmpint(totals.tokens, ==, 0);
    g_assert_cmpint(totals.calls, ==, 0);
    g_assert_cmpfloat(totals.reserved_usd, ==, 24 * PRICE);
    g_assert_cmpfloat(totals.usd, ==, 24 * PRICE);

    settle(meter, first, 5);
    totals = totals_of(meter);
    g_assert_cmpint(totals.tokens, ==, 5);
    g_assert_cmpint(totals.calls, ==, 1);
    g_assert_cmpfloat(totals.reserved_usd, ==, 16 * PRICE);
    g_assert_cmpfloat(totals.usd, ==, 21 * PRICE);

    settle(meter, second, 0);
    totals = totals_of(meter);
    g_assert_cmpint(totals.tokens, ==, 5);
    g_assert_cmpfloat(totals.reserved_usd, ==, 0);
    g_assert_cmpfloat(totals.usd, ==, 5 * PRICE);
}

static void
test_a_reservation_is_on_disk_before_the_call(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    reserve(meter, 4, 8);
    g_assert_cmpfloat(meter_read(fixture->path).usd, ==, 8 * PRICE);
}

/* SQLite's own access to files, but for the syncs of its log, which are counted. */
static atomic_int syncs;
static sqlite3_vfs *plain_vfs;
static const sqlite3_io_methods *plain_methods;
static sqlite3_io_methods counting_methods;

static int
count_sync(sqlite3_file *file, int flags)
{
    atomic_fetch_add(&syncs, 1);
    return plain_methods->xSync(file, flags);
}

static int
open_counting(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void) vfs;
    const int code = plain_vfs->xOpen(plain_vfs, name, file, flags, out_flags);
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0)
        return code;
    plain_methods = file->pMethods;
    counting_methods = *plain_methods;
    counting_methods.xSync = count_sync;
    file->pMethods = &counting_methods;
    return SQLITE_OK;
}

static Meter *
opened_with_counted_syncs(const char *path, MeterLimits limits)
{
    static sqlite3_vfs counting;

    plain_vfs = sqlite3_vfs_find(NULL);
    counting = *plain_vfs;
    counting.zName = "counting";
    counting.xOpen = open_counting;
    sqlite3_vfs_register(&counting, 1);
    Meter *meter = opened(path, limits);
    sqlite3_vfs_unregister(&counting);
    return meter;
}

static void
test_under_a_cap_a_reservation_survives_a_power_cut(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = PRICE, .max_usd = 1000};
    g_autoptr(Meter) meter = opened_with_counted_syncs(fixture->path, limits);

    for (int i = 0; i < 3; i++)
    {
        atomic_store(&syncs, 0);
        const gint64 ticket = reserve(meter, 4, 8);
        g_assert_cmpint(atomic_load(&syncs), >=, 1);
        settle(meter, ticket, 4);
    }
}

/* Then its reservation stands, and counts as spent: nobody need wait for the disk. */
static void
test_a_settlement_may_be_lost_with_the_power(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = PRICE, .max_usd = 1000};
    g_autoptr(Meter) meter = opened_with_counted_syncs(fixture->path, limits);
    const gint64 ticket = reserve(meter, 4, 8);

    atomic_store(&syncs, 0);
    settle(meter, ticket, 4);
    g_assert_cmpint(atomic_load(&syncs), ==, 0);
}

static void
test_a_call_that_need_not_wait_costs_one_sync(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = PRICE, .max_usd = 1000};
    g_autoptr(Meter) meter = opened_with_counted_syncs(fixture->path, limits);
    settle(meter, reserve(meter, 4, 8), 4);

    atomic_store(&syncs, 0);
    settle(meter, reserve(meter, 4, 8), 4);
    g_assert_true(meter_praise(meter, NULL));
    g_assert_cmpint(atomic_load(&syncs), ==, 1);
}

static void
test_sums_are_exact(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = 0.1, .max_usd = 1};
    g_autoptr(Meter) meter = opened(fixture->path, limits);

    for (int i = 0; i < 10; i++)
        settle(meter, reserve(meter, 1, 1), 1);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 1);
    assert_denied(meter, 1);
}

static void
test_what_was_spent_is_remembered(Fixture *fixture, const void *data)
{
    (void) data;
    Meter *meter = opened(fixture->path, UNLIMITED);
    settle(meter, reserve(meter, 4, 8), 6);
    meter_free(meter);

    const MeterTotals read = meter_read(fixture->path);
    g_autoptr(Meter) again = opened(fixture->path, UNLIMITED);
    g_assert_cmpint(read.tokens, ==, 6);
    g_assert_cmpint(totals_of(again).tokens, ==, 6);
    g_assert_cmpfloat(totals_of(again).usd, ==, 6 * PRICE);
}

static void
test_without_a_price_there_is_no_sum(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = -1, .max_usd = -1};
    g_autoptr(Meter) meter = opened(fixture->path, limits);

    settle(meter, reserve(meter, 4, 8), 6);
    g_assert_cmpfloat(totals_of(meter).usd, <, 0);
    g_assert_cmpint(totals_of(meter).tokens, ==, 6);
    g_assert_cmpfloat(meter_read(fixture->path).usd, <, 0);
}

static void
test_what_is_free_costs_nothing_and_is_never_denied(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {.usd_per_token = 0, .max_usd = 0};
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    settle(meter, reserve(meter, 1000000, 1000000), 1000000);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 0);
}

static void
test_a_token_has_at_least_a_byte(void)
{
    g_assert_cmpint(meter_most_tokens(""), >, 0);
    g_assert_cmpint(meter_most_tokens("aé"), >=, 3 + 2);
}

/* --- the cap ------------------------------------------------------------------------------- */

static MeterLimits
capped(double tokens)
{
    return (MeterLimits){.usd_per_token = PRICE, .max_usd = tokens * PRICE};
}

static void
test_the_cap_can_be_used_up_to_the_last_token(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    settle(meter, reserve(meter, 6, 6), 6);
    settle(meter, reserve(meter, 4, 4), 4);
    assert_denied(meter, 1);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 10 * PRICE);
}

static void
test_the_worst_case_must_fit(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    g_autoptr(GError) error = NULL;
    gint64 ticket = 0;

    settle(meter, reserve(meter, 1, 4), 4);
    g_assert_false(meter_reserve(meter, 1, 7, NULL, &ticket, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
    g_assert_cmpstr(
        error->message, ==,
        "the spend cap of $1.25 is reached: $0.5 are spent, and the next call may cost $0.875\n"
        "raise --max-usd and run the same command again; nothing is lost");
    settle(meter, reserve(meter, 1, 6), 6);
}

static void
test_a_cap_of_nothing_denies_everything(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(0));
    assert_denied(meter, 1);
}

static void
test_a_raised_cap_lets_the_run_go_on(Fixture *fixture, const void *data)
{
    (void) data;
    Meter *meter = opened(fixture->path, capped(5));
    settle(meter, reserve(meter, 5, 5), 5);
    assert_denied(meter, 1);
    meter_free(meter);

    g_autoptr(Meter) again = opened(fixture->path, capped(6));
    settle(again, reserve(again, 1, 1), 1);
    assert_denied(again, 1);
}

typedef struct
{
    Meter *meter;
    atomic_llong billed; /* by the provider, who knows better than the meter */
    atomic_llong most;   /* in flight or billed at any moment */
    atomic_int denied;
} Spending;

static void *
spend_until_denied(void *data)
{
    Spending *spending = data;
    for (guint i = 0;; i++)
    {
        g_autoptr(GError) error = NULL;
        gint64 ticket = 0;
        const gint64 most = 3 + i % 7;
        if (!meter_reserve(spending->meter, most, most, NULL, &ticket, &error))
        {
            g_assert_error(error, VF_ERROR, VF_ERROR_DENIED);
            atomic_fetch_add(&spending->denied, 1);
            return NULL;
        }
        const gint64 tokens = i % 3 == 0 ? most : most / 2;
        const gint64 now = atomic_fetch_add(&spending->billed, tokens) + tokens;
        long long seen = atomic_load(&spending->most);
        while (now > seen && !atomic_compare_exchange_weak(&spending->most, &seen, now))
        {
        }
        settle(spending->meter, ticket, tokens);
    }
}

static void
test_many_threads_never_exceed_the_cap(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(500));
    Spending spending = {.meter = meter};
    pthread_t threads[8];

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, spend_until_denied, &spending);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);

    g_assert_cmpint(atomic_load(&spending.denied), ==, G_N_ELEMENTS(threads));
    g_assert_cmpint(atomic_load(&spending.most), <=, 500);
    /* Nobody gives up while a call fits: at most a worst case is left. */
    g_assert_cmpint(atomic_load(&spending.billed), >, 500 - 10);
    g_assert_cmpfloat(totals_of(meter).usd, ==, (double) atomic_load(&spending.billed) * PRICE);
}

typedef struct
{
    Meter *meter;
    gint64 ticket;
    bool reserved;
    atomic_bool done;
} Waiter;

static void *
reserve_six(void *data)
{
    Waiter *waiter = data;
    waiter->reserved = meter_reserve(waiter->meter, 6, 6, NULL, &waiter->ticket, NULL);
    atomic_store(&waiter->done, true);
    return NULL;
}

static void
test_a_call_waits_for_money_that_may_come_back(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    Waiter waiter = {.meter = meter};
    const gint64 ticket = reserve(meter, 8, 8);
    pthread_t thread;

    pthread_create(&thread, NULL, reserve_six, &waiter);
    g_usleep(200000);
    g_assert_false(atomic_load(&waiter.done));
    settle(meter, ticket, 4);
    pthread_join(thread, NULL);
    g_assert_true(waiter.reserved);
}

static void
test_a_stop_ends_the_wait_for_money(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(GError) error = NULL;
    gint64 ticket = 0;

    reserve(meter, 8, 8);
    cancel_request(cancel);
    g_assert_false(meter_reserve(meter, 6, 6, cancel, &ticket, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
}

/* --- processes that die -------------------------------------------------------------------- */

typedef struct
{
    const char *path;
    gint64 tokens;
} Holding;

static int
hold_reservation(const OtherSide *side, void *data)
{
    const Holding *holding = data;
    g_autoptr(Meter) meter = opened(holding->path, capped(10));
    const gint64 ticket = reserve(meter, holding->tokens, holding->tokens);
    other_ready(side);
    other_wait(side);
    settle(meter, ticket, 1);
    return 0;
}

static void
test_what_a_killed_worker_had_reserved_is_spent(Fixture *fixture, const void *data)
{
    (void) data;
    Holding holding = {fixture->path, 7};
    const OtherProcess other = other_start(hold_reservation, &holding);
    other_await(&other);
    other_kill(&other);

    g_assert_cmpfloat(meter_read(fixture->path).usd, ==, 7 * PRICE);
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    assert_denied(meter, 4);
    settle(meter, reserve(meter, 3, 3), 3);
    const MeterTotals totals = totals_of(meter);
    g_assert_cmpfloat(totals.usd, ==, 10 * PRICE);
    g_assert_cmpfloat(totals.reserved_usd, ==, 0);
    g_assert_cmpint(totals.tokens, ==, 3); /* nobody knows how many the other was billed */
}

static gint64
calls_in_the_queue(const char *path)
{
    g_autoptr(sqlite3) database = database_open_read_only(path, NULL);
    g_autoptr(sqlite3_stmt) count =
        database_prepare(database, NULL, "SELECT count(*) FROM reservation", "");
    return database_step(database, count, NULL) ? sqlite3_column_int64(count, 0) : 0;
}

static int
wait_for_the_turn(const OtherSide *side, void *data)
{
    const Holding *holding = data;
    g_autoptr(Meter) meter = opened(holding->path, capped(10));
    g_assert_true(meter_cool_down(meter, 2000, NULL, NULL));
    other_ready(side);
    reserve(meter, holding->tokens, holding->tokens);
    return 1;
}

/* No call was made, so a run that is often interrupted does not use up its cap by that. */
static void
test_who_is_killed_while_it_waits_has_spent_nothing(Fixture *fixture, const void *data)
{
    (void) data;
    Holding holding = {fixture->path, 7};
    const OtherProcess other = other_start(wait_for_the_turn, &holding);
    other_await(&other);
    while (calls_in_the_queue(fixture->path) == 0)
        g_usleep(5000);
    other_kill(&other);

    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    settle(meter, reserve(meter, 10, 10), 10);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 10 * PRICE);
}

static void *
try_seven(void *data)
{
    Meter *meter = data;
    gint64 ticket = 0;
    if (!meter_reserve(meter, 7, 7, NULL, &ticket, NULL))
        return NULL;
    settle(meter, ticket, 7);
    return meter;
}

static void
test_the_cap_holds_for_those_who_waited_together(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    pthread_t threads[4];
    guint paid = 0;

    g_assert_true(meter_cool_down(meter, 300, NULL, NULL));
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, try_seven, meter);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    {
        void *result = NULL;
        pthread_join(threads[i], &result);
        paid += result != NULL;
    }
    g_assert_cmpuint(paid, ==, 1);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 7 * PRICE);
    g_assert_cmpint(calls_in_the_queue(fixture->path), ==, 0);
}

static void
test_what_a_living_worker_has_reserved_may_come_back(Fixture *fixture, const void *data)
{
    (void) data;
    Holding holding = {fixture->path, 7};
    const OtherProcess other = other_start(hold_reservation, &holding);
    other_await(&other);

    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    Waiter waiter = {.meter = meter};
    pthread_t thread;
    pthread_create(&thread, NULL, reserve_six, &waiter);
    g_usleep(200000);
    g_assert_false(atomic_load(&waiter.done));
    g_assert_cmpint(other_end(&other), ==, 0); /* it settles, and ends well */
    pthread_join(thread, NULL);
    g_assert_true(waiter.reserved);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 7 * PRICE);
}

static void
test_who_waits_for_a_killed_worker_is_denied(Fixture *fixture, const void *data)
{
    (void) data;
    Holding holding = {fixture->path, 7};
    const OtherProcess other = other_start(hold_reservation, &holding);
    other_await(&other);

    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    Waiter waiter = {.meter = meter};
    pthread_t thread;
    pthread_create(&thread, NULL, reserve_six, &waiter);
    g_usleep(100000);
    other_kill(&other);
    pthread_join(thread, NULL);
    g_assert_false(waiter.reserved);
}

/* In a container nobody may wait for a process whose parent is gone. */
static void
test_a_killed_worker_that_nobody_waits_for_is_dead(Fixture *fixture, const void *data)
{
    (void) data;
    Holding holding = {fixture->path, 7};
    const OtherProcess other = other_start(hold_reservation, &holding);
    other_await(&other);
    siginfo_t ended = {0};
    kill(other.pid, SIGKILL);
    g_assert_cmpint(waitid(P_PID, (id_t) other.pid, &ended, WEXITED | WNOWAIT), ==, 0);

    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    Waiter waiter = {.meter = meter};
    pthread_t thread;
    pthread_create(&thread, NULL, reserve_six, &waiter);
    for (int i = 0; i < 500 && !atomic_load(&waiter.done); i++)
        g_usleep(10000);
    g_assert_true(atomic_load(&waiter.done));
    pthread_join(thread, NULL);
    g_assert_false(waiter.reserved);
    g_assert_cmpint(other_end(&other), ==, -SIGKILL);
}

typedef struct
{
    const char *path;
    atomic_llong *billed;
} Campaign;

enum
{
    CAMPAIGN_CAP = 3000,
};

static int
spend_carelessly(const OtherSide *side, void *data)
{
    const Campaign *campaign = data;
    g_autoptr(Meter) meter = opened(campaign->path, capped(CAMPAIGN_CAP));
    g_autoptr(GRand) chance = g_rand_new_with_seed((guint32) getpid());
    (void) side;

    for (;;)
    {
        g_autoptr(GError) error = NULL;
        gint64 ticket = 0;
        const gint64 most = g_rand_int_range(chance, 1, 40);
        if (!meter_reserve(meter, most, most, NULL, &ticket, &error))
            return g_error_matches(error, VF_ERROR, VF_ERROR_DENIED) ? 0 : 1;
        g_usleep((gulong) g_rand_int_range(chance, 0, 2000));
        const gint64 tokens = g_rand_int_range(chance, 0, (gint32) most + 1);
        atomic_fetch_add(campaign->billed, tokens);
        if (!meter_settle(meter, ticket, tokens, &error))
            return 2;
    }
}

static void
test_killed_or_not_nobody_exceeds_the_cap(Fixture *fixture, const void *data)
{
    (void) data;
    atomic_llong *billed =
        mmap(NULL, sizeof *billed, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    Campaign campaign = {fixture->path, billed};
    OtherProcess others[3];
    guint killed = 0;

    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        others[i] = other_start(spend_carelessly, &campaign);
    for (guint round = 0; round < 30; round++)
    {
        const guint victim = round % G_N_ELEMENTS(others);
        g_usleep((gulong) g_test_rand_int_range(1000, 30000));
        kill(others[victim].pid, SIGKILL);
        const int end = other_end(&others[victim]);
        g_assert_true(end == -SIGKILL || end == 0);
        killed += end == -SIGKILL ? 1 : 0;
        g_assert_cmpfloat(meter_read(fixture->path).usd, <=, CAMPAIGN_CAP * PRICE);
        g_assert_cmpint(atomic_load(billed), <=, CAMPAIGN_CAP);
        others[victim] = other_start(spend_carelessly, &campaign);
    }
    for (guint i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_cmpint(other_end(&others[i]), ==, 0);

    const MeterTotals totals = meter_read(fixture->path);
    g_test_message("%u killed, %lld billed", killed, atomic_load(billed));
    g_assert_cmpfloat(totals.usd, <=, CAMPAIGN_CAP * PRICE);
    g_assert_cmpfloat(totals.usd, >=, (double) atomic_load(billed) * PRICE);
    g_assert_cmpfloat(totals.usd, >, (CAMPAIGN_CAP - 40) * PRICE);
    g_assert_cmpuint(killed, >, 0);
    munmap(billed, sizeof *billed);
}

/* --- another boot, another process --------------------------------------------------------- */

static void
change(const Fixture *fixture, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(sqlite3) database = database_open(fixture->path, false, &error);
    g_assert_no_error(error);
    g_assert_true(database_run(database, sql, &error));
}

static void
test_after_a_reboot_nobody_waits_for_the_old_clock(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .requests_per_minute = 60, .tokens_per_minute = 60};
    Meter *meter = opened(fixture->path, limits);
    settle(meter, reserve(meter, 5, 5), 5);
    meter_free(meter);
    change(
        fixture, "UPDATE meter SET boot = 'before', cool_until = 1e17, next_request = 1e17, "
                 "next_token = 1e17");

    g_autoptr(Meter) again = opened(fixture->path, limits);
    ASSERT_WAITED(wait_ms(again, 1), 0);
    g_assert_cmpint(totals_of(again).tokens, ==, 6);
}

static void
test_after_a_reboot_old_reservations_are_spent(Fixture *fixture, const void *data)
{
    (void) data;
    meter_free(opened(fixture->path, capped(10)));
    /* The process lives, but it is not that one: its boot or its start was another. */
    g_autofree char *other_boot = g_strdup_printf(
        "INSERT INTO reservation (owner, cost, expected) VALUES ('before %d 1', %.0f, 3)",
        (int) getpid(), 3 * PRICE * 1e12);
    change(fixture, other_boot);
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    settle(meter, reserve(meter, 7, 7), 7);
    assert_denied(meter, 1);
}

static void
test_another_process_of_the_same_number_is_not_the_owner(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *boot = NULL;
    g_file_get_contents("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL);
    g_strstrip(boot);
    meter_free(opened(fixture->path, capped(10)));
    g_autofree char *earlier = g_strdup_printf(
        "INSERT INTO reservation (owner, cost, expected) VALUES ('%s 1 999999999999', %.0f, 3)",
        boot, 3 * PRICE * 1e12);
    change(fixture, earlier);
    g_autoptr(Meter) meter = opened(fixture->path, capped(10));
    settle(meter, reserve(meter, 7, 7), 7);
    assert_denied(meter, 1);
}

/* --- pacing -------------------------------------------------------------------------------- */

enum
{
    PACED_THREADS = 4,
    PACED_CALLS = 12, /* of each thread */
};

typedef struct
{
    Meter *meter;
    gint64 tokens;
    pthread_mutex_t lock;
    GArray *times; /* of gint64 */
} Pace;

static void *
call_often(void *data)
{
    Pace *pace = data;
    for (int i = 0; i < PACED_CALLS; i++)
    {
        const gint64 ticket = reserve(pace->meter, pace->tokens, pace->tokens);
        const gint64 now = g_get_monotonic_time();
        pthread_mutex_lock(&pace->lock);
        g_array_append_val(pace->times, now);
        pthread_mutex_unlock(&pace->lock);
        settle(pace->meter, ticket, pace->tokens);
    }
    return NULL;
}

static int
by_time(const void *a, const void *b)
{
    const gint64 first = *(const gint64 *) a;
    const gint64 second = *(const gint64 *) b;
    return first < second ? -1 : first > second ? 1 : 0;
}

/* No call is early, and all together are not late. */
static void
assert_paced(const Fixture *fixture, MeterLimits limits, gint64 tokens, gint64 interval_us)
{
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    Pace pace = {.meter = meter, .tokens = tokens, .times = g_array_new(FALSE, FALSE, 8)};
    pthread_t threads[PACED_THREADS];
    const gint64 begin = g_get_monotonic_time();

    pthread_mutex_init(&pace.lock, NULL);
    for (int i = 0; i < PACED_THREADS; i++)
        pthread_create(&threads[i], NULL, call_often, &pace);
    for (int i = 0; i < PACED_THREADS; i++)
        pthread_join(threads[i], NULL);

    g_array_sort(pace.times, by_time);
    for (guint i = 0; i < pace.times->len; i++)
        g_assert_cmpint(
            g_array_index(pace.times, gint64, i) - begin, >=, (gint64) i * interval_us - 1000);
    const gint64 last = g_array_index(pace.times, gint64, pace.times->len - 1) - begin;
    g_assert_cmpint(last, <, (gint64) pace.times->len * interval_us + 1000 * BUSY_MS);
    g_array_unref(pace.times);
    pthread_mutex_destroy(&pace.lock);
}

static void
test_requests_are_paced_evenly(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .requests_per_minute = 60 * 50};
    assert_paced(fixture, limits, 1, 20000);
}

static void
test_tokens_are_paced_evenly(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .tokens_per_minute = 60 * 1000};
    assert_paced(fixture, limits, 20, 20000);
}

static void
test_the_narrower_of_two_limits_counts(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE,
        .max_usd = -1,
        .requests_per_minute = 60 * 1000,
        .tokens_per_minute = 60 * 1000};
    assert_paced(fixture, limits, 20, 20000);
}

static void
test_without_limits_nobody_waits(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    const gint64 begin = g_get_monotonic_time();
    for (int i = 0; i < 20; i++)
        settle(meter, reserve(meter, 1000000, 1000000), 1000000);
    g_assert_cmpfloat(ms_since(begin), <, BUSY_MS);
}

static int
call_thirty_times(const OtherSide *side, void *data)
{
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .requests_per_minute = 60 * 50};
    g_autoptr(Meter) meter = opened(data, limits);
    other_ready(side);
    other_wait(side);
    for (int i = 0; i < 30; i++)
        settle(meter, reserve(meter, 1, 1), 1);
    return 0;
}

static void
test_processes_share_the_rate(Fixture *fixture, const void *data)
{
    (void) data;
    const OtherProcess others[] = {
        other_start(call_thirty_times, fixture->path),
        other_start(call_thirty_times, fixture->path)};

    other_await(&others[0]);
    other_await(&others[1]);
    const gint64 begin = g_get_monotonic_time();
    g_assert_cmpint(write(others[0].to, "g", 1), ==, 1);
    g_assert_cmpint(write(others[1].to, "g", 1), ==, 1);
    g_assert_cmpint(other_end(&others[0]), ==, 0);
    g_assert_cmpint(other_end(&others[1]), ==, 0);
    ASSERT_WAITED(ms_since(begin), 59 * 20);
}

static void
test_more_tokens_than_expected_delay_the_next(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .tokens_per_minute = 60 * 1000};
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    const gint64 begin = g_get_monotonic_time();

    settle(meter, reserve(meter, 100, 1000), 400);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 400);
}

static void
test_fewer_tokens_than_expected_let_the_next_go_earlier(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .tokens_per_minute = 60 * 1000};
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    const gint64 begin = g_get_monotonic_time();

    settle(meter, reserve(meter, 20000, 20000), 100);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 100);
}

static void
test_a_stop_frees_what_was_reserved(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = 10 * PRICE, .requests_per_minute = 1};
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(GError) error = NULL;
    gint64 ticket = 0;

    settle(meter, reserve(meter, 4, 4), 4);
    cancel_request(cancel);
    g_assert_false(meter_reserve(meter, 6, 6, cancel, &ticket, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
    g_assert_cmpfloat(totals_of(meter).usd, ==, 4 * PRICE);
    g_assert_cmpfloat(totals_of(meter).reserved_usd, ==, 0);
}

/* --- limits that the provider tells -------------------------------------------------------- */

static void
hear(Meter *meter, gint64 requests, gint64 tokens)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(meter_hear_limits(meter, requests, tokens, &error));
    g_assert_no_error(error);
}

static void
test_told_limits_are_kept(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    hear(meter, 60 * 5, -1);
    const gint64 begin = g_get_monotonic_time();
    wait_ms(meter, 1);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 200);
}

static void
test_told_tokens_are_kept(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    hear(meter, -1, 60 * 1000);
    const gint64 begin = g_get_monotonic_time();
    wait_ms(meter, 200);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 200);
}

static void
test_the_users_own_limit_beats_the_told(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .requests_per_minute = 60000};
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    const gint64 begin = g_get_monotonic_time();

    hear(meter, 1, -1);
    wait_ms(meter, 1);
    wait_ms(meter, 1);
    g_assert_cmpfloat(ms_since(begin), <, 30000);
}

static void
test_a_silent_answer_changes_no_limit(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    hear(meter, 60 * 5, -1);
    hear(meter, -1, -1);
    hear(meter, -1, 60 * 1000000);
    const gint64 begin = g_get_monotonic_time();
    wait_ms(meter, 1);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 200);
}

/* --- the common pause ---------------------------------------------------------------------- */

static void
cool_down(Meter *meter, gint64 wish_ms)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(meter_cool_down(meter, wish_ms, NULL, &error));
    g_assert_no_error(error);
}

static void
test_nobody_calls_during_the_pause(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    const gint64 begin = g_get_monotonic_time();
    cool_down(meter, 300);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 295);
    ASSERT_WAITED(wait_ms(meter, 1), 0);
}

static void
test_a_shorter_wish_does_not_shorten_the_pause(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    const gint64 begin = g_get_monotonic_time();
    cool_down(meter, 300);
    cool_down(meter, 1);
    cool_down(meter, 0);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 295);
}

static void
test_nobody_is_paused_for_a_day(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    gint64 pause_ms = 0;

    g_assert_true(meter_cool_down(meter, 86400000, &pause_ms, NULL));
    g_assert_cmpint(pause_ms, ==, 600000);
    g_assert_true(meter_cool_down(meter, 10, &pause_ms, NULL));
    g_assert_cmpint(pause_ms, >, 590000); /* the pause that there is */
}

static int
throttle(const OtherSide *side, void *data)
{
    g_autoptr(Meter) meter = opened(data, UNLIMITED);
    cool_down(meter, 400);
    other_ready(side);
    return 0;
}

static void
test_every_process_sees_the_pause(Fixture *fixture, const void *data)
{
    (void) data;
    const OtherProcess other = other_start(throttle, fixture->path);
    other_await(&other);
    const gint64 begin = g_get_monotonic_time();
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    wait_ms(meter, 1);
    ASSERT_WAITED(ms_since(begin), 350);
    g_assert_cmpint(other_end(&other), ==, 0);
}

static void
test_many_throttled_together_are_one_throttling(Fixture *fixture, const void *data)
{
    (void) data;
    for (int round = 0; round < 5; round++)
    {
        g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
        g_assert_true(meter_praise(meter, NULL));
        for (int i = 0; i < 20; i++)
            cool_down(meter, -1);
        const double waited = wait_ms(meter, 1);
        g_assert_cmpfloat(waited, >=, 60);
        g_assert_cmpfloat(waited, <=, 350); /* the first pause is up to 200, the second up to 400 */
    }
}

static void
test_pauses_double_until_a_call_goes_well(Fixture *fixture, const void *data)
{
    (void) data;
    g_autoptr(Meter) meter = opened(fixture->path, UNLIMITED);
    static const double LEAST[] = {100, 200, 400};

    for (guint i = 0; i < G_N_ELEMENTS(LEAST); i++)
    {
        const gint64 begin = g_get_monotonic_time();
        cool_down(meter, -1);
        wait_ms(meter, 1);
        const double waited = ms_since(begin);
        g_assert_cmpfloat(waited, >=, LEAST[i] - 5);
        g_assert_cmpfloat(waited, <, 2 * LEAST[i] + BUSY_MS);
    }
    g_assert_true(meter_praise(meter, NULL));
    cool_down(meter, -1);
    g_assert_cmpfloat(wait_ms(meter, 1), <, 400 - 5);
}

static void *
call_once(void *data)
{
    Pace *pace = data;
    const gint64 ticket = reserve(pace->meter, 1, 1);
    const gint64 now = g_get_monotonic_time();
    pthread_mutex_lock(&pace->lock);
    g_array_append_val(pace->times, now);
    pthread_mutex_unlock(&pace->lock);
    settle(pace->meter, ticket, 1);
    return NULL;
}

/* Calls that wait for their turn when the pause comes do not all go at once at its end. */
static void
test_the_rate_holds_after_the_pause(Fixture *fixture, const void *data)
{
    (void) data;
    const MeterLimits limits = {
        .usd_per_token = PRICE, .max_usd = -1, .requests_per_minute = 60 * 20};
    g_autoptr(Meter) meter = opened(fixture->path, limits);
    Pace pace = {.meter = meter, .times = g_array_new(FALSE, FALSE, 8)};
    pthread_t threads[6];

    pthread_mutex_init(&pace.lock, NULL);
    wait_ms(meter, 1);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, call_once, &pace);
    g_usleep(20000); /* they wait for turns in the next 300 ms */
    const gint64 pause_end = g_get_monotonic_time() + 500000;
    cool_down(meter, 500);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);

    g_array_sort(pace.times, by_time);
    for (guint i = 0; i < pace.times->len; i++)
        g_assert_cmpint(
            g_array_index(pace.times, gint64, i) - pause_end, >=, (gint64) i * 50000 - 2000);
    g_array_unref(pace.times);
    pthread_mutex_destroy(&pace.lock);
}

/* --- what goes wrong ----------------------------------------------------------------------- */

static void
test_without_a_file_nothing_was_spent(void)
{
    const MeterTotals totals = meter_read("/nowhere/run.meter");
    g_assert_cmpint(totals.tokens, ==, 0);
    g_assert_cmpint(totals.calls, ==, 0);
    g_assert_cmpfloat(totals.usd, <, 0);
}

static void
test_a_file_of_garbage_is_an_error(Fixture *fixture, const void *data)
{
    (void) data;
    g_autofree char *garbage = g_strnfill(5000, 'g');
    g_autoptr(GError) error = NULL;

    g_file_set_contents(fixture->path, garbage, -1, NULL);
    g_assert_null(meter_open(fixture->path, &UNLIMITED, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, fixture->path));
    g_assert_cmpfloat(meter_read(fixture->path).usd, <, 0);
}

static void
test_a_folder_that_is_not_there_is_an_error(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(meter_open("/nowhere/run.meter", &UNLIMITED, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define PLAIN(name) g_test_add_func("/meter/" #name, test_##name)
#define TEST(name) g_test_add("/meter/" #name, Fixture, NULL, set_up, test_##name, tear_down)
    TEST(no_cap_and_no_cost_is_too_large_to_count);
    TEST(the_cap_begins_anew_only_after_an_end);
    TEST(counts_what_is_settled_and_what_is_reserved);
    TEST(a_reservation_is_on_disk_before_the_call);
    TEST(under_a_cap_a_reservation_survives_a_power_cut);
    TEST(a_settlement_may_be_lost_with_the_power);
    TEST(a_call_that_need_not_wait_costs_one_sync);
    TEST(sums_are_exact);
    TEST(what_was_spent_is_remembered);
    TEST(without_a_price_there_is_no_sum);
    TEST(what_is_free_costs_nothing_and_is_never_denied);
    PLAIN(a_token_has_at_least_a_byte);
    TEST(the_cap_can_be_used_up_to_the_last_token);
    TEST(the_worst_case_must_fit);
    TEST(a_cap_of_nothing_denies_everything);
    TEST(a_raised_cap_lets_the_run_go_on);
    TEST(many_threads_never_exceed_the_cap);
    TEST(a_call_waits_for_money_that_may_come_back);
    TEST(a_stop_ends_the_wait_for_money);
    TEST(what_a_killed_worker_had_reserved_is_spent);
    TEST(who_is_killed_while_it_waits_has_spent_nothing);
    TEST(the_cap_holds_for_those_who_waited_together);
    TEST(what_a_living_worker_has_reserved_may_come_back);
    TEST(who_waits_for_a_killed_worker_is_denied);
    TEST(a_killed_worker_that_nobody_waits_for_is_dead);
    TEST(killed_or_not_nobody_exceeds_the_cap);
    TEST(after_a_reboot_nobody_waits_for_the_old_clock);
    TEST(after_a_reboot_old_reservations_are_spent);
    TEST(another_process_of_the_same_number_is_not_the_owner);
    TEST(requests_are_paced_evenly);
    TEST(tokens_are_paced_evenly);
    TEST(the_narrower_of_two_limits_counts);
    TEST(without_limits_nobody_waits);
    TEST(processes_share_the_rate);
    TEST(more_tokens_than_expected_delay_the_next);
    TEST(fewer_tokens_than_expected_let_the_next_go_earlier);
    TEST(a_stop_frees_what_was_reserved);
    TEST(told_limits_are_kept);
    TEST(told_tokens_are_kept);
    TEST(the_users_own_limit_beats_the_told);
    TEST(a_silent_answer_changes_no_limit);
    TEST(nobody_calls_during_the_pause);
    TEST(a_shorter_wish_does_not_shorten_the_pause);
    TEST(nobody_is_paused_for_a_day);
    TEST(every_process_sees_the_pause);
    TEST(many_throttled_together_are_one_throttling);
    TEST(pauses_double_until_a_call_goes_well);
    TEST(the_rate_holds_after_the_pause);
    PLAIN(without_a_file_nothing_was_spent);
    TEST(a_file_of_garbage_is_an_error);
    PLAIN(a_folder_that_is_not_there_is_an_error);
    return g_test_run();
}
