/*
 * fault_points.c - `vecferry fault-points`: the names that VECFERRY_FAULT knows.
 */
#include "base/fault.h"
#include "cli/command.h"

#include <stdio.h>

bool
command_fault_points(const Invocation *invocation, ExitStatus *status, GError **error)
{
    (void) invocation;
    (void) error;
    for (int i = 0; i < FAULT_COUNT; i++)
        puts(fault_name((FaultPoint) i));
    *status = STATUS_DONE;
    return true;
}
