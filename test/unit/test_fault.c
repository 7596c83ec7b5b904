#include "base/fault.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a process that passes the point so many times ends: 0, or the signal. */
static int
end_of(const char *wish, FaultPoint point, int passes)
{
    const pid_t child = fork();

    if (child == 0)
    {
        if (wish == NULL)
            g_unsetenv("VECFERRY_FAULT");
        else
            g_setenv("VECFERRY_FAULT", wish, TRUE);
        for (int i = 0; i < passes; i++)
            fault_point(point);
        _exit(0);
    }
    int status = 0;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void
test_a_hook_runs_instead_and_the_process_lives_on(void)
{
    g_setenv("VECFERRY_FAULT_HOOK", "true", TRUE);
    g_assert_cmpint(end_of("after-stage", FAULT_AFTER_STAGE, 1), ==, 0);
    g_setenv("VECFERRY_FAULT_HOOK", "false", TRUE);
    g_assert_cmpint(end_of("after-stage", FAULT_AFTER_STAGE, 1), ==, SIGKILL);
    g_unsetenv("VECFERRY_FAULT_HOOK");
}

static void
test_every_point_has_a_name_of_its_own(void)
{
    for (int i = 0; i < FAULT_COUNT; i++)
    {
        g_assert_nonnull(fault_name((FaultPoint) i));
        for (int j = 0; j < i; j++)
            g_assert_cmpstr(fault_name((FaultPoint) i), !=, fault_name((FaultPoint) j));
    }
    g_assert_null(fault_name(FAULT_COUNT));
}

static void
test_every_point_kills_by_its_name(void)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        g_assert_cmpint(end_of(fault_name((FaultPoint) i), (FaultPoint) i, 1), ==, SIGKILL);
}

static void
test_without_a_wish_nobody_dies(void)
{
    g_assert_cmpint(end_of(NULL, FAULT_AFTER_STAGE, 3), ==, 0);
    g_assert_cmpint(end_of("", FAULT_AFTER_STAGE, 3), ==, 0);
}

static void
test_another_point_does_not_kill(void)
{
    g_assert_cmpint(end_of("after-embed", FAULT_AFTER_STAGE, 3), ==, 0);
    g_assert_cmpint(end_of("after-stage-two", FAULT_AFTER_STAGE, 3), ==, 0);
    g_assert_cmpint(end_of("after-stag", FAULT_AFTER_STAGE, 3), ==, 0);
}

static void
test_a_number_names_the_pass(void)
{
    g_assert_cmpint(end_of("after-stage:1", FAULT_AFTER_STAGE, 1), ==, SIGKILL);
    g_assert_cmpint(end_of("after-stage:7", FAULT_AFTER_STAGE, 6), ==, 0);
    g_assert_cmpint(end_of("after-stage:7", FAULT_AFTER_STAGE, 7), ==, SIGKILL);
}

static void
test_a_number_that_is_none_does_not_kill(void)
{
    g_assert_cmpint(end_of("after-stage:0", FAULT_AFTER_STAGE, 3), ==, 0);
    g_assert_cmpint(end_of("after-stage:x", FAULT_AFTER_STAGE, 3), ==, 0);
    g_assert_cmpint(end_of("after-stage:-1", FAULT_AFTER_STAGE, 3), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/fault/" #name, test_##name)
    TEST(every_point_has_a_name_of_its_own);
    TEST(every_point_kills_by_its_name);
    TEST(without_a_wish_nobody_dies);
    TEST(another_point_does_not_kill);
    TEST(a_number_names_the_pass);
    TEST(a_number_that_is_none_does_not_kill);
    TEST(a_hook_runs_instead_and_the_process_lives_on);
    return g_test_run();
}
