#include "base/queue.h"

#include <pthread.h>

/*
 * The lock is a pthread mutex and not a GMutex: ThreadSanitizer and helgrind understand pthreads,
 * but see nothing of GLib's own futex-based locks.
 */
struct Queue
{
    pthread_mutex_t lock;
    pthread_cond_t changed;
    GQueue items;
    guint capacity;
    GDestroyNotify free_item;
    bool finished;
    bool closed;
};

Queue *
queue_new(guint capacity, GDestroyNotify free_item)
{
    Queue *queue = g_new0(Queue, 1);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    g_queue_init(&queue->items);
    queue->capacity = capacity;
    queue->free_item = free_item;
    return queue;
}

void
queue_free(Queue *queue)
{
    if (queue == NULL)
        return;
    g_queue_clear_full(&queue->items, queue->free_item);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    g_free(queue);
}

bool
queue_push(Queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && queue->items.length >= queue->capacity)
        pthread_cond_wait(&queue->changed, &queue->lock);
    const bool open = !queue->closed;
    if (open)
        g_queue_push_tail(&queue->items, item);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);

    if (!open)
        queue->free_item(item);
    return open;
}

void *
queue_pop(Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    while (!queue->closed && !queue->finished && queue->items.length == 0)
        pthread_cond_wait(&queue->changed, &queue->lock);
    void *item = g_queue_pop_head(&queue->items);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void *
queue_try_pop(Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    void *item = g_queue_pop_head(&queue->items);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void
queue_finish(Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->finished = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

void
queue_close(Queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    g_queue_clear_full(&queue->items, queue->free_item);
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}
