/*
 * queue.h - hands items from one stage to the next, across threads.
 *
 * A queue holds a fixed number of items, so a fast stage waits for a slow one; this is
 * what bounds the memory of a run.  Pushing gives an item away, popping makes it
 * yours.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Queue Queue;

/* `free_item` frees what nobody popped. */
Queue *queue_new(guint capacity, GDestroyNotify free_item);
void queue_free(Queue *queue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Queue, queue_free)

/* Waits for room.  False when the queue was closed; the item is freed then. */
bool queue_push(Queue *queue, void *item);

/* Waits for an item; NULL when the queue is finished and empty, or closed. */
void *queue_pop(Queue *queue);

/* An item that is there already, or NULL. */
void *queue_try_pop(Queue *queue);

/* No more items come; what is in it can still be popped. */
void queue_finish(Queue *queue);

/* Stops both sides at once; what is in it is freed. */
void queue_close(Queue *queue);
