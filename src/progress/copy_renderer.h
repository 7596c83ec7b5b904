/*
 * copy_renderer.h - shows a copy of whole tables to the person who waits for it.
 *
 * On a terminal one line per table at work is drawn again and again in its place, with the
 * whole below; elsewhere it is a line now and then, and one for each table that is done.
 */
#pragma once

#include "model/copy_progress.h"

typedef struct CopyRenderer CopyRenderer;

/* The descriptor is borrowed. */
CopyRenderer *copy_renderer_new(int fd);

/* Borrowed for the call; call it as often as something changes. */
void copy_renderer_show(CopyRenderer *renderer, const CopyProgress *copy);

/* A sentence that stays. */
void copy_renderer_note(CopyRenderer *renderer, const char *text);

/* Says what was held back, and frees it.  NULL is none. */
void copy_renderer_end(CopyRenderer *renderer);
