#include "base/cancel.h"
#include "base/error.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

static bool
is_readable(int fd)
{
    struct pollfd wish = {.fd = fd, .events = POLLIN};
    return poll(&wish, 1, 0) == 1 && (wish.revents & POLLIN) != 0;
}

static void
test_a_wish_is_seen_everywhere_and_stays(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    g_assert_false(cancel_requested(cancel));
    g_assert_false(is_readable(cancel_fd(cancel)));

    for (int i = 0; i < 3; i++)
    {
        cancel_request(cancel);
        g_assert_true(cancel_requested(cancel));
        g_assert_true(is_readable(cancel_fd(cancel)));
    }
}

static void
test_nobody_is_never_asked_to_stop(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(cancel_requested(NULL));
    g_assert_cmpint(cancel_fd(NULL), ==, -1);
    g_assert_true(cancel_sleep(NULL, 1));
    g_assert_true(cancel_check(NULL, &error));
    g_assert_no_error(error);
    cancel_free(NULL);
}

static void
test_the_check_says_who_stopped_it(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    g_autoptr(GError) error = NULL;

    g_assert_true(cancel_check(cancel, &error));
    g_assert_no_error(error);
    cancel_request(cancel);
    g_assert_false(cancel_check(cancel, &error));
    g_assert_error(error, VF_ERROR, VF_ERROR_CANCELLED);
}

static void
test_sleeps_as_long_as_it_was_told(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    const gint64 begin = g_get_monotonic_time();

    g_assert_true(cancel_sleep(cancel, 60));
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 60000);
    g_assert_true(cancel_sleep(cancel, 0));
    g_assert_true(cancel_sleep(cancel, -5));
}

static void
test_who_was_asked_does_not_begin_to_sleep(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    const gint64 begin = g_get_monotonic_time();

    cancel_request(cancel);
    g_assert_false(cancel_sleep(cancel, 60000));
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 10 * G_USEC_PER_SEC);
}

static void *
sleep_long(void *data)
{
    return GINT_TO_POINTER(cancel_sleep(data, 60000) ? 1 : 0);
}

static void
test_a_wish_wakes_every_sleeper(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    pthread_t threads[4];
    const gint64 begin = g_get_monotonic_time();

    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_create(&threads[i], NULL, sleep_long, cancel);
    g_usleep(20000);
    cancel_request(cancel);
    for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
    {
        void *slept = NULL;
        pthread_join(threads[i], &slept);
        g_assert_null(slept);
    }
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 30 * G_USEC_PER_SEC);
}

static Cancel *interrupted;

static void
on_signal(int number)
{
    (void) number;
    cancel_request(interrupted);
}

static void
test_a_signal_handler_may_ask(void)
{
    g_autoptr(Cancel) cancel = cancel_new();
    const struct sigaction wish = {.sa_handler = on_signal};
    struct sigaction before;

    interrupted = cancel;
    sigaction(SIGUSR1, &wish, &before);
    raise(SIGUSR1);
    sigaction(SIGUSR1, &before, NULL);
    g_assert_true(cancel_requested(cancel));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/cancel/" #name, test_##name)
    TEST(a_wish_is_seen_everywhere_and_stays);
    TEST(nobody_is_never_asked_to_stop);
    TEST(the_check_says_who_stopped_it);
    TEST(sleeps_as_long_as_it_was_told);
    TEST(who_was_asked_does_not_begin_to_sleep);
    TEST(a_wish_wakes_every_sleeper);
    TEST(a_signal_handler_may_ask);
    return g_test_run();
}
