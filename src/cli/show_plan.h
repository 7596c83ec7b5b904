/*
 * show_plan.h - a plan for people.
 */
#pragma once

#include "model/plan.h"

#include <stdio.h>

void show_plan(const Plan *plan, FILE *to);
