/*
 * actions.h - what is to be done with one bot, and why.
 */
#pragma once

#include "plan/make.h"

/* Sets action, reason and the sources of `planned`. */
void decide_bot(PlannedBot *planned, const Bot *bot, const BotLook *look, const PlanInput *input);
