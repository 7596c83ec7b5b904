/*
 * gate.h - lets so many threads through at a time.
 *
 * Who is through holds a place until it leaves.  A gate that was closed lets nobody
 * through any more; who is through already leaves as ever.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Gate Gate;

Gate *gate_new(guint places);
void gate_free(Gate *gate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Gate, gate_free)

/* Waits for a place.  False when the gate was closed. */
bool gate_enter(Gate *gate);

/* Gives the place back. */
void gate_leave(Gate *gate);

/* Sends all away who wait, and all who come. */
void gate_close(Gate *gate);
