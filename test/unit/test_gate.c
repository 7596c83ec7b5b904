#include "base/gate.h"

#include <pthread.h>
#include <stdatomic.h>

#define PLACES 3
#define VISITORS 8
#define VISITS 200

static atomic_int inside;
static atomic_int most;

static void
note_most(int now)
{
    int seen = atomic_load(&most);
    while (seen < now && !atomic_compare_exchange_weak(&most, &seen, now))
    {
    }
}

static void *
visit(void *gate)
{
    for (int i = 0; i < VISITS; i++)
    {
        g_assert_true(gate_enter(gate));
        note_most(atomic_fetch_add(&inside, 1) + 1);
        g_usleep(50);
        atomic_fetch_sub(&inside, 1);
        gate_leave(gate);
    }
    return NULL;
}

static void
test_never_more_are_inside_than_there_are_places(void)
{
    g_autoptr(Gate) gate = gate_new(PLACES);
    pthread_t visitors[VISITORS];

    atomic_store(&most, 0);
    for (int i = 0; i < VISITORS; i++)
        g_assert_cmpint(pthread_create(&visitors[i], NULL, visit, gate), ==, 0);
    for (int i = 0; i < VISITORS; i++)
        pthread_join(visitors[i], NULL);
    g_assert_cmpint(atomic_load(&most), ==, PLACES);
    g_assert_cmpint(atomic_load(&inside), ==, 0);
}

static void *
try_to_enter(void *gate)
{
    return GINT_TO_POINTER(gate_enter(gate) ? 1 : 2);
}

static void
test_closing_sends_away_who_waits(void)
{
    g_autoptr(Gate) gate = gate_new(1);
    pthread_t visitor;
    void *entered = NULL;

    g_assert_true(gate_enter(gate));
    g_assert_cmpint(pthread_create(&visitor, NULL, try_to_enter, gate), ==, 0);
    g_usleep(20000);
    gate_close(gate);
    pthread_join(visitor, &entered);
    g_assert_cmpint(GPOINTER_TO_INT(entered), ==, 2);
}

static void
test_a_closed_gate_stays_closed_when_places_are_free(void)
{
    g_autoptr(Gate) gate = gate_new(2);

    g_assert_true(gate_enter(gate));
    gate_close(gate);
    gate_leave(gate);
    g_assert_false(gate_enter(gate));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func(
        "/gate/never_more_are_inside_than_there_are_places",
        test_never_more_are_inside_than_there_are_places);
    g_test_add_func("/gate/closing_sends_away_who_waits", test_closing_sends_away_who_waits);
    g_test_add_func(
        "/gate/a_closed_gate_stays_closed_when_places_are_free",
        test_a_closed_gate_stays_closed_when_places_are_free);
    return g_test_run();
}
