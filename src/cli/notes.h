/*
 * notes.h - sentences for the person who waits, on stderr.
 */
#pragma once

#include "base/notes.h"

/* "note: …"; no password and no control character gets there. */
extern const Notes NOTES_TO_STDERR;
