#include "base/queue.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int freed;

static void
count_and_free(void *item)
{
    atomic_fetch_add(&freed, 1);
    g_free(item);
}

static Queue *
new_queue(guint capacity)
{
    atomic_store(&freed, 0);
    return queue_new(capacity, count_and_free);
}

static int *
new_number(int number)
{
    int *item = g_new(int, 1);
    *item = number;
    return item;
}

static bool
push(Queue *queue, int number)
{
    return queue_push(queue, new_number(number));
}

static int
pop(Queue *queue)
{
    g_autofree int *item = queue_pop(queue);
    return item == NULL ? -1 : *item;
}

static void
test_the_first_in_is_the_first_out(void)
{
    g_autoptr(Queue) queue = new_queue(3);
    for (int i = 0; i < 3; i++)
        g_assert_true(push(queue, i));
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(pop(queue), ==, i);
    g_assert_cmpint(atomic_load(&freed), ==, 0);
}

static void
test_trying_does_not_wait(void)
{
    g_autoptr(Queue) queue = new_queue(1);

    g_assert_null(queue_try_pop(queue));
    push(queue, 7);
    g_autofree int *item = queue_try_pop(queue);
    g_assert_cmpint(*item, ==, 7);
}

static void
test_a_finished_queue_is_emptied_and_then_ends(void)
{
    g_autoptr(Queue) queue = new_queue(2);

    push(queue, 1);
    push(queue, 2);
    queue_finish(queue);
    g_assert_cmpint(pop(queue), ==, 1);
    g_assert_cmpint(pop(queue), ==, 2);
    g_assert_null(queue_pop(queue));
    g_assert_null(queue_pop(queue));
}

static void
test_closing_frees_what_is_in_it(void)
{
    g_autoptr(Queue) queue = new_queue(2);

    push(queue, 1);
    push(queue, 2);
    queue_close(queue);
    g_assert_cmpint(atomic_load(&freed), ==, 2);
    g_assert_null(queue_pop(queue));
    g_assert_null(queue_try_pop(queue));
}

static void
test_a_closed_queue_refuses_and_frees(void)
{
    g_autoptr(Queue) queue = new_queue(2);

    queue_close(queue);
    queue_close(queue);
    g_assert_false(push(queue, 1));
    g_assert_cmpint(atomic_load(&freed), ==, 1);
}

static void
test_the_last_owner_frees_what_nobody_popped(void)
{
    Queue *queue = new_queue(2);

    push(queue, 1);
    push(queue, 2);
    queue_free(queue);
    g_assert_cmpint(atomic_load(&freed), ==, 2);
    queue_free(NULL);
}

/* --- with threads -------------------------------------------------------------------------- */

enum
{
    ITEMS = 2000,
    PUSHERS = 4,
    POPPERS = 3,
    CAPACITY = 5,
};

typedef struct
{
    Queue *queue;
    atomic_int inside; /* pushed and not yet popped, at least */
    atomic_int most_inside;
    atomic_llong sum;
    atomic_int popped;
    atomic_bool pushed; /* of the one who waits */
    atomic_bool accepted;
} Shared;

static void *
push_many(void *data)
{
    Shared *shared = data;
    for (int i = 1; i <= ITEMS; i++)
    {
        g_assert_true(push(shared->queue, i));
        const int inside = atomic_fetch_add(&shared->inside, 1) + 1;
        int most = atomic_load(&shared->most_inside);
        while (inside > most && !atomic_compare_exchange_weak(&shared->most_inside, &most, inside))
        {
        }
    }
    return NULL;
}

static void *
pop_all(void *data)
{
    Shared *shared = data;
    for (int *item; (item = queue_pop(shared->queue)) != NULL; g_free(item))
    {
        atomic_fetch_sub(&shared->inside, 1);
        atomic_fetch_add(&shared->sum, *item);
        atomic_fetch_add(&shared->popped, 1);
    }
    return NULL;
}

static void
test_many_threads_lose_nothing_and_get_nothing_twice(void)
{
    g_autoptr(Queue) queue = new_queue(CAPACITY);
    Shared shared = {.queue = queue};
    pthread_t pushers[PUSHERS];
    pthread_t poppers[POPPERS];

    for (int i = 0; i < POPPERS; i++)
        pthread_create(&poppers[i], NULL, pop_all, &shared);
    for (int i = 0; i < PUSHERS; i++)
        pthread_create(&pushers[i], NULL, push_many, &shared);
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(pushers[i], NULL);
    queue_finish(queue);
    for (int i = 0; i < POPPERS; i++)
        pthread_join(poppers[i], NULL);

    g_assert_cmpint(atomic_load(&shared.popped), ==, PUSHERS * ITEMS);
    g_assert_cmpint(atomic_load(&shared.sum), ==, (gint64) PUSHERS * ITEMS * (ITEMS + 1) / 2);
    /* A pusher or popper may count an item a moment late, so each adds at most one. */
    g_assert_cmpint(atomic_load(&shared.most_inside), <=, CAPACITY + PUSHERS + POPPERS);
    g_assert_cmpint(atomic_load(&freed), ==, 0);
}

static void *
push_one(void *data)
{
    Shared *shared = data;
    atomic_store(&shared->accepted, push(shared->queue, 2));
    atomic_store(&shared->pushed, true);
    return NULL;
}

static void
test_a_full_queue_makes_the_pusher_wait(void)
{
    g_autoptr(Queue) queue = new_queue(1);
    Shared shared = {.queue = queue};
    pthread_t pusher;

    push(queue, 1);
    pthread_create(&pusher, NULL, push_one, &shared);
    g_usleep(50000);
    g_assert_false(atomic_load(&shared.pushed));
    g_assert_cmpint(pop(queue), ==, 1);
    pthread_join(pusher, NULL);
    g_assert_true(atomic_load(&shared.accepted));
    g_assert_cmpint(pop(queue), ==, 2);
}

static void
test_trying_to_pop_makes_room_too(void)
{
    g_autoptr(Queue) queue = new_queue(1);
    Shared shared = {.queue = queue};
    pthread_t pusher;

    push(queue, 1);
    pthread_create(&pusher, NULL, push_one, &shared);
    g_usleep(20000);
    g_free(queue_try_pop(queue));
    pthread_join(pusher, NULL);
    g_assert_true(atomic_load(&shared.accepted));
}

static void
test_closing_wakes_the_pusher_and_frees_its_item(void)
{
    g_autoptr(Queue) queue = new_queue(1);
    Shared shared = {.queue = queue};
    pthread_t pusher;

    push(queue, 1);
    pthread_create(&pusher, NULL, push_one, &shared);
    g_usleep(20000);
    queue_close(queue);
    pthread_join(pusher, NULL);
    g_assert_true(atomic_load(&shared.pushed));
    g_assert_false(atomic_load(&shared.accepted));
    g_assert_cmpint(atomic_load(&freed), ==, 2);
}

static void
assert_wakes_poppers(void (*end)(Queue *))
{
    g_autoptr(Queue) queue = new_queue(1);
    Shared shared = {.queue = queue};
    pthread_t poppers[POPPERS];

    for (int i = 0; i < POPPERS; i++)
        pthread_create(&poppers[i], NULL, pop_all, &shared);
    g_usleep(20000);
    end(queue);
    for (int i = 0; i < POPPERS; i++)
        pthread_join(poppers[i], NULL);
    g_assert_cmpint(atomic_load(&shared.popped), ==, 0);
}

static void
test_the_end_wakes_every_popper(void)
{
    assert_wakes_poppers(queue_finish);
    assert_wakes_poppers(queue_close);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/queue/" #name, test_##name)
    TEST(the_first_in_is_the_first_out);
    TEST(trying_does_not_wait);
    TEST(a_finished_queue_is_emptied_and_then_ends);
    TEST(closing_frees_what_is_in_it);
    TEST(a_closed_queue_refuses_and_frees);
    TEST(the_last_owner_frees_what_nobody_popped);
    TEST(many_threads_lose_nothing_and_get_nothing_twice);
    TEST(a_full_queue_makes_the_pusher_wait);
    TEST(trying_to_pop_makes_room_too);
    TEST(closing_wakes_the_pusher_and_frees_its_item);
    TEST(the_end_wakes_every_popper);
    return g_test_run();
}
