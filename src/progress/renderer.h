/*
 * renderer.h - shows a run to the person who waits for it.
 *
 * On a terminal it is a picture that is drawn again and again in its place; elsewhere it
 * is a line now and then.  Nothing here fails: who cannot be told is not told.
 */
#pragma once

#include "model/run.h"

typedef struct Renderer Renderer;

struct Renderer
{
    /* The run as it stands, borrowed for the call.  Call it as often as something changes: it is
     * shown when it is time, and always once the run has ended. */
    void (*show)(Renderer *self, const RunProgress *run);

    /* A sentence that stays. */
    void (*note)(Renderer *self, const char *text);

    /* Says what was held back, and frees the renderer.  The terminal is as it was, with what was
     * shown last standing there. */
    void (*end)(Renderer *self);
};

/* The one that fits the descriptor, which is borrowed. */
Renderer *renderer_new(int fd);

/* Draws in place.  After each write() the terminal is in its usual state with its cursor below the
 * picture, so that whoever kills us leaves nothing to be mended. */
Renderer *terminal_renderer_new(int fd);

/* A line every few seconds, and one for each bot that ends. */
Renderer *lines_renderer_new(int fd);

/* NULL is none. */
void renderer_end(Renderer *renderer);

/* For the implementations: all of the text, in one write() where the other side takes it so. */
void renderer_write(int fd, const char *text);
