/*
 * cancel.h - one wish to stop, seen by every thread.
 *
 * Long work asks cancel_requested() between steps and waits with cancel_sleep() or
 * poll(cancel_fd()), so that Ctrl-C ends a run within a moment.  Cancelling twice
 * is harmless; a wish cannot be taken back.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Cancel Cancel;

Cancel *cancel_new(void);
void cancel_free(Cancel *cancel);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cancel, cancel_free)

/* Asks for the stop.  Safe in a signal handler. */
void cancel_request(Cancel *cancel);

/* True once the stop was asked for.  A NULL cancel is never requested, here and below. */
bool cancel_requested(const Cancel *cancel);

/* A descriptor that becomes readable with the stop and stays so; never read it.
 * -1 for NULL, which poll() ignores. */
int cancel_fd(const Cancel *cancel);

/* Waits so long, or less when the stop is asked for: then false. */
bool cancel_sleep(Cancel *cancel, gint64 ms);

/* False, with VF_ERROR_CANCELLED set, when the stop was asked for. */
bool cancel_check(const Cancel *cancel, GError **error);
