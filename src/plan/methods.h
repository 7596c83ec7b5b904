/*
 * methods.h - the ways to fill a new store, compared.
 */
#pragma once

#include "model/plan.h"

/* Adds every method to the plan with what speaks for and against it here. */
void compare_methods(Plan *plan);
