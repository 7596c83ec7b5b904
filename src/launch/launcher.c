#include "launch/launcher.h"

void
launcher_report_clear(LauncherReport *report)
{
    work_event_clear(&report->event);
    g_free(report->how);
    *report = (LauncherReport){0};
}

void
launcher_free(Launcher *launcher)
{
    if (launcher != NULL)
        launcher->free(launcher);
}
