#include "flow/worker_foresee.h"

#include "base/error.h"
#include "extract/foresee.h"

static bool
can_be_read(Work *work, const Source *source, GError **error)
{
    g_autoptr(Document) document =
        work->documents->open(work->documents, work->order->bot, source, work->enough, error);
    return document != NULL && extract_foresee(document, &work->extract, error);
}

void
worker_foresee(Work *work)
{
    /* What is far away would be loaded twice. */
    if (work->allow_partial || work->documents->distant)
        return;
    for (guint i = 0; i < work->source_count && !cancel_requested(work->enough); i++)
    {
        SourceWork *source = &work->sources[i];
        GError *problem = NULL;
        if (source->source->kind != SOURCE_FILE || can_be_read(work, source->source, &problem))
            continue;
        /* What may pass is the reader's to meet. */
        if (g_error_matches(problem, VF_ERROR, VF_ERROR_BAD_INPUT))
            worker_fail_source(work, source, problem);
        else
            g_error_free(problem);
    }
}
