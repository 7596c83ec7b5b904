#include "base/error.h"
#include "base/retry.h"

static const RetryPolicy FIVE = {.attempts = 5, .first_ms = 100, .longest_ms = 400};

static bool
again(Retry *retry, VfError code, gint64 *wait_ms)
{
    g_autoptr(GError) error = g_error_new_literal(VF_ERROR, (int) code, "it");
    return retry_again(retry, error, wait_ms);
}

static void
test_only_what_may_pass_is_tried_again(void)
{
    for (int code = VF_ERROR_USAGE; code <= VF_ERROR_FAILED; code++)
    {
        Retry retry = {.policy = &FIVE};
        gint64 wait_ms = 0;
        const bool may_pass = code == VF_ERROR_BUSY || code == VF_ERROR_CONNECT;
        g_assert_true(again(&retry, (VfError) code, &wait_ms) == may_pass);
    }
}

static void
test_a_policy_may_try_failures_too(void)
{
    const RetryPolicy policy = {.attempts = 2, .first_ms = 1, .longest_ms = 1, .failed_too = true};
    Retry retry = {.policy = &policy};
    gint64 wait_ms = 0;

    g_assert_false(again(&retry, VF_ERROR_BAD_INPUT, &wait_ms));
    g_assert_true(again(&retry, VF_ERROR_FAILED, &wait_ms));
}

static void
test_a_foreign_error_is_not_tried_again(void)
{
    g_autoptr(GError) error = g_error_new_literal(G_FILE_ERROR, VF_ERROR_BUSY, "it");
    Retry retry = {.policy = &FIVE};
    gint64 wait_ms = 0;

    g_assert_false(retry_again(&retry, error, &wait_ms));
    g_assert_false(retry_is_busy(error));
}

/* Five attempts in all are the first and four more. */
static void
test_the_first_attempt_counts(void)
{
    Retry retry = {.policy = &FIVE};
    gint64 wait_ms = 0;

    for (int i = 0; i < 4; i++)
        g_assert_true(again(&retry, VF_ERROR_BUSY, &wait_ms));
    g_assert_false(again(&retry, VF_ERROR_BUSY, &wait_ms));
    g_assert_cmpint(retry.failures, ==, 4);
}

static void
test_one_attempt_is_never_repeated(void)
{
    const RetryPolicy policy = {.attempts = 1, .first_ms = 1, .longest_ms = 1};
    Retry retry = {.policy = &policy};
    gint64 wait_ms = 0;
    g_assert_false(again(&retry, VF_ERROR_CONNECT, &wait_ms));
}

static void
test_waits_double_up_to_the_longest(void)
{
    static const gint64 WHOLE[] = {100, 200, 400, 400};

    for (int round = 0; round < 200; round++)
    {
        Retry retry = {.policy = &FIVE};
        for (guint i = 0; i < G_N_ELEMENTS(WHOLE); i++)
        {
            gint64 wait_ms = 0;
            g_assert_true(again(&retry, VF_ERROR_BUSY, &wait_ms));
            g_assert_cmpint(wait_ms, >=, WHOLE[i] / 2);
            g_assert_cmpint(wait_ms, <=, WHOLE[i]);
        }
    }
}

static void
test_waits_differ(void)
{
    gint64 least = G_MAXINT64;
    gint64 most = 0;

    for (int round = 0; round < 200; round++)
    {
        Retry retry = {.policy = &FIVE};
        gint64 wait_ms = 0;
        again(&retry, VF_ERROR_BUSY, &wait_ms);
        least = MIN(least, wait_ms);
        most = MAX(most, wait_ms);
    }
    g_assert_cmpint(most - least, >, 20);
}

static void
test_many_failures_wait_no_longer(void)
{
    const RetryPolicy policy = {.attempts = 1000, .first_ms = 200, .longest_ms = 30000};
    Retry retry = {.policy = &policy};
    gint64 wait_ms = 0;

    for (int i = 0; i < 999; i++)
    {
        g_assert_true(again(&retry, VF_ERROR_BUSY, &wait_ms));
        g_assert_cmpint(wait_ms, >, 0);
        g_assert_cmpint(wait_ms, <=, 30000);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/retry/" #name, test_##name)
    TEST(only_what_may_pass_is_tried_again);
    TEST(a_policy_may_try_failures_too);
    TEST(a_foreign_error_is_not_tried_again);
    TEST(the_first_attempt_counts);
    TEST(one_attempt_is_never_repeated);
    TEST(waits_double_up_to_the_longest);
    TEST(waits_differ);
    TEST(many_failures_wait_no_longer);
    return g_test_run();
}
