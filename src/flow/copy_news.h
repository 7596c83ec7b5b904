/*
 * copy_news.h - how far a copy is, told by many threads and heard by one.
 */
#pragma once

#include "model/copy_progress.h"

/* Called in the thread that tells. */
typedef struct
{
    /* Something changed; borrowed, and changes again afterwards. */
    void (*progress)(void *data, const CopyProgress *copy);

    /* A sentence for the person who watches. */
    void (*note)(void *data, const char *text);
    void *data;
} CopyListener;

typedef struct CopyNews CopyNews;

/* Takes the progress; the listener is borrowed. */
CopyNews *copy_news_new(CopyProgress *progress, const CopyListener *listener);

/* Tells the last news and gives the progress back. */
CopyProgress *copy_news_end(CopyNews *news);
void copy_news_free(CopyNews *news);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CopyNews, copy_news_free)

/* For the one thread that hears. */
void copy_news_phase(CopyNews *news, CopyPhase phase);
void copy_news_tell(CopyNews *news);

/* The progress, for changes; the next call unlocks it.  Nobody else sees it meanwhile. */
CopyProgress *copy_news_lock(CopyNews *news);
void copy_news_unlock(CopyNews *news);

/* From any thread: a sentence for the person who watches, told with the next news. */
void copy_news_note(CopyNews *news, const char *text);
