#include "aws/patience.h"

static double
half(void *data)
{
    (void) data;
    return 0.5;
}

static double
all_but_a_bit(void *data)
{
    (void) data;
    return 0.999999;
}

static const AwsTiming HALF = {.chance = half};
static const AwsTiming LONG = {.chance = all_but_a_bit};

static void
test_the_first_attempt_counts(void)
{
    g_autoptr(AwsQuota) quota = aws_quota_new();
    AwsPatience patience = {.quota = quota, .timing = &HALF, .attempts = 3};
    gint64 wait_ms = -1;

    g_assert_true(aws_patience_again(&patience, false, -1, &wait_ms));
    g_assert_true(aws_patience_again(&patience, false, -1, &wait_ms));
    g_assert_false(aws_patience_again(&patience, false, -1, &wait_ms));
    g_assert_cmpint(patience.failures, ==, 2);
}

static void
test_waits_double_up_to_twenty_seconds(void)
{
    static const gint64 THROTTLED[] = {500, 1000, 2000, 4000, 8000, 10000, 10000};
    static const gint64 FAILED[] = {25, 50, 100, 200, 400, 800, 1600};

    for (int throttled = 0; throttled <= 1; throttled++)
    {
        g_autoptr(AwsQuota) quota = aws_quota_new();
        AwsPatience patience = {.quota = quota, .timing = &HALF, .attempts = 8};
        for (guint i = 0; i < G_N_ELEMENTS(THROTTLED); i++)
        {
            gint64 wait_ms = -1;
            g_assert_true(aws_patience_again(&patience, throttled == 1, -1, &wait_ms));
            g_assert_cmpint(wait_ms, ==, throttled == 1 ? THROTTLED[i] : FAILED[i]);
        }
    }
}

static void
test_many_failures_wait_no_longer(void)
{
    AwsPatience patience = {.timing = &LONG, .attempts = 1000};

    for (int i = 0; i < 99; i++)
    {
        g_autoptr(AwsQuota) quota = aws_quota_new();
        gint64 wait_ms = -1;
        patience.quota = quota;
        g_assert_true(aws_patience_again(&patience, true, -1, &wait_ms));
        g_assert_cmpint(wait_ms, >=, 0);
        g_assert_cmpint(wait_ms, <=, 20000);
    }
}

static void
test_waits_as_long_as_the_server_wishes(void)
{
    static const struct
    {
        gint64 wish_ms;
        gint64 wait_ms;
    } CASES[] = {{-1, 500}, {0, 500}, {300, 500}, {501, 501}, {7000, 7000}, {86400000, 20000}};

    for (guint i = 0; i < G_N_ELEMENTS(CASES); i++)
    {
        g_autoptr(AwsQuota) quota = aws_quota_new();
        AwsPatience patience = {.quota = quota, .timing = &HALF, .attempts = 2};
        gint64 wait_ms = -1;
        g_assert_true(aws_patience_again(&patience, true, CASES[i].wish_ms, &wait_ms));
        g_assert_cmpint(wait_ms, ==, CASES[i].wait_ms);
    }
}

/* How many first retries the quota pays for. */
static int
retries_left(AwsQuota *quota, bool throttled)
{
    for (int retries = 0;; retries++)
    {
        AwsPatience patience = {.quota = quota, .timing = &HALF, .attempts = 2};
        gint64 wait_ms = 0;
        if (!aws_patience_again(&patience, throttled, -1, &wait_ms))
            return retries;
    }
}

static void
test_a_service_that_fails_everybody_is_left_alone(void)
{
    g_autoptr(AwsQuota) one = aws_quota_new();
    g_autoptr(AwsQuota) other = aws_quota_new();

    g_assert_cmpint(retries_left(one, true), ==, 100);
    g_assert_cmpint(retries_left(one, false), ==, 0);
    g_assert_cmpint(retries_left(other, false), ==, 50);
}

static void
test_a_success_gives_back_what_its_retry_took(void)
{
    g_autoptr(AwsQuota) quota = aws_quota_new();
    AwsPatience patience = {.quota = quota, .timing = &HALF, .attempts = 2};
    gint64 wait_ms = 0;

    g_assert_true(aws_patience_again(&patience, false, -1, &wait_ms));
    g_assert_cmpint(retries_left(quota, false), ==, 49);
    aws_patience_rewarded(&patience);
    g_assert_cmpint(retries_left(quota, false), ==, 1);
}

static void
test_ten_easy_successes_earn_a_retry_and_no_hoard(void)
{
    g_autoptr(AwsQuota) quota = aws_quota_new();
    const AwsPatience easy = {.quota = quota, .timing = &HALF, .attempts = 2};

    for (int i = 0; i < 1000; i++)
        aws_patience_rewarded(&easy);
    g_assert_cmpint(retries_left(quota, false), ==, 50);
    for (int i = 0; i < 10; i++)
        aws_patience_rewarded(&easy);
    g_assert_cmpint(retries_left(quota, false), ==, 1);
}

static void
test_the_machines_chance_differs(void)
{
    double least = 1;
    double most = 0;

    for (int i = 0; i < 200; i++)
    {
        const double chance = AWS_TIMING.chance(NULL);
        least = MIN(least, chance);
        most = MAX(most, chance);
    }
    g_assert_cmpfloat(least, >=, 0);
    g_assert_cmpfloat(most, <, 1);
    g_assert_cmpfloat(most - least, >, 0.5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aws-patience/the first attempt counts", test_the_first_attempt_counts);
    g_test_add_func(
        "/aws-patience/waits double up to twenty seconds", test_waits_double_up_to_twenty_seconds);
    g_test_add_func(
        "/aws-patience/many failures wait no longer", test_many_failures_wait_no_longer);
    g_test_add_func(
        "/aws-patience/waits as long as the server wishes",
        test_waits_as_long_as_the_server_wishes);
    g_test_add_func(
        "/aws-patience/a service that fails everybody is left alone",
        test_a_service_that_fails_everybody_is_left_alone);
    g_test_add_func(
        "/aws-patience/a success gives back what its retry took",
        test_a_success_gives_back_what_its_retry_took);
    g_test_add_func(
        "/aws-patience/ten easy successes earn a retry and no hoard",
        test_ten_easy_successes_earn_a_retry_and_no_hoard);
    g_test_add_func("/aws-patience/the machine's chance differs", test_the_machines_chance_differs);
    return g_test_run();
}
