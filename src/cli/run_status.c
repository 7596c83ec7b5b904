#include "cli/run_status.h"

#include "base/error.h"

/* Some bots are not in the store; what ended the run early, if anything did, may be worse. */
static ExitStatus
status_of_failed_run(const RunProgress *run)
{
    if (run->stop == NULL)
        return STATUS_PARTIAL;
    if (vf_error_from_name(run->stop) == VF_ERROR_MISMATCH)
        return STATUS_DIFFERENT;
    return run_progress_count(run, BOT_SUCCEEDED) == 0 ? STATUS_FAILED : STATUS_PARTIAL;
}

ExitStatus
status_of_run(const RunProgress *run)
{
    switch (run->state)
    {
    case RUN_DONE:
        return STATUS_DONE;
    case RUN_FAILED:
        return status_of_failed_run(run);
    case RUN_RUNNING:
    case RUN_INTERRUPTED:
        return STATUS_FAILED;
    }
    g_assert_not_reached();
}
