#include "flow/remove_rows.h"

#include "base/error.h"
#include "flow/ask_store.h"
#include "flow/end_job.h"
#include "store/remove.h"

bool
remove_rows(Apply *apply, Job *job, GError **error)
{
    const PlannedBot *planned = job->planned;
    const RemoveWish wish = {.rows = planned->rows, .marked_ms = planned->marked_ms};
    g_autoptr(GError) problem = NULL;

    if (!reach_store(apply, error))
        return false;
    if (remove_bot(apply->store, planned->id, &wish, &problem))
    {
        apply_note(apply, "%s: %" G_GINT64_FORMAT " rows removed", planned->title, planned->rows);
        succeed_job(job, true, 0);
        return apply_write_bot(apply, job->progress, error);
    }
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_CANCELLED))
    {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (g_error_matches(problem, VF_ERROR, VF_ERROR_MISMATCH))
        return skip_job(apply, job, problem, error);
    fail_job(apply, job, problem);
    return apply_write_bot(apply, job->progress, error);
}
