/*
 * worker.h - what the threads of one worker share, and what each of them may say.
 *
 * A worker embeds one bot.  Its threads and files are:
 *
 *   worker_begin.c    the stages that the settings ask for, and the list of sources
 *   worker_session.c  the session with the store, and a new one for a lost one
 *   worker_foresee.c  the first thread: a look at all files, before any is paid for
 *   worker_read.c     one thread: documents to chunks
 *   worker_embed.c    several threads: chunks to vectors
 *   worker_stage.c    the first thread: vectors to the staging
 *   worker_load.c     the first thread, when all others are done: staged rows to the bot's rows
 *   worker_watch.c    one thread: whoever asks us to stop is obeyed in time
 *
 * Nothing is shared but the two queues, the wishes to stop, and what stands under the lock.
 */
#pragma once

#include "base/queue.h"
#include "flow/call.h"
#include "flow/stages.h"
#include "model/event.h"
#include "model/work_order.h"
#include "store/kept.h"
#include "store/staging.h"

#include <pthread.h>

/* One source on its way. */
typedef struct
{
    /* from the beginning */
    const Source *source;
    char *label;
    GArray *known;            /* of TextHash: what an earlier worker staged */
    const KeptSource *stands; /* its rows in the store, if its text is the same; NULL */

    /* the reader's, until it is joined */
    DocumentFacts facts; /* as they were when it was opened */
    char *text_hash;     /* known when it was read */
    bool unchanged;      /* its rows stay as they stand */
    int chunks;          /* known when the reader is through with it */

    GError *error; /* of whoever meets one first; under the lock */
} SourceWork;

typedef struct
{
    /* given by the flow's caller */
    const WorkOrder *order;
    const WorkListener *listener; /* spoken to by worker_say() only */
    Cancel *outer;                /* the user's wish */
    Notes notes;                  /* the listener hears of long waits */

    /* wishes to stop; any thread asks for them */
    Cancel *enough; /* after a failure nothing new is begun */
    Cancel *calls;  /* ends the calls under way */
    Cancel *keep;   /* gives the store up, when the user stops us and nothing is left to keep */
    Cancel *over;   /* the watcher has nothing more to watch */

    /* from the beginning; all threads read */
    Settings *settings;
    Embedder *embedder;
    char *space;
    bool allow_partial;
    SourceWork *sources;
    guint source_count;
    GHashTable *standing; /* label → KeptSource */

    /* the reader's */
    DocumentSource *documents;
    ExtractOptions extract;
    SplitOptions split;

    /* the callers' */
    Meter *meter;
    Gate *gate; /* as many places as calls may be in flight */
    Caller caller;

    /* the first thread's: a session serves one thread */
    StoreMap map;
    Store *store;
    Staging *staging;

    /* between the threads */
    Queue *to_embed; /* of Batch: from the reader to the callers */
    Queue *to_stage; /* of Batch: from the callers to the first thread */

    pthread_mutex_t saying; /* one thread speaks at a time */

    pthread_mutex_t lock; /* of all below, and of the sources' errors */
    int callers_left;
    GError *failure; /* what ends the whole bot */
    bool doomed;     /* a source failed and the bot must be whole: nothing more is paid for */
    bool paying;     /* vectors are under way that are worth keeping */
    gint64 tokens;
    gint64 chunks; /* staged, now or before */
    gint64 reused; /* of them, before */
} Work;

void worker_say(Work *work, const WorkEvent *event);
void worker_tell_progress(Work *work);

/*
 * The first failure counts; all others follow from it.  No call is begun any more, but those under
 * way are paid for, so their vectors are still staged.  Takes the error.
 */
void worker_fail(Work *work, GError *error);

/* One source cannot be loaded; the others go on.  Takes the error. */
void worker_fail_source(Work *work, SourceWork *source, GError *error);

/* True when nothing more is worth paying for: a source failed, and the bot must be whole. */
bool worker_is_doomed(Work *work);

bool worker_is_paying(Work *work);
void worker_set_paying(Work *work, bool paying);
