#include "flow/copy_news.h"

#include <pthread.h>

struct CopyNews
{
    pthread_mutex_t mutex; /* of all below */
    CopyProgress *progress;
    GPtrArray *notes; /* of char *, not told yet */
    const CopyListener *listener;
};

CopyNews *
copy_news_new(CopyProgress *progress, const CopyListener *listener)
{
    CopyNews *news = g_new0(CopyNews, 1);
    pthread_mutex_init(&news->mutex, NULL);
    news->progress = progress;
    news->notes = g_ptr_array_new_with_free_func(g_free);
    news->listener = listener;
    return news;
}

CopyProgress *
copy_news_end(CopyNews *news)
{
    copy_news_tell(news);
    return g_steal_pointer(&news->progress);
}

void
copy_news_free(CopyNews *news)
{
    if (news == NULL)
        return;
    copy_progress_free(news->progress);
    g_ptr_array_unref(news->notes);
    pthread_mutex_destroy(&news->mutex);
    g_free(news);
}

CopyProgress *
copy_news_lock(CopyNews *news)
{
    pthread_mutex_lock(&news->mutex);
    return news->progress;
}

void
copy_news_unlock(CopyNews *news)
{
    pthread_mutex_unlock(&news->mutex);
}

void
copy_news_note(CopyNews *news, const char *text)
{
    copy_news_lock(news);
    g_ptr_array_add(news->notes, g_strdup(text));
    copy_news_unlock(news);
}

void
copy_news_phase(CopyNews *news, CopyPhase phase)
{
    copy_news_lock(news)->phase = phase;
    copy_news_unlock(news);
    copy_news_tell(news);
}

void
copy_news_tell(CopyNews *news)
{
    const CopyListener *listener = news->listener;
    const CopyProgress *progress = copy_news_lock(news);

    for (guint i = 0; i < news->notes->len; i++)
        listener->note(listener->data, news->notes->pdata[i]);
    g_ptr_array_set_size(news->notes, 0);
    listener->progress(listener->data, progress);
    copy_news_unlock(news);
}
