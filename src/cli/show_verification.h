/*
 * show_verification.h - what verify found, for people, on stdout.
 */
#pragma once

#include "model/verification.h"

#include <stdbool.h>

/* A table of the differences, with `all` of the remarks and of the bots that are right too; and a
 * line that says what was compared and what came of it. */
void show_verification(const Verification *verification, bool all);
