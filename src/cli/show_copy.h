/*
 * show_copy.h - what came of a copy, for people and for programs, on stdout.
 */
#pragma once

#include "model/copy_progress.h"

void show_copy(const CopyProgress *copy);

/* One JSON object. */
void print_copy_json(const CopyProgress *copy);
