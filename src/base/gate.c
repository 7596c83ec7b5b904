#include "base/gate.h"

#include <pthread.h>

/* A pthread mutex for the reason that queue.c gives. */
struct Gate
{
    pthread_mutex_t lock;
    pthread_cond_t changed;
    guint free_places;
    bool closed;
};

Gate *
gate_new(guint places)
{
    Gate *gate = g_new0(Gate, 1);
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
    gate->free_places = places;
    return gate;
}

void
gate_free(Gate *gate)
{
    if (gate == NULL)
        return;
    pthread_cond_destroy(&gate->changed);
    pthread_mutex_destroy(&gate->lock);
    g_free(gate);
}

bool
gate_enter(Gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->closed && gate->free_places == 0)
        pthread_cond_wait(&gate->changed, &gate->lock);
    const bool open = !gate->closed;
    if (open)
        gate->free_places--;
    pthread_mutex_unlock(&gate->lock);
    return open;
}

void
gate_leave(Gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->free_places++;
    pthread_cond_signal(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

void
gate_close(Gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->closed = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}
