#include "flow/end_run.h"

#include "base/error.h"
#include "base/text.h"
#include "flow/ask_store.h"
#include "flow/end_job.h"

#include <string.h>

/* Of the stop's reason, behind each bot that it left without a turn. */
#define MAX_SHORT_COLUMNS 60

static bool
wants_index(const Apply *apply, const char *kind)
{
    return apply->store->made_by_us && !apply->store->has_vector_index &&
           !g_str_equal(kind, "none") && run_progress_count(apply->run, BOT_SUCCEEDED) > 0;
}

static bool
build_index(Apply *apply, GError **error)
{
    const char *kind = settings_text(apply->settings, SETTING_INDEX);

    for (int tries = 0;; tries++)
    {
        g_autoptr(GError) problem = NULL;
        g_autofree char *advice = NULL;
        if (!reach_store(apply, error))
            return false;
        if (!wants_index(apply, kind))
            return true;
        apply_note(apply, "building the %s index", kind);
        const bool built = store_build_index(apply->store, kind, &advice, &problem);
        if (advice != NULL)
            apply_note(apply, "%s", advice);
        if (built)
            return true;
        if (ask_store_again(apply, tries) && !g_error_matches(problem, VF_ERROR, VF_ERROR_DENIED))
            continue;
        if (!g_error_matches(problem, VF_ERROR, VF_ERROR_FAILED) &&
            !g_error_matches(problem, VF_ERROR, VF_ERROR_BUSY))
        {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        /* The rows are all there; only the way to them is slow. */
        apply_note(apply, "%s; the next apply tries again", problem->message);
        return true;
    }
}

/* Bots whose turn never came because the run was stopped; the whole story is told once, at the end.
 */
static bool
skip_the_rest(Apply *apply, GError **error)
{
    g_autofree char *first_line =
        g_strndup(apply->stop->message, strcspn(apply->stop->message, "\n"));
    g_autofree char *short_reason = text_cut(first_line, MAX_SHORT_COLUMNS);
    g_autoptr(GError) why = g_error_new(
        apply->stop->domain, apply->stop->code, "the run was stopped: %s", short_reason);

    for (guint i = 0; i < apply->jobs->len; i++)
    {
        Job *job = &g_array_index(apply->jobs, Job, i);
        if (job->progress->state == BOT_PENDING && !skip_job(apply, job, why, error))
            return false;
    }
    return true;
}

bool
end_run(Apply *apply, GError **error)
{
    if (apply->stop != NULL && !skip_the_rest(apply, error))
        return false;
    if (apply->stop == NULL && !build_index(apply, error))
        return false;
    apply_read_meter(apply);
    const guint good = run_progress_count(apply->run, BOT_SUCCEEDED);
    apply->run->state = good == apply->run->bots->len ? RUN_DONE : RUN_FAILED;
    apply->run->ended_ms = g_get_real_time() / 1000;
    apply->run->stop = apply->stop == NULL ? NULL : g_strdup(vf_error_name(apply->stop));
    if (!ledger_end(apply->ledger, apply->run->state, apply->run->stop, error))
        return false;
    apply_tell(apply);
    if (apply->stop != NULL)
        apply->listener->stopped(apply->listener->data, apply->stop);
    return true;
}
