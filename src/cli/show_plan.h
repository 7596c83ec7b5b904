/*
 * show_plan.h - a plan for people, on stdout.
 */
#pragma once

#include "model/plan.h"

void show_plan(const Plan *plan);
